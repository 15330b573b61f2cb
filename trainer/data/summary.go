package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// Summary describes what was read from a source, and what was skipped.
type Summary struct {
	Source     string     `json:"source"` // absolute path or embedded name
	Format     string     `json:"format"` // "an IDX file"
	Kind       Kind       `json:"kind,omitempty"`
	Notes      []string   `json:"notes,omitempty"`       // special treatment: "4 turned upright"
	Images     int        `json:"images"`                // or rows
	Columns    string     `json:"columns,omitempty"`     // of a table: "9 columns (9 integer)"
	Missing    int        `json:"missing,omitempty"`     // cells of these that are missing
	Shape      Shape      `json:"shape"`                 // of one image
	SampleRate float64    `json:"sample_rate,omitempty"` // of signals, per second; 0: unknown
	Values     [2]float64 `json:"values"`                // smallest and largest stored value
	Range      [2]float64 `json:"range"`                 // stored values that become -1 and 1
	Labels     int        `json:"labels"`                // number of images with a label
	Classes    int        `json:"classes"`               // number of distinct labels
	LabelsFrom string     `json:"labels_from,omitempty"` // "folders", or the name of a file
	ClassNames []string   `json:"class_names,omitempty"` // by label, if the source names them
	Skipped    []Skipped  `json:"passed_over,omitempty"`
}

// Skipped describes the entries of one kind that were not read as images.
type Skipped struct {
	Kind  string   `json:"kind"` // "hidden files", "thumbnails", "broken pictures"
	Count int      `json:"count"`
	First []string `json:"first"` // names of the first few, relative to the source
}

// namedEntries is the number of names that are kept of each kind.
const namedEntries = 3

// skip records an entry that is not read.
func (s *Summary) skip(kind, name string) {
	i := slices.IndexFunc(s.Skipped, func(p Skipped) bool { return p.Kind == kind })
	if i < 0 {
		i = len(s.Skipped)
		s.Skipped = append(s.Skipped, Skipped{Kind: kind})
	}
	p := &s.Skipped[i]
	p.Count++
	if len(p.First) < namedEntries {
		p.First = append(p.First, name)
	}
}

// unskip removes an entry that is read after all.
func (s *Summary) unskip(kind, name string) {
	for i := range s.Skipped {
		p := &s.Skipped[i]
		if p.Kind != kind {
			continue
		}
		p.First = slices.DeleteFunc(p.First, func(n string) bool { return n == name })
		if p.Count--; p.Count == 0 {
			s.Skipped = slices.Delete(s.Skipped, i, i+1)
		}
		return
	}
}

// String is the summary in one line.
func (s Summary) String() string {
	var b strings.Builder
	b.WriteString(s.size())
	switch {
	case s.Labels == 0:
		b.WriteString(", no labels")
	case s.Labels == s.Images:
		fmt.Fprintf(&b, ", labels of %s", counted(s.Classes, "classes"))
	default:
		fmt.Fprintf(&b, ", %s of them labelled, %s", thousands(s.Labels),
			counted(s.Classes, "classes"))
	}
	if s.LabelsFrom != "" {
		fmt.Fprintf(&b, " by %s", s.LabelsFrom)
	}
	fmt.Fprintf(&b, "; %s: %s", s.Format, s.Source)
	for _, n := range s.Notes {
		b.WriteString("; " + n)
	}
	b.WriteString(s.passedOver())
	return b.String()
}

// size says how many images of which size there are, or rows of which columns.
func (s Summary) size() string {
	var b strings.Builder
	if s.Columns != "" {
		fmt.Fprintf(&b, "Read %s rows of %s", thousands(s.Images), s.Columns)
		if s.Missing > 0 {
			fmt.Fprintf(&b, ", %s missing", counted(s.Missing, "cells"))
		}
		return b.String()
	}
	fmt.Fprintf(&b, "Read %s, values %s to %s", s.rows(), number(s.Values[0]), number(s.Values[1]))
	if s.Kind == Signals {
		fmt.Fprintf(&b, " (%s becomes -1, %s 1)", number(s.Range[0]), number(s.Range[1]))
	} else if s.Range != s.Values && s.Range != [2]float64{-1, 1} {
		fmt.Fprintf(&b, " (%s is black, %s white)", number(s.Range[0]), number(s.Range[1]))
	}
	return b.String()
}

// rows says how many rows there are and what each is.
func (s Summary) rows() string {
	switch {
	case s.Kind != Signals && s.Kind != Numbers:
		return fmt.Sprintf("%s images of %v (%s)", thousands(s.Images), s.Shape,
			channels(s.Shape.C))
	case s.Kind == Numbers:
		return fmt.Sprintf("%s rows of %s", thousands(s.Images), counted(s.Shape.W, "numbers"))
	}
	text := fmt.Sprintf("%s signals of %s", thousands(s.Images), counted(s.Shape.W, "samples"))
	if s.SampleRate > 0 {
		text += fmt.Sprintf(" (%s Hz, %.4g s)", number(s.SampleRate),
			float64(s.Shape.W)/s.SampleRate)
	}
	return text + ", " + counted(s.Shape.C, "channels")
}

// passedOver lists what was skipped, after a semicolon; "" if nothing was.
func (s Summary) passedOver() string {
	var b strings.Builder
	for i, p := range s.Skipped {
		b.WriteString([]string{"; passed over ", ", "}[min(i, 1)])
		n := tally{p.Count, p.First}
		fmt.Fprintf(&b, "%s (%s)", counted(p.Count, p.Kind), n.list())
	}
	return b.String()
}

// counted formats a number of things, whose kind is given in the plural. For one thing it removes
// the plural ending of the first word that has one, as in "links stored as text".
func counted(n int, kind string) string {
	if n == 1 {
		first, rest, several := strings.Cut(kind, "s ")
		switch {
		case several:
			kind = first + " " + rest
		case strings.HasSuffix(kind, "ches"), strings.HasSuffix(kind, "sses"):
			kind = strings.TrimSuffix(kind, "es")
		default:
			kind = strings.TrimSuffix(kind, "s")
		}
	}
	return thousands(n) + " " + kind
}

func thousands(n int) string { return humanize.Comma(int64(n)) }

func channels(c int) string {
	if c == 1 {
		return "gray"
	}
	return "RGB"
}

// number formats whole numbers in full and others with four digits.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e9 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// summarise completes the summary from the data that were read.
func (s *Summary) summarise(a *array) {
	s.Kind, s.Images, s.Shape = a.kind, a.m, a.shape
	s.Values, s.Range = a.stored.values, a.stored.ends
	classes := map[int32]bool{}
	s.Labels = 0
	for _, l := range a.labels {
		if l >= 0 {
			s.Labels++
			classes[l] = true
		}
	}
	s.Classes, s.ClassNames = len(classes), a.classes
	if a.cells != nil {
		s.Columns, s.Missing = a.cells.Schema.String(), missingCells(a.cells)
	}
}
