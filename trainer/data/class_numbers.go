package data

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/suggest"
)

// ErrNoLabels is wrapped by the error of ClassesOf for data without labels.
var ErrNoLabels = errors.New("the images have no labels")

// Classes numbers classes from 0 without gaps, as a network needs them, in ascending order of their
// labels. Labels may have gaps: those of a file are kept as they are.
type Classes struct {
	Labels []int    `json:"labels"` // label of each class, ascending
	Names  []string `json:"names"`  // as the source names them; otherwise their labels in digits
}

// ClassesOf returns the classes of ds: the labels that at least one of its images has. For the
// training part of a split these are the classes that can be learnt. If no image has a label, the
// error wraps ErrNoLabels.
func ClassesOf(ds Dataset) (Classes, error) {
	seen := map[int]bool{}
	var c Classes
	for i := range ds.Len() {
		if l := ds.Label(i); l >= 0 && !seen[l] {
			seen[l] = true
			c.Labels = append(c.Labels, l)
		}
	}
	if len(c.Labels) == 0 {
		return Classes{}, fmt.Errorf("data: %s: %w; expected a folder for each class, or a file "+
			"of labels, given by --labels", ds.Name(), ErrNoLabels)
	}
	slices.Sort(c.Labels)
	names := classNames(ds)
	for _, l := range c.Labels {
		if l < len(names) {
			c.Names = append(c.Names, names[l])
		} else {
			c.Names = append(c.Names, strconv.Itoa(l))
		}
	}
	return c, nil
}

// Len is the number of classes.
func (c Classes) Len() int { return len(c.Labels) }

// Of returns the class of each image of ds; -1 for images without a label, and for labels that are
// not among c's.
func (c Classes) Of(ds Dataset) []int32 {
	of := make([]int32, ds.Len())
	for i := range of {
		of[i] = -1
		if k, found := slices.BinarySearch(c.Labels, ds.Label(i)); found {
			of[i] = int32(k)
		}
	}
	return of
}

// Find returns the class of the given name. Upper and lower case are the same unless two classes
// differ in nothing else.
func (c Classes) Find(name string) (class int, err error) {
	if k := slices.Index(c.Names, name); k >= 0 {
		return k, nil
	}
	class = -1
	for k, n := range c.Names {
		if !strings.EqualFold(n, name) {
			continue
		}
		if class >= 0 {
			return -1, fmt.Errorf("data: class %q may be %q or %q", name, c.Names[class], n)
		}
		class = k
	}
	if class < 0 {
		return -1, fmt.Errorf("data: there is no class %q%s; expected one of %s",
			name, suggest.DidYouMean(name, c.Names),
			strings.Join(firstOf(c.Names, maxListed), ", "))
	}
	return class, nil
}
