package data

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// labelTable is what a file says of labels.
type labelTable struct {
	source  string   // for messages
	names   []string // of the images that the labels belong to; nil: they come in the images' order
	values  []string // the labels, "" where unknown; or
	numbers []int32  // the same, -1 where unknown
}

func (t *labelTable) len() int { return max(len(t.values), len(t.numbers)) }

// unknownLabels are how software writes that there is no label.
var unknownLabels = []string{"", "NaN", "nan", "NA", "null", "-1", "-1.0"}

// classes makes numbers of the labels: whole numbers stay what they are; of names, sorted, the
// first is 0. Names are returned by number, nil where the labels are numbers.
func (t *labelTable) classes() (labels []int32, names []string, err error) {
	if t.numbers != nil {
		return t.numbers, nil, nil
	}
	labels = make([]int32, len(t.values))
	whole, measured := true, true
	for i, v := range t.values {
		if labels[i] = -1; slices.Contains(unknownLabels, v) {
			continue
		}
		f, err := strconv.ParseFloat(v, 64)
		measured = measured && err == nil
		if whole = whole && err == nil && f == math.Trunc(f); !whole {
			continue
		}
		if f < 0 || f > math.MaxInt32 {
			return nil, nil, t.fail("holds the label %s; expected whole numbers from 0 to %d, or "+
				"names", v, math.MaxInt32)
		}
		labels[i] = int32(f)
	}
	switch {
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

// fraction is the first label that is no whole number.
func (t *labelTable) fraction() string {
	for _, v := range t.values {
		if f, err := strconv.ParseFloat(v, 64); err == nil && f != math.Trunc(f) {
			return v
		}
	}
	return ""
}

// distinct are the labels, each once and sorted.
func (t *labelTable) distinct() []string {
	names := slices.DeleteFunc(
		slices.Clone(t.values),
		func(v string) bool { return slices.Contains(unknownLabels, v) },
	)
	slices.Sort(names)
	return slices.Compact(names)
}

func (t *labelTable) fail(format string, args ...any) error {
	return fmt.Errorf("data: %s: %w", t.source, fmt.Errorf(format, args...))
}

// assign gives each of n images its label, -1 where it has none. files are the images' names; nil:
// they have none.
func (t *labelTable) assign(
	files []string,
	n int,
	warn func(string, ...any),
) (labels []int32, names []string, err error) {
	values, names, err := t.classes()
	if err != nil {
		return nil, nil, err
	}
	if t.names == nil {
		if len(values) != n {
			return nil, nil, t.fail("holds %s labels for %s images; expected one for each, in "+
				"their order, or the names of the images beside them", thousands(len(values)),
				thousands(n))
		}
		return values, names, nil
	}
	find := numbersOf(n)
	if files != nil {
		find = namesOf(files)
	}
	labels, err = t.place(values, n, find, warn)
	return labels, names, err
}

// place assigns labels by name; find gives the image of a name, none or several.
func (t *labelTable) place(
	values []int32,
	n int,
	find func(string) int,
	warn func(string, ...any),
) ([]int32, error) {
	labels, by := make([]int32, n), make([]int, n)
	for i := range labels {
		labels[i], by[i] = -1, -1
	}
	var unknown named
	matched := 0
	for i, name := range t.names {
		switch j := find(name); {
		case j == noImage:
			unknown.add(true, name)
		case j == manyImages:
			return nil, t.fail("has a label for %q, which is the name of several pictures; "+
				"expected names with their folders", name)
		case by[j] >= 0 && labels[j] != values[i]:
			return nil, t.fail("has two labels for %q", name)
		case by[j] < 0:
			labels[j], by[j] = values[i], i
			matched++
		}
	}
	if matched == 0 {
		return nil, t.fail("none of its %s names (%s) is that of an image; expected file names "+
			"relative to the data", thousands(len(t.names)), unknown.list())
	}
	if unknown.count > 0 {
		warn("data: %s: %s of %s labels are of no image: %s", t.source, thousands(unknown.count),
			thousands(len(t.names)), unknown.list())
	}
	if matched < n {
		warn("data: %s: %s of %s images have no label", t.source, thousands(n-matched),
			thousands(n))
	}
	return labels, nil
}

const noImage, manyImages = -1, -2

// numbersOf finds images by their numbers, from 0.
func numbersOf(n int) func(string) int {
	return func(name string) int {
		if i, err := strconv.Atoi(name); err == nil && 0 <= i && i < n {
			return i
		}
		return noImage
	}
}

// namesOf finds images by their files: by the name with its folders, else without them, with the
// ending or without it.
func namesOf(files []string) func(string) int {
	shorten := []func(string) string{
		func(s string) string { return s },
		path.Base,
		func(s string) string { return strings.TrimSuffix(s, path.Ext(s)) },
		func(s string) string { return strings.TrimSuffix(path.Base(s), path.Ext(s)) },
	}
	indices := make([]map[string]int, len(shorten))
	for k, short := range shorten {
		indices[k] = make(map[string]int, len(files))
		for i, f := range files {
			name := short(f)
			if _, twice := indices[k][name]; twice {
				i = manyImages
			}
			indices[k][name] = i
		}
	}
	return func(name string) int {
		name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
		found := noImage
		// As it is, by its last part, then both without the ending: a label file may be of another
		// folder, or of pictures that have been converted.
		for _, try := range []struct {
			index int
			name  string
		}{
			{0, name}, {1, path.Base(name)}, {2, name}, {3, path.Base(name)},
		} {
			if i, ok := indices[try.index][try.name]; ok && i >= 0 {
				return i
			} else if ok {
				found = manyImages
			}
		}
		return found
	}
}

// apply gives the images of an array the labels of a table. Those that were left out have theirs,
// too.
func (t *labelTable) apply(a *array, opt Options) error {
	labels, names, err := t.assign(a.sourceFiles(), a.m+len(a.skipped), opt.warn)
	if err != nil {
		return err
	}
	if a.rows != nil {
		labels = pick(labels, a.rows)
	}
	a.labels, a.classes = append(make([]int32, 0, a.m), labels...), names
	return nil
}

func pick(labels []int32, rows []int) []int32 {
	picked := make([]int32, len(rows))
	for i, r := range rows {
		picked[i] = labels[r]
	}
	return picked
}

// sourceFiles are the names of all images of the source, those left out among them.
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
