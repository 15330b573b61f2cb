package data

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// knownImages are the images that a table of labels can name.
type knownImages struct {
	n     int
	find  func(name string) int // the image of that name, noImage or manyImages
	names string                // what they are named by, for messages
}

const noImage, manyImages = -1, -2

// byNumber finds n images by their numbers, from 0.
func byNumber(n int) knownImages {
	find := func(name string) int {
		if i, err := strconv.Atoi(name); err == nil && 0 <= i && i < n {
			return i
		}
		return noImage
	}
	return knownImages{n, find, "the numbers of the images, counted from 0"}
}

// shortened are the forms of a name by which a file is found, the first that fits: as it is; with
// its accents composed, as macOS does not store them; by its last part; and both without the
// ending of a picture. A file of labels may be of another folder, or of pictures that have been
// converted.
var shortened = []func(string) string{
	func(s string) string { return s },
	norm.NFC.String,
	func(s string) string { return norm.NFC.String(path.Base(s)) },
	func(s string) string { return norm.NFC.String(withoutEnding(s)) },
	func(s string) string { return norm.NFC.String(withoutEnding(path.Base(s))) },
}

func withoutEnding(name string) string {
	if claims(name) {
		return strings.TrimSuffix(name, path.Ext(name))
	}
	return name
}

// byName finds images by their files.
func byName(files []string) knownImages {
	indices := make([]map[string]int, len(shortened))
	for k, short := range shortened {
		indices[k] = make(map[string]int, len(files))
		for i, f := range files {
			name := short(f)
			if _, twice := indices[k][name]; twice {
				i = manyImages
			}
			indices[k][name] = i
		}
	}
	find := func(name string) int {
		name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
		found := noImage
		for k, short := range shortened {
			if i, ok := indices[k][short(name)]; ok && i >= 0 {
				return i
			} else if ok {
				found = manyImages
			}
		}
		return found
	}
	return knownImages{len(files), find, "file names relative to the data"}
}
