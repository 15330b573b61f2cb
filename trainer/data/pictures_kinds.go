package data

import (
	"fmt"
	"path"
	"strings"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
)

const readable = "PNG, JPEG, GIF, BMP, TIFF or WebP pictures"

// pictureNames are the endings of names that claim a picture of a format that is read.
var pictureNames = byEnding(map[raster.Format]string{
	raster.PNG:  ".png .apng",
	raster.JPEG: ".jpg .jpeg .jpe .jfif",
	raster.GIF:  ".gif",
	raster.BMP:  ".bmp .dib",
	raster.TIFF: ".tif .tiff",
	raster.WebP: ".webp",
})

// byEnding turns the endings of each kind into the kind of each ending.
func byEnding[K comparable](endings map[K]string) map[string]K {
	kinds := map[string]K{}
	for kind, list := range endings {
		for ending := range strings.FieldsSeq(list) {
			kinds[ending] = kind
		}
	}
	return kinds
}

func ending(name string) string { return strings.ToLower(path.Ext(name)) }

// claims reports whether a file is a picture by its name.
func claims(name string) bool { return pictureNames[ending(name)] != raster.None }

// Kinds of files that may hold a data set of their own.
const numpyArrays, archiveFiles = "NumPy arrays", "archives"

// otherKinds are the files that are passed over, by the endings of their names.
var otherKinds = byEnding(map[string]string{
	"text files":          ".txt .md .rst .log",
	"JSON files":          ".json .jsonl .ndjson",
	"CSV files":           ".csv .tsv",
	"XML files":           ".xml",
	"HTML files":          ".html .htm",
	"videos":              ".mp4 .mov .avi .mkv .webm .m4v",
	"HEIC pictures":       ".heic .heif .hif",
	"AVIF pictures":       ".avif",
	"JPEG XL pictures":    ".jxl",
	"JPEG 2000 pictures":  ".jp2 .j2k",
	"SVG drawings":        ".svg",
	"icons":               ".ico",
	"Photoshop documents": ".psd",
	"GIMP documents":      ".xcf",
	"OpenEXR pictures":    ".exr",
	"HDR pictures":        ".hdr",
	"Targa pictures":      ".tga",
	"Netpbm pictures":     ".ppm .pgm .pbm .pnm",
	"DICOM pictures":      ".dcm",
	"PDF documents":       ".pdf",
	numpyArrays:           ".npy .npz",
	"MATLAB files":        ".mat",
	"HDF5 files":          ".h5",
	"pickles":             ".pkl",
	archiveFiles:          ".zip .tar .gz .tgz .bz2 .xz .7z .rar",
	"programs":            ".py .sh .ipynb",
})

// rawNames are the files of cameras. Some are TIFF files, whose first picture is a small preview.
var rawNames = byEnding(map[string]string{
	"raw camera files": ".dng .nef .nrw .cr2 .cr3 .arw .srf .sr2 .orf .rw2 .pef .srw .raf .3fr " +
		".iiq .raw",
})

// kind is the kind of a file that is passed over; "" of a picture, broken ones included. known are
// the names of all files and their folders.
func (p *picture) kind(known func() map[string]bool) string {
	name := p.file.Name
	ext := ending(name)
	switch {
	case rawNames[ext] != "":
		return rawNames[ext]
	case claims(name) || p.head.Format != raster.None:
		return ""
	case p.file.Broken():
		return "broken links"
	case p.other == "empty":
		return "empty files"
	case strings.HasPrefix(p.other, linkPrefix):
		target := strings.TrimPrefix(p.other, linkPrefix)
		to := path.Join(path.Dir(name), target)
		if path.IsAbs(target) || to == ".." || strings.HasPrefix(to, "../") || known()[to] {
			return "links stored as text"
		}
		return "text files"
	case otherKinds[ext] != "":
		return otherKinds[ext]
	case p.other == "":
		return "unreadable files"
	case p.other == "text":
		return "text files"
	}
	return "other files"
}

// maxLinkText bounds a link that is stored as text.
const maxLinkText = 1024

const linkPrefix = "link:"

// linkText is what a small text may be: a symbolic link that a version control system or an
// archiver has stored as a file, which holds nothing but a path.
func linkText(c raster.Content) string {
	b := make([]byte, c.Size())
	if n, _ := c.ReadAt(b, 0); n < len(b) {
		return "text"
	}
	target := string(b)
	if strings.ContainsAny(target, "\n\r\x00") || !strings.Contains(target, "/") ||
		strings.Contains(target, "://") {
		return "text"
	}
	return linkPrefix + target
}

// known are the names of files and of the folders that they lie in.
func known(list []files.File) map[string]bool {
	names := map[string]bool{}
	for _, f := range list {
		for name := f.Name; name != "." && !names[name]; name = path.Dir(name) {
			names[name] = true
		}
	}
	return names
}

// describe says how many pictures there are of which format, and what is remarkable.
func describe(pictures []picture) (format string, notes []string) {
	counts := map[raster.Format]int{}
	several, turned, misnamed := tally{}, tally{}, tally{}
	for _, p := range pictures {
		if p.err != nil {
			continue
		}
		h := p.head
		counts[h.Format]++
		several.add(h.Multiple, p.file.Name)
		turned.add(h.Orientation > 1, p.file.Name)
		misnamed.add(claims(p.file.Name) && pictureNames[ending(p.file.Name)] != h.Format,
			p.file.Name+" is "+h.Format.String())
	}
	var parts []string
	for _, f := range raster.Formats() {
		if counts[f] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", thousands(counts[f]), f))
		}
	}
	for _, n := range []struct {
		tally
		text string
	}{
		{turned, "%s turned upright as the orientation tag says"},
		{several, "the first picture of %s that are animated or have several pages"},
		{misnamed, "%s named as another format"},
	} {
		if n.count > 0 {
			notes = append(notes, fmt.Sprintf(n.text, thousands(n.count))+" ("+n.list()+")")
		}
	}
	return "pictures (" + strings.Join(parts, ", ") + ")", notes
}
