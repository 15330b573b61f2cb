package data

import (
	"fmt"
	"path"
	"strings"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
)

const readable = "PNG, JPEG, GIF, BMP, TIFF or WebP pictures"

// pictureNames maps extensions to picture formats.
var pictureNames = byEnding(map[raster.Format]string{
	raster.PNG:  ".png .apng",
	raster.JPEG: ".jpg .jpeg .jpe .jfif",
	raster.GIF:  ".gif",
	raster.BMP:  ".bmp .dib",
	raster.TIFF: ".tif .tiff",
	raster.WebP: ".webp",
})

// byEnding inverts a map from kinds to lists of extensions.
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

// isPictureName reports whether a name has the extension of a picture.
func isPictureName(name string) bool { return pictureNames[ending(name)] != raster.None }

// Kinds of files that may hold a data set of their own.
const (
	numpyArrays, archiveFiles = "NumPy arrays", "archives"
	csvFiles, parquetFiles    = "CSV files", "Parquet files"
)

// otherKinds are the kinds of files that are skipped, by extension.
var otherKinds = byEnding(map[string]string{
	"text files":          ".txt .md .rst .log",
	"JSON files":          ".json .jsonl .ndjson",
	csvFiles:              ".csv .tsv",
	parquetFiles:          ".parquet .pq",
	"XML files":           ".xml",
	"HTML files":          ".html .htm",
	"sounds":              ".mp3 .flac .ogg .oga .opus .m4a .aac .aif .aiff .wma",
	waves:                 ".wav .wave",
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

// rawNames are the raw files of cameras. Some are TIFF files whose first picture is a small
// preview.
var rawNames = byEnding(map[string]string{
	"raw camera files": ".dng .nef .nrw .cr2 .cr3 .arw .srf .sr2 .orf .rw2 .pef .srw .raf .3fr " +
		".iiq .raw",
})

// kind returns the kind of a file that is skipped, or "" for a picture, even a broken one. known
// returns the names of all files and their folders.
func (p *picture) kind(known func() map[string]bool) string {
	name := p.file.Name
	ext := ending(name)
	switch {
	case rawNames[ext] != "":
		return rawNames[ext]
	case p.sound != nil:
		return waves
	case isPictureName(name) || p.head.Format != raster.None:
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

// maxLinkText limits the length of a link that is stored as text.
const maxLinkText = 1024

const linkPrefix = "link:"

// linkText tells whether a small text file is a symbolic link that a version control system or an
// archiver has stored as a file: it then contains only a path. It returns "text" or linkPrefix and
// the path.
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

// known returns the names of the files and of all folders above them.
func known(list []files.File) map[string]bool {
	names := map[string]bool{}
	for _, f := range list {
		for name := f.Name; name != "." && !names[name]; name = path.Dir(name) {
			names[name] = true
		}
	}
	return names
}

// describe counts the pictures of each format, and notes special cases.
func describe(pictures []picture) (format string, notes []string) {
	counts := map[raster.Format]int{}
	multiple, rotated, misnamed := tally{}, tally{}, tally{}
	for _, p := range pictures {
		if p.err != nil {
			continue
		}
		h := p.head
		counts[h.Format]++
		multiple.add(h.Multiple, p.file.Name)
		rotated.add(h.Orientation > 1, p.file.Name)
		misnamed.add(isPictureName(p.file.Name) && pictureNames[ending(p.file.Name)] != h.Format,
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
		{rotated, "%s turned upright as the orientation tag says"},
		{multiple, "the first picture of %s that are animated or have several pages"},
		{misnamed, "%s named as another format"},
	} {
		if n.count > 0 {
			notes = append(notes, fmt.Sprintf(n.text, thousands(n.count))+" ("+n.list()+")")
		}
	}
	return "pictures (" + strings.Join(parts, ", ") + ")", notes
}
