package files

import "strings"

// leavings are files and folders that no user put there, by name in lower case. Names that
// begin with a dot are hidden.
var leavings = map[string]string{
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

// leaving is the kind of a name that is passed over, or "".
func leaving(name string, dir bool) string {
	kind := leavings[strings.ToLower(name)]
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
		return "system files" // of macOS: what other file systems cannot keep of a file
	}
	return "hidden files"
}
