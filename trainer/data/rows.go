package data

// Rows is a list of M rows of D numbers.
type Rows interface {
	// Len is the number of rows M.
	Len() int
	// Gather copies row idx[i] to dst[i*D:(i+1)*D]. It panics unless len(dst) = len(idx)*D.
	Gather(dst []float32, idx []int)
}

// Range is the numbers from lo to hi, the latter exclusive: the indices of consecutive rows.
func Range(lo, hi int) []int {
	idx := make([]int, hi-lo)
	for i := range idx {
		idx[i] = lo + i
	}
	return idx
}
