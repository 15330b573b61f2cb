package files

import "strings"

// skipNames are the files and folders that systems create, by name in lower case, with their kinds
// in the plural.
var skipNames = map[string]string{
	"@eadir":                    "thumbnail folders",
	".@__thumb":                 "thumbnail folders",
	".thumbnails":               "thumbnail folders",
	".thumbnail":                "thumbnail folders",
	".picasaoriginals":          "thumbnail folders",
	"thumbs.db":                 "thumbnail files",
	"ehthumbs.db":               "thumbnail files",
	"ehthumbs_vista.db":         "thumbnail files",
	"#recycle":                  "recycle bins",
	"@recycle":                  "recycle bins",
	"$recycle.bin":              "recycle bins",
	".trash":                    "recycle bins",
	".trashes":                  "recycle bins",
	"#snapshot":                 "snapshot folders",
	".snapshot":                 "snapshot folders",
	".snapshots":                "snapshot folders",
	"@tmp":                      "system folders",
	"__macosx":                  "system folders",
	"lost+found":                "system folders",
	"system volume information": "system folders",
	"desktop.ini":               "system files",
	".ds_store":                 "system files",
	".directory":                "system files",
}

// leaving returns the kind of an entry that is skipped because of its name: one of skipNames, or
// any hidden one. It returns "" for an entry to be read.
func skipKind(name string, dir bool) string {
	kind := skipNames[strings.ToLower(name)]
	switch {
	case kind != "" && dir == !strings.HasSuffix(kind, "files"):
		return kind
	case !strings.HasPrefix(name, "."):
		return ""
	case dir && strings.HasPrefix(name, ".Trash-"):
		return "recycle bins"
	case dir:
		return "hidden folders"
	case strings.HasPrefix(name, "._"):
		return "system files" // AppleDouble: metadata that macOS stores beside a file
	}
	return "hidden files"
}
