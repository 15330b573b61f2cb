package data

// Rows is a matrix of M rows of D numbers.
type Rows interface {
	// Len is the number of rows M.
	Len() int
	// Gather copies row idx[i] to dst[i*D:(i+1)*D] for all i. It panics unless len(dst) =
	// len(idx)*D.
	Gather(dst []float32, idx []int)
}

// Range returns lo, lo+1, ..., hi-1, the indices of consecutive rows.
func Range(lo, hi int) []int {
	idx := make([]int, hi-lo)
	for i := range idx {
		idx[i] = lo + i
	}
	return idx
}
