package data

import "fmt"

// Table is a data set of rows of D > 0 numbers, which are used as pixels without conversion. It has
// no labels.
type Table struct {
	D int
	X []float32 // M x D
}

// Validate returns an error unless D is positive and X holds whole rows.
func (t Table) Validate() error {
	if t.D < 1 {
		return fmt.Errorf("table with rows of D = %d numbers: expected at least 1", t.D)
	}
	if len(t.X)%t.D != 0 {
		return fmt.Errorf("table of %d numbers: expected whole rows of D = %d", len(t.X), t.D)
	}
	return nil
}

// Name implements Dataset.
func (t Table) Name() string { return "table" }

// Len implements Dataset.
func (t Table) Len() int { return len(t.X) / t.D }

// Shape implements Dataset.
func (t Table) Shape() Shape { return Shape{H: 1, W: t.D, C: 1} }

// Label implements Dataset.
func (t Table) Label(int) int { return -1 }

// Origin implements Dataset.
func (t Table) Origin(i int) Origin { return Origin{Row: i} }

// Gather implements Dataset.
func (t Table) Gather(dst []float32, idx []int) {
	checkGather(dst, idx, t.D)
	for i, m := range idx {
		copy(dst[i*t.D:(i+1)*t.D], t.X[m*t.D:(m+1)*t.D])
	}
}
