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
var pictureNames = map[string]raster.Format{
	".png": raster.PNG, ".apng": raster.PNG, ".jpg": raster.JPEG, ".jpeg": raster.JPEG,
	".jpe":  raster.JPEG,
	".jfif": raster.JPEG, ".gif": raster.GIF, ".bmp": raster.BMP, ".dib": raster.BMP,
	".tif": raster.TIFF, ".tiff": raster.TIFF, ".webp": raster.WebP,
}

func ending(name string) string { return strings.ToLower(path.Ext(name)) }

// claims reports whether a file is a picture by its name.
func claims(name string) bool { return pictureNames[ending(name)] != raster.None }

// otherKinds are the files that are passed over, by the endings of their names.
var otherKinds = map[string]string{
	".txt": "text files", ".md": "text files", ".rst": "text files", ".log": "text files",
	".json": "JSON files", ".jsonl": "JSON files", ".ndjson": "JSON files",
	".csv": "CSV files", ".tsv": "CSV files", ".xml": "XML files", ".html": "HTML files",
	".htm": "HTML files",
	".mp4": "videos", ".mov": "videos", ".avi": "videos", ".mkv": "videos", ".webm": "videos",
	".m4v":  "videos",
	".heic": "HEIC pictures", ".heif": "HEIC pictures", ".hif": "HEIC pictures",
	".avif": "AVIF pictures",
	".jxl":  "JPEG XL pictures", ".jp2": "JPEG 2000 pictures", ".j2k": "JPEG 2000 pictures",
	".svg": "SVG drawings",
	".ico": "icons", ".psd": "Photoshop documents", ".xcf": "GIMP documents",
	".exr": "OpenEXR pictures",
	".hdr": "HDR pictures", ".tga": "Targa pictures", ".ppm": "Netpbm pictures",
	".pgm": "Netpbm pictures",
	".pbm": "Netpbm pictures", ".pnm": "Netpbm pictures", ".dcm": "DICOM pictures",
	".pdf": "PDF documents",
	".npy": "NumPy arrays", ".npz": "NumPy arrays", ".mat": "MATLAB files", ".h5": "HDF5 files",
	".pkl": "pickles",
	".zip": "archives", ".tar": "archives", ".gz": "archives", ".tgz": "archives",
	".bz2": "archives",
	".xz":  "archives", ".7z": "archives", ".rar": "archives", ".py": "programs", ".sh": "programs",
	".ipynb": "programs",
}

// rawNames are the files of cameras. Some are TIFF files, whose first picture is a small preview.
var rawNames = " .dng .nef .nrw .cr2 .cr3 .arw .srf .sr2 .orf .rw2 .pef .srw .raf .3fr .iiq .raw "

// kind is the kind of a file that is passed over; "" of a picture, broken ones included. known are
// the names of all files and their folders.
func (p *picture) kind(known func() map[string]bool) string {
	name := p.file.Name
	ext := ending(name)
	switch {
	case ext != "" && strings.Contains(rawNames, " "+ext+" "):
		return "raw camera files"
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
	several, turned, misnamed := named{}, named{}, named{}
	for _, p := range pictures {
		if p.err != nil {
			continue
		}
		h := p.head
		counts[h.Format]++
		several.add(h.Several, p.file.Name)
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
		named
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

// named counts names and keeps the first few.
type named struct {
	count int
	first []string
}

func (n *named) add(yes bool, name string) {
	if !yes {
		return
	}
	if n.count++; len(n.first) < namedEntries {
		n.first = append(n.first, name)
	}
}

func (n *named) list() string {
	s := strings.Join(n.first, ", ")
	if n.count > len(n.first) {
		s += ", ..."
	}
	return s
}
