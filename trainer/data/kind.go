package data

import (
	"regexp"
	"strings"
)

// Kind says what the rows of a data set are, which decides what networks, likelihoods and reports
// suit them.
type Kind string

// The kinds. Auto leaves the choice to the source.
const (
	Auto     Kind = "auto"
	Pictures Kind = "pictures" // H x W pixels of 1 or 3 channels
	Numbers  Kind = "rows"     // D numbers without an order, 1 x D x 1
	Signals  Kind = "signals"  // T samples of C channels, 1 x T x C
	Columns  Kind = "table"    // a cell of each column, encoded as D numbers, 1 x D x 1
)

// Kinds lists all kinds.
var Kinds = []Kind{Auto, Pictures, Numbers, Signals, Columns}

// Bounded reports whether the values of rows lie in [-1, 1]. Signals and the encoded numbers of
// tables have a mean and a scale, and may be of any size.
func (k Kind) Bounded() bool { return k != Signals && k != Columns }

// imageWords are the words for images in a text, and not in the names of files.
var imageWords = regexp.MustCompile(`(^|[ (])(an )?(image|pixel)(s?)($|[ ,.;:)])`)

// Words returns a text about images and their pixels as one about rows of the kind: it has signals
// or rows in their place, and numbers. Names of files stay.
func (k Kind) Words(text string) string {
	rows := "row"
	switch k {
	case Auto, Pictures, "":
		return text
	case Signals:
		rows = "signal"
	}
	return imageWords.ReplaceAllStringFunc(text, func(found string) string {
		return strings.NewReplacer("an ", "a ", "image", rows, "pixel", "number").Replace(found)
	})
}

// KindOfShape is the kind of rows of a shape, if nothing else tells.
func KindOfShape(s Shape) Kind {
	if s.H == 1 && s.C == 1 {
		return Numbers
	}
	return Pictures
}

// KindOf returns what the rows of ds are.
func KindOf(ds Dataset) Kind {
	switch ds := ds.(type) {
	case *array:
		if ds.cells != nil {
			return Columns
		}
		if ds.kind != "" {
			return ds.kind
		}
	case *subset:
		return KindOf(ds.Dataset)
	case *flipped:
		return KindOf(ds.Dataset)
	}
	return KindOfShape(ds.Shape())
}

// LikelihoodOf describes what suits the numbers of a row of ds, as the configuration key likelihood
// does; "" for numbers that are nothing but real.
func LikelihoodOf(ds Dataset) string {
	if s := SchemaOf(ds); s != nil {
		return s.Likelihood()
	}
	return ""
}
