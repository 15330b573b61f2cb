package data

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// knownImages finds images by the names in a table of labels.
type knownImages struct {
	n     int
	find  func(name string) int // returns an image, notFound or ambiguous
	names string                // describes the names, for messages
}

const notFound, ambiguous = -1, -2

// byNumber finds n images by their numbers from 0.
func byNumber(n int) knownImages {
	find := func(name string) int {
		if i, err := strconv.Atoi(name); err == nil && 0 <= i && i < n {
			return i
		}
		return notFound
	}
	return knownImages{n, find, "the numbers of the images, counted from 0"}
}

// nameForms are the forms in which names are compared, in this order: as written; in Unicode's
// composed form, since macOS decomposes accents; only the last element; and the last two without
// the extension of a picture. A table of labels may have been written for another folder, or for
// pictures that have been converted.
var nameForms = []func(string) string{
	func(s string) string { return s },
	norm.NFC.String,
	func(s string) string { return norm.NFC.String(path.Base(s)) },
	func(s string) string { return norm.NFC.String(withoutEnding(s)) },
	func(s string) string { return norm.NFC.String(withoutEnding(path.Base(s))) },
}

func withoutEnding(name string) string {
	if isPictureName(name) {
		return strings.TrimSuffix(name, path.Ext(name))
	}
	return name
}

// byName finds images by the names of their files.
func byName(files []string) knownImages {
	indices := make([]map[string]int, len(nameForms))
	for k, form := range nameForms {
		indices[k] = make(map[string]int, len(files))
		for i, f := range files {
			name := form(f)
			if _, twice := indices[k][name]; twice {
				i = ambiguous
			}
			indices[k][name] = i
		}
	}
	find := func(name string) int {
		name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
		found := notFound
		for k, form := range nameForms {
			if i, ok := indices[k][form(name)]; ok && i >= 0 {
				return i
			} else if ok {
				found = ambiguous
			}
		}
		return found
	}
	return knownImages{len(files), find, "file names relative to the data"}
}
