package data

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"unicode/utf8"
)

// labelTable is the content of a file of labels.
type labelTable struct {
	source  string   // for messages
	headed  bool     // the first record is certainly not a header
	names   []string // image of each label; nil: labels are in the order of the images
	values  []string // the labels, "" if unknown; or
	numbers []int32  // the labels of a binary file, -1 if unknown
}

func (t *labelTable) len() int { return max(len(t.values), len(t.numbers)) }

// unknownLabels are common notations for an unknown label.
var unknownLabels = []string{"", "NaN", "nan", "NA", "null", "-1", "-1.0"}

// classes converts labels to numbers. Whole numbers are kept. Names are sorted and numbered from 0,
// and returned in this order; names is nil if the labels are numbers.
func (t *labelTable) classes() (labels []int32, names []string, err error) {
	if t.numbers != nil {
		return t.numbers, nil, nil
	}
	labels = make([]int32, len(t.values))
	whole, measured, outside := true, true, ""
	for i, v := range t.values {
		if labels[i] = -1; slices.Contains(unknownLabels, v) {
			continue
		}
		f, err := strconv.ParseFloat(v, 64)
		measured = measured && err == nil
		switch whole = whole && err == nil && f == math.Trunc(f); {
		case !whole:
		case f < 0 || f > math.MaxInt32:
			outside = cmp.Or(outside, v)
		default:
			labels[i] = int32(f)
		}
	}
	switch {
	case whole && outside != "":
		return nil, nil, t.fail("holds the label %s; expected whole numbers from 0 to %d, or "+
			"names", outside, math.MaxInt32)
	case whole:
		return labels, nil, nil
	case measured:
		return nil, nil, t.fail("holds measurements, such as %s; expected classes, by whole "+
			"numbers or by names", t.fraction())
	}
	names = t.distinct()
	for i, v := range t.values {
		labels[i] = -1
		if !slices.Contains(unknownLabels, v) {
			n, _ := slices.BinarySearch(names, v)
			labels[i] = int32(n)
		}
	}
	return labels, names, nil
}

// fraction returns the first label that is not a whole number.
func (t *labelTable) fraction() string {
	for _, v := range t.values {
		if f, err := strconv.ParseFloat(v, 64); err == nil && f != math.Trunc(f) {
			return v
		}
	}
	return ""
}

// distinct returns the known labels, sorted and without duplicates.
func (t *labelTable) distinct() []string {
	unknown := func(v string) bool { return slices.Contains(unknownLabels, v) }
	names := slices.DeleteFunc(slices.Clone(t.values), unknown)
	slices.Sort(names)
	return slices.Compact(names)
}

func (t *labelTable) fail(format string, args ...any) error {
	return fmt.Errorf("data: %s: %w", t.source, fmt.Errorf(format, args...))
}

// assign returns the label of each of n images, -1 if it has none, and the names of the classes.
// files are the names of the images; nil: images have no names.
func (t *labelTable) assign(
	files []string,
	n int,
	warn func(string, ...any),
) (labels []int32, names []string, err error) {
	images := byNumber(n)
	if files != nil {
		images = byName(files)
	}
	t.dropHeader(images)
	values, names, err := t.classes()
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(names, notUTF8) {
		warn("data: %s: the names of its classes are not in UTF-8, so that some will look wrong: "+
			"save it as UTF-8", t.source)
	}
	if t.names != nil {
		labels, err = t.place(values, images, warn)
		return labels, names, err
	}
	if len(values) != n {
		return nil, nil, t.fail("holds %s for %s; expected one for each, in "+
			"their order, or the names of the images beside them",
			counted(len(values), "labels"), counted(n, "images"))
	}
	return values, names, nil
}

// dropHeader drops the first record if it is a header of unknown words: its label is not a number
// and occurs in no other record, and either there is one record too many or it names no image.
func (t *labelTable) dropHeader(images knownImages) {
	if t.headed || len(t.values) < 2 || slices.Contains(t.values[1:], t.values[0]) {
		return
	}
	if _, err := strconv.ParseFloat(t.values[0], 64); err == nil {
		return
	}
	if t.names == nil {
		if len(t.values) == images.n+1 {
			t.values, t.headed = t.values[1:], true
		}
		return
	}
	if images.find(t.names[0]) == notFound && path.Ext(t.names[0]) == "" {
		t.names, t.values, t.headed = t.names[1:], t.values[1:], true
	}
}

func notUTF8(s string) bool { return !utf8.ValidString(s) }

// place assigns labels to images by name.
func (t *labelTable) place(
	values []int32, images knownImages, warn func(string, ...any),
) ([]int32, error) {
	labels, labelled := make([]int32, images.n), make([]bool, images.n)
	for i := range labels {
		labels[i] = -1
	}
	var unknown tally
	matched := 0
	for i, name := range t.names {
		switch j := images.find(name); {
		case j == notFound:
			unknown.add(true, name)
		case j == ambiguous:
			return nil, t.fail("has a label for %q, which is the name of several pictures; "+
				"expected names with their folders", name)
		case labelled[j] && labels[j] != values[i]:
			return nil, t.fail("has two labels for %q", name)
		case !labelled[j]:
			labels[j], labelled[j] = values[i], true
			matched++
		}
	}
	return labels, t.checkMatches(unknown, matched, images, warn)
}

// checkMatches returns an error if no name was that of an image, and warns of unknown names and of
// images without a label.
func (t *labelTable) checkMatches(
	unknown tally, matched int, images knownImages, warn func(string, ...any),
) error {
	list := unknown.list()
	if slices.ContainsFunc(unknown.first, notUTF8) {
		list += ", not in UTF-8"
	}
	if matched == 0 {
		return t.fail("none of its names (%s) is that of an image; expected %s", list, images.names)
	}
	if unknown.count > 0 {
		warn("data: %s: %s of %s labels are of no image: %s", t.source, thousands(unknown.count),
			thousands(len(t.names)), list)
	}
	if matched < images.n {
		warn("data: %s: %s of %s images have no label", t.source, thousands(images.n-matched),
			thousands(images.n))
	}
	return nil
}

// pick returns the labels of the given rows.
func pick(labels []int32, rows []int) []int32 {
	picked := make([]int32, len(rows))
	for i, r := range rows {
		picked[i] = labels[r]
	}
	return picked
}

// sourceFiles returns the names of all images of the source, including skipped ones.
func (a *array) sourceFiles() []string {
	if a.rows == nil || a.files == nil {
		return a.files
	}
	all, left := make([]string, a.m+len(a.skipped)), a.skipped
	for i, r := range a.rows {
		all[r] = a.files[i]
	}
	for i := range all {
		if all[i] == "" && len(left) > 0 {
			all[i], left = left[0], left[1:]
		}
	}
	return all
}
