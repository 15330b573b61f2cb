package data

// Table is a data set of rows of D > 0 numbers, which are used as pixels without conversion. It has
// no labels.
type Table struct {
	D int
	X []float32 // M x D
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
