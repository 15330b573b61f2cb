package data

import (
	"errors"
	"fmt"
	"maps"
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
	Images []int    `json:"images"` // number of each class
}

// ClassesOf returns the classes of ds: the labels that at least one of its images has. For the
// training part of a split these are the classes that can be learnt. If no image has a label, the
// error wraps ErrNoLabels.
func ClassesOf(ds Dataset) (Classes, error) {
	images := map[int]int{} // by label
	for i := range ds.Len() {
		if l := ds.Label(i); l >= 0 {
			images[l]++
		}
	}
	c := Classes{Labels: slices.Sorted(maps.Keys(images))}
	if len(c.Labels) == 0 {
		return Classes{}, fmt.Errorf("data: %s: %w; expected a folder for each class, or a file "+
			"of labels, given by --labels", ds.Name(), ErrNoLabels)
	}
	names := classNames(ds)
	for _, l := range c.Labels {
		c.Images = append(c.Images, images[l])
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
		of[i] = int32(c.class(ds.Label(i)))
	}
	return of
}

// Count returns the number of images of ds of each class and, after them, of those without one: of
// width classes, which may be more than there are.
func (c Classes) Count(ds Dataset, width int) []uint32 {
	counts := make([]uint32, width+1)
	for i := range ds.Len() {
		k := c.class(ds.Label(i))
		if k < 0 {
			k = width
		}
		counts[k]++
	}
	return counts
}

// class returns the class of a label; -1 if there is none.
func (c Classes) class(label int) int {
	if k, found := slices.BinarySearch(c.Labels, label); found {
		return k
	}
	return -1
}

// Conditions returns the class of each image of ds as a row of width numbers, at least as many as
// there are classes: 1 at the class and 0 elsewhere, and all 0 for images without a class.
func (c Classes) Conditions(ds Dataset, width int) Rows {
	if width < c.Len() {
		panic("data: Classes.Conditions needs a number for each class")
	}
	return oneHot{c, ds, width}
}

type oneHot struct {
	classes Classes
	of      Dataset
	width   int
}

func (o oneHot) Len() int { return o.of.Len() }

func (o oneHot) Gather(dst []float32, idx []int) {
	checkGather(dst, idx, o.width)
	clear(dst)
	for i, j := range idx {
		if k := o.classes.class(o.of.Label(j)); k >= 0 {
			dst[i*o.width+k] = 1
		}
	}
}

// Find returns the class of the given name, or else of the label that the name is the digits of.
// Upper and lower case are the same unless two classes differ in nothing else.
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
	if label, err := strconv.Atoi(name); class < 0 && err == nil {
		class = c.class(label)
	}
	if class < 0 {
		return -1, fmt.Errorf("data: there is no class %q%s; expected one of %s",
			name, suggest.DidYouMean(name, c.Names),
			strings.Join(firstOf(c.Names, maxListed), ", "))
	}
	return class, nil
}
