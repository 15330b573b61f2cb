package data

// Missing says which numbers of rows of D numbers are not known: At holds a row of D for each row
// of the data, or a single one that is meant for all of them.
type Missing struct {
	D  int
	At []bool
}

// Len is the number of rows of At.
func (m Missing) Len() int { return len(m.At) / m.D }

// Row returns what is missing of row i.
func (m Missing) Row(i int) []bool {
	if len(m.At) == m.D {
		return m.At
	}
	return m.At[i*m.D : (i+1)*m.D]
}

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
			return &Missing{ds.shape.Dim(), ds.missing}
		}
	case *subset:
		if all := MissingOf(ds.Dataset); all != nil {
			part := &Missing{all.D, make([]bool, len(ds.index)*all.D)}
			all.Gather(part.At, ds.index)
			return part
		}
	}
	return nil
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
			both := &Missing{m.D, make([]bool, 0, rows*m.D)}
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
