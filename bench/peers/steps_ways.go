package main

import (
	"strings"

	"github.com/plume-ml/plume/blas"
)

// precisions are those of the comparison. Each has tables of its own, since a product in bf16 is
// less work than one in float32.
var precisions = []blas.Precision{blas.Float32, blas.BF16}

// way is how a side does a work. Those of PyTorch and JAX are listed by their scripts, and begin
// with "bf16-" if the factors of products are bf16. plume's are its precisions.
type way string

// precision is the one of [precisions] in whose tables a way is.
func (w way) precision() blas.Precision {
	if strings.HasPrefix(string(w), string(blas.BF16)) {
		return blas.BF16
	}
	return blas.Float32
}

// byHand says whether a way does not use PyTorch's automatic derivatives.
func (w way) byHand() bool { return strings.Contains(string(w), "by-hand") }

// plumeWays are the ways of a backend that belong to one of the given precisions. bf16x3 is not
// among them, since its sums are close to those of float32, and no other side has it.
func plumeWays(backend string, among []blas.Precision) (list []way) {
	for _, p := range among {
		switch {
		case p == blas.Float32:
			list = append(list, way(p))
		case backend == "native":
			list = append(list, way(blas.BF16), way(blas.BF16Pairs))
		}
	}
	return list
}
