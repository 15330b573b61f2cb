package data

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// labelled returns a table of one number for each label.
func labelled(labels ...int32) Table {
	return Table{D: 1, X: make([]float32, len(labels)), Labels: labels}
}

func TestClassesOf(t *testing.T) {
	ds := labelled(40, -1, 7, 40, 9, 7)
	c, err := ClassesOf(ds)
	if err != nil || !slices.Equal(c.Labels, []int{7, 9, 40}) ||
		!slices.Equal(c.Names, []string{"7", "9", "40"}) || c.Len() != 3 ||
		!slices.Equal(c.Images, []int{2, 1, 2}) {
		t.Fatalf("%+v, %v", c, err)
	}
	if of := c.Of(ds); !slices.Equal(of, []int32{2, -1, 0, 2, 1, 0}) {
		t.Errorf("classes %v", of)
	}
	if of := c.Of(labelled(9, 8, -1)); !slices.Equal(of, []int32{1, -1, -1}) {
		t.Errorf("of other images: %v", of)
	}
	if _, err := ClassesOf(Table{D: 1, X: make([]float32, 2)}); !errors.Is(err, ErrNoLabels) {
		t.Errorf("without labels: %v", err)
	}
	_, err = ClassesOf(labelled(-1, -1))
	wantError(t, err, "table: the images have no labels", "--labels")
}

// A part of the data has only the classes of its own images, under the names of the source.
func TestClassesOfPart(t *testing.T) {
	ds := mustOpen(t, "emoji", Options{})
	var flags []int
	for i := range ds.Len() {
		if ds.Label(i) == 8 || i == 0 {
			flags = append(flags, i)
		}
	}
	part := Subset(ds, flags)
	c, err := ClassesOf(part)
	if err != nil || !slices.Equal(c.Labels, []int{0, 8}) ||
		!slices.Equal(c.Names, []string{"smileys", "flags"}) {
		t.Fatalf("%+v, %v", c, err)
	}
	if of := c.Of(part); of[0] != 0 || slices.Contains(of[1:], 0) || slices.Contains(of, -1) {
		t.Errorf("classes %v", of)
	}
	train, held, err := Split(ds, 0.1, 3)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = ClassesOf(train); err != nil || c.Len() != 9 {
		t.Fatalf("of the training part: %+v, %v", c, err)
	}
	for i, k := range c.Of(held) {
		if at := held.Origin(i).Row; int(k) != ds.Label(at) {
			t.Fatalf("held-out image %d: class %d, label %d", i, k, ds.Label(at))
		}
	}
}

func TestFindClass(t *testing.T) {
	c := Classes{Labels: []int{0, 1, 2, 5}, Names: []string{"cat", "Dog", "DOG", "5"}}
	for name, want := range map[string]int{"cat": 0, "CAT": 0, "Dog": 1, "DOG": 2, "5": 3, "0": 0} {
		if got, err := c.Find(name); err != nil || got != want {
			t.Errorf("%q: %d, %v; expected %d", name, got, err, want)
		}
	}
	_, err := c.Find("dog")
	wantError(t, err, `"dog" may be "Dog" or "DOG"`)
	_, err = c.Find("cats")
	wantError(t, err, `no class "cats" (did you mean "cat"?); expected one of cat, Dog, DOG, 5`)
	_, err = c.Find("3")
	wantError(t, err, `no class "3"`)
}

// Conditions are ones at the classes, wherever in the row the images are asked for.
func TestConditions(t *testing.T) {
	ds := labelled(40, -1, 7, 40)
	c, err := ClassesOf(ds)
	if err != nil {
		t.Fatal(err)
	}
	rows, got := c.Conditions(ds, 3), []float32{9, 9, 9, 9, 9, 9, 9, 9, 9}
	rows.Gather(got, []int{3, 1, 2})
	if !slices.Equal(got, []float32{0, 1, 0, 0, 0, 0, 1, 0, 0}) || rows.Len() != 4 {
		t.Errorf("%d conditions, of images 3, 1 and 2: %v", rows.Len(), got)
	}
	if counts := c.Count(ds, 3); !slices.Equal(counts, []uint32{1, 2, 0, 1}) {
		t.Errorf("counts %v", counts)
	}
}

func TestTableLabels(t *testing.T) {
	table := labelled(3, 4)
	if err := table.Validate(); err != nil || table.Label(1) != 4 {
		t.Errorf("label %d, %v", table.Label(1), err)
	}
	table.Labels = table.Labels[:1]
	err := table.Validate()
	if err == nil || !strings.Contains(err.Error(), "1 labels for 2 rows") {
		t.Errorf("with a label too few: %v", err)
	}
}
