package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// Summary says what was read of a source, and what was passed over.
type Summary struct {
	Source     string     `json:"source"`          // absolute path, or an embedded data set's name
	Format     string     `json:"format"`          // "an IDX file", "pictures (12 PNG, 3 WebP)"
	Notes      []string   `json:"notes,omitempty"` // what was done to them, "4 turned upright ..."
	Images     int        `json:"images"`
	Shape      Shape      `json:"shape"`                 // of one image
	Values     [2]float64 `json:"values"`                // least and largest stored value
	Range      [2]float64 `json:"range"`                 // stored values that stand for -1 and 1
	Labels     int        `json:"labels"`                // images that have one
	Classes    int        `json:"classes"`               // different labels
	LabelsFrom string     `json:"labels_from,omitempty"` // "folders", or the name of a file
	ClassNames []string   `json:"class_names,omitempty"` // by label, where the source has them
	PassedOver []Passed   `json:"passed_over,omitempty"`
}

// Passed are entries of one kind that were not read as images.
type Passed struct {
	Kind  string   `json:"kind"` // "hidden files", "thumbnails", "broken pictures"
	Count int      `json:"count"`
	First []string `json:"first"` // names of the first few, relative to the source
}

// namedEntries is how many names of a kind are kept.
const namedEntries = 3

// pass notes an entry that is not read.
func (s *Summary) pass(kind, name string) {
	i := slices.IndexFunc(s.PassedOver, func(p Passed) bool { return p.Kind == kind })
	if i < 0 {
		i = len(s.PassedOver)
		s.PassedOver = append(s.PassedOver, Passed{Kind: kind})
	}
	p := &s.PassedOver[i]
	p.Count++
	if len(p.First) < namedEntries {
		p.First = append(p.First, name)
	}
}

// unpass takes an entry back that is read after all, of a kind that has it among the first or not.
func (s *Summary) unpass(kind, name string) {
	for i := range s.PassedOver {
		p := &s.PassedOver[i]
		if p.Kind != kind {
			continue
		}
		p.First = slices.DeleteFunc(p.First, func(n string) bool { return n == name })
		if p.Count--; p.Count == 0 {
			s.PassedOver = slices.Delete(s.PassedOver, i, i+1)
		}
		return
	}
}

// String is the summary in one line.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Read %s images of %v (%s), values %s to %s", thousands(s.Images), s.Shape,
		channels(s.Shape.C), number(s.Values[0]), number(s.Values[1]))
	if s.Range != s.Values && s.Range != [2]float64{-1, 1} {
		fmt.Fprintf(&b, " (%s is black, %s white)", number(s.Range[0]), number(s.Range[1]))
	}
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

// passedOver says what was passed over, after a semicolon; "" if that is nothing.
func (s Summary) passedOver() string {
	var b strings.Builder
	for i, p := range s.PassedOver {
		b.WriteString([]string{"; passed over ", ", "}[min(i, 1)])
		n := tally{p.Count, p.First}
		fmt.Fprintf(&b, "%s (%s)", counted(p.Count, p.Kind), n.list())
	}
	return b.String()
}

// counted is a number of things, of a kind that is given in the plural: the plural's ending is that
// of the first word that has one, "links stored as text", or of the last.
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

// number writes whole numbers in full, others to four digits.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e9 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// summarise completes the summary of what was read into a.
func (s *Summary) summarise(a *array) {
	s.Images, s.Shape = a.m, a.shape
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
}
