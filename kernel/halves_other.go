//go:build !amd64

package kernel

func roundHalves(dst []float32, rs, gs int, src []float32, ld, cols, rows int, alpha float32) {
	roundHalvesGeneric(dst, rs, gs, src, ld, cols, rows, alpha)
}

func interleavePairs(dst []float32, width int, x, y []float32, ld, cols, rows int, alpha float32) {
	interleavePairsGeneric(dst, width, x, y, ld, cols, rows, alpha)
}

func transposeWords(dst []float32, width int, src []float32, ld, n int) {
	transposeGeneric(dst, width, src, ld, n)
}

func interleaveHalves(dst, src []float32, rs, pairs int) {
	interleaveHalvesGeneric(dst, src, rs, pairs)
}
