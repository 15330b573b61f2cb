package data

// Missing says which numbers of rows of D numbers are not known: At holds a row of D for each row
// of the data, or a single one that is meant for all of them.
type Missing struct {
	D  int
	At []bool

	rows []int // of At, of the rows of a part of the data; nil: all, in their order
}

// Len is the number of rows; 1 may be meant for all.
func (m Missing) Len() int {
	if m.rows != nil {
		return len(m.rows)
	}
	return len(m.At) / m.D
}

// Row returns what is missing of row i.
func (m Missing) Row(i int) []bool {
	switch {
	case len(m.At) == m.D:
		return m.At
	case m.rows != nil:
		i = m.rows[i]
	}
	return m.At[i*m.D : (i+1)*m.D]
}

// KnownIn is how many numbers of row i are known.
func (m Missing) KnownIn(i int) (n int) {
	for _, missing := range m.Row(i) {
		if !missing {
			n++
		}
	}
	return n
}

// Known is the mean number of a row's numbers that are known.
func (m Missing) Known() float64 {
	known := 0
	for i := range m.Len() {
		known += m.KnownIn(i)
	}
	return float64(known) / float64(m.Len())
}

// Any reports whether anything is missing.
func (m Missing) Any() bool { return m.Known() < float64(m.D) }

// Gather copies what is missing of row idx[i] to dst[i*D:(i+1)*D] for all i. It panics unless
// len(dst) = len(idx)*D.
func (m Missing) Gather(dst []bool, idx []int) {
	if len(dst) != len(idx)*m.D {
		panic("data: Gather needs len(dst) = len(idx) * D")
	}
	for i, row := range idx {
		copy(dst[i*m.D:(i+1)*m.D], m.Row(row))
	}
}

// MissingOf returns what is missing of the rows of ds; nil if nothing is. Options.Missing says
// whether values may be.
func MissingOf(ds Dataset) *Missing {
	switch ds := ds.(type) {
	case *array:
		if ds.missing != nil {
			return &Missing{D: ds.shape.Dim(), At: ds.missing}
		}
	case Table:
		if ds.Missing != nil {
			return &Missing{D: ds.D, At: ds.Missing}
		}
	case *subset:
		if all := MissingOf(ds.Dataset); all != nil {
			return all.of(ds.index)
		}
	case *flipped:
		if all := MissingOf(ds.Dataset); all != nil {
			return all.mirrored(ds.Shape())
		}
	}
	return nil
}

// of is what is missing of some of the rows.
func (m Missing) of(index []int) *Missing {
	part := &Missing{D: m.D, At: m.At, rows: index}
	if m.rows != nil {
		part.rows = make([]int, len(index))
		for i, row := range index {
			part.rows[i] = m.rows[row]
		}
	}
	return part
}

// mirrored is what is missing of pictures and of their mirror images after them.
func (m Missing) mirrored(shape Shape) *Missing {
	both := &Missing{D: m.D, At: make([]bool, 2*m.Len()*m.D)}
	for i := range m.Len() {
		row := m.Row(i)
		copy(both.At[i*m.D:], row)
		to := both.At[(m.Len()+i)*m.D:][:m.D]
		copy(to, row)
		mirror(to, shape)
	}
	return both
}

// Both returns what any of the given ones says is missing; nil if all are nil.
func Both(all ...*Missing) (out *Missing) {
	for _, m := range all {
		switch {
		case m == nil:
		case out == nil:
			out = m
		default:
			rows := max(out.Len(), m.Len())
			both := &Missing{D: m.D, At: make([]bool, 0, rows*m.D)}
			for i := range rows {
				both.At = append(both.At, out.Row(i)...)
				for j, missing := range m.Row(i) {
					if missing {
						both.At[i*m.D+j] = true
					}
				}
			}
			out = both
		}
	}
	return out
}

// takeMissing makes the NaN in x zeros, and returns where they were; nil if there were none.
func takeMissing(x []float32) (missing []bool) {
	for i, v := range x {
		if v == v {
			continue
		}
		if missing == nil {
			missing = make([]bool, len(x))
		}
		missing[i], x[i] = true, 0
	}
	return missing
}
