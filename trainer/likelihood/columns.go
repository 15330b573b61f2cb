package likelihood

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/suggest"
)

// Kind is the distribution of a column given its latent.
type Kind string

// The kinds.
const (
	Normal      Kind = "normal"      // a number, N(mean, scale^2) with a scale of the column
	Bernoulli   Kind = "bernoulli"   // 0 or 1
	Categorical Kind = "categorical" // one of K, as K numbers of which one is 1 and the others 0
)

// kinds are their names.
var kinds = []string{string(Normal), string(Bernoulli), string(Categorical)}

// Column is a column of a table, or successive columns of one kind: N normal or Bernoulli ones, or
// a single categorical one of N categories. In a row it is N numbers.
type Column struct {
	Kind Kind
	N    int
}

// Columns are the columns of a table, in the order of the numbers of a row.
type Columns []Column

// maxColumns limits the numbers of a row.
const maxColumns = 1 << 24

// ParseColumns reads the form of String. The error says which part is wrong.
func ParseColumns(text string) (Columns, error) {
	var all Columns
	dim := 0
	for part := range strings.SplitSeq(text, ",") {
		name, count, counted := strings.Cut(strings.TrimSpace(part), ":")
		c := Column{Kind(name), 1}
		if !slices.Contains(kinds, name) {
			return nil, fmt.Errorf("column %q: expected one of %s%s", part,
				strings.Join(kinds, ", "), suggest.DidYouMean(name, kinds))
		}
		if counted {
			n, err := strconv.Atoi(count)
			if err != nil || n < 1 || n > maxColumns {
				return nil, fmt.Errorf("column %q: expected a number from 1 to %d after the colon",
					part, maxColumns)
			}
			c.N = n
		}
		if c.Kind == Categorical && c.N < 2 {
			return nil, fmt.Errorf("column %q: expected 2 categories or more, such as "+
				"categorical:3", part)
		}
		if dim += c.N; dim > maxColumns {
			return nil, fmt.Errorf("columns of more than %d numbers: expected fewer", maxColumns)
		}
		all = append(all, c)
	}
	return all, nil
}

// String is the columns in their order, separated by commas: normal:4,bernoulli,categorical:3.
// Normal and Bernoulli columns that follow each other are counted after a colon, and a categorical
// one has its number of categories there.
func (c Columns) String() string {
	var parts []string
	for _, col := range c {
		part := string(col.Kind)
		if col.N > 1 {
			part += ":" + strconv.Itoa(col.N)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

// Dim is the number D of numbers in a row.
func (c Columns) Dim() (n int) {
	for _, col := range c {
		n += col.N
	}
	return n
}

// Normals is the number of normal columns, each of which has a scale.
func (c Columns) Normals() (n int) {
	for _, col := range c {
		if col.Kind == Normal {
			n += col.N
		}
	}
	return n
}
