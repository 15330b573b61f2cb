package data

import (
	"math"

	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// readLabels reads the n labels that remain of the file: whole numbers, or -1 for unknown.
func readLabels(s *source, n int, dtype npyfile.Dtype) ([]int32, error) {
	bad, value := -1, 0.0
	labels, err := body(s, n, dtype.Width, func(first int, dst []int32) (int, error) {
		return dtype.Blocks(s.r, len(dst), func(at int, values []float64) {
			for i, v := range values {
				if bad < 0 && !(v >= -1 && v <= math.MaxInt32 && v == math.Trunc(v)) {
					bad, value = first+at+i, v
				}
				if bad < 0 {
					dst[at+i] = int32(v)
				}
			}
		})
	})
	if err == nil && bad >= 0 {
		err = s.fail("holds the label %v at place %d (counted from 0); expected whole numbers "+
			"from 0 to %d, or -1 for unknown",
			value, bad, math.MaxInt32)
	}
	if err != nil {
		return nil, err
	}
	return labels, nil
}
