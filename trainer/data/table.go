package data

import "fmt"

// Table is a data set of rows of D > 0 numbers, which are used as pixels without conversion.
type Table struct {
	D      int
	X      []float32 // M x D
	Labels []int32   // label of each row, -1 if unknown; nil: all unknown
	// Missing are the numbers that are not known, M x D, and may be any finite ones in X; nil:
	// none.
	Missing []bool
}

// Validate returns an error unless D is positive, X holds whole rows, and there are no labels or
// one for each row.
func (t Table) Validate() error {
	if t.D < 1 {
		return fmt.Errorf("table with rows of D = %d numbers: expected at least 1", t.D)
	}
	if len(t.X)%t.D != 0 {
		return fmt.Errorf("table of %d numbers: expected whole rows of D = %d", len(t.X), t.D)
	}
	if t.Missing != nil && len(t.Missing) != len(t.X) {
		return fmt.Errorf("table that says of %d numbers whether they are missing, and has %d: "+
			"expected as many, or none", len(t.Missing), len(t.X))
	}
	if t.Labels != nil && len(t.Labels) != t.Len() {
		return fmt.Errorf("table with %d labels for %d rows: expected one for each, or none",
			len(t.Labels), t.Len())
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
func (t Table) Label(i int) int {
	if t.Labels == nil {
		return -1
	}
	return int(t.Labels[i])
}

// Origin implements Dataset.
func (t Table) Origin(i int) Origin { return Origin{Row: i} }

// Gather implements Dataset.
func (t Table) Gather(dst []float32, idx []int) {
	checkGather(dst, idx, t.D)
	for i, m := range idx {
		copy(dst[i*t.D:(i+1)*t.D], t.X[m*t.D:(m+1)*t.D])
	}
}
