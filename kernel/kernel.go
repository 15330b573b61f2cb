// Package kernel holds the loops over float32 that, apart from matrix products, take the time of
// training and sampling: noise and the Langevin moves, biases and activations, affine maps of
// columns, residuals, sums over rows and columns, optimisers, pixels. They work on the caller's
// slices, allocate nothing and start no goroutines. The tiles of matrix products are here too;
// package blas makes products of them.
//
// Shorter loops stand beside their formulas in plain Go instead, most of them in float64:
//
//   - one number for each row: noise levels, the weights and values of losses (packages diffusion,
//     prior, method), the squared error of a posterior's draws (likelihood);
//   - one for each latent dimension of a row: the bounded log-variances of an encoder (model), its
//     draws and the gradient through them, means and deviations of latents (method), the learned
//     mean of a Gaussian prior and the standardised prior (prior), the steady bound (diffusion),
//     statistics of the cloud (particle), proposals and moments of a posterior (infer);
//   - the softmax of a classifier, and clamping the images it reads (classify);
//   - initial weights, once for each network (model).
//
// Measures of finished samples have loops of their own (metric, pca).
//
// The exported functions check lengths (a mismatch is a programming error and panics) and call the
// implementation that [Info] names, chosen once from what the CPU can do: assembly for AVX-512,
// AVX2 with FMA, and NEON, or the generic one in plain Go, which is written to be read and is the
// reference for all others. That choice belongs to the process, unlike the choice of a backend in
// package blas, because it changes no bits. Matrices are row-major; "row" arguments hold one number
// per row.
//
// Every function gives the same bits on every path: each comment is the loop it computes, with
// fma(x, y, z) = x*y + z rounded once and all other operations rounded one by one in the order
// written; division and square root are exact to half an ulp. Sums over a row (|x|^2) have one
// order too: sixteen interleaved partial sums (element i goes to partial i mod 16) by fma, folded
// in halves (16 to 8 to 4 to 2 to 1); rows longer than [MaxRow] are summed in pieces of that
// length, in order. NaN and infinities propagate as IEEE arithmetic does, unless a function says
// otherwise, but the sign and payload of a NaN are not specified; denormals are kept. Arguments
// that are written may not overlap others in part; where one may be another, the comment says so.
package kernel

import "iter"

const (
	errLen   = "kernel: slice lengths do not match"
	errWidth = "kernel: length is not a multiple of the row width"
	errRow   = "kernel: a row is longer than MaxRow"
)

// MaxRow is the longest row of the functions that draw noise for rows, and the most elements that
// one call of assembly handles, since the scheduler cannot interrupt it.
const MaxRow = 1 << 16

func check(ok bool) {
	if !ok {
		panic(errLen)
	}
}

func rows(n, width int) int {
	if width <= 0 || n%width != 0 {
		panic(errWidth)
	}
	return n / width
}

// pieces cuts n elements into ranges for single calls.
func pieces(n int) iter.Seq2[int, int] {
	return func(yield func(lo, hi int) bool) {
		for lo := 0; lo < n; lo += MaxRow {
			if !yield(lo, min(n, lo+MaxRow)) {
				return
			}
		}
	}
}

// checkGrid checks rows of d numbers that lie ld apart in each array.
func checkGrid(rows, ld, d int, arrays ...[]float32) {
	checkRow(d)
	check(rows >= 0 && d >= 0 && (rows < 2 || ld >= d))
	for _, x := range arrays {
		check(rows == 0 || len(x) >= (rows-1)*ld+d)
	}
}

// strips cuts rows of d numbers into ranges for single calls.
func strips(rows, d int) iter.Seq2[int, int] {
	step := MaxRow / max(1, d)
	return func(yield func(lo, hi int) bool) {
		for lo := 0; lo < rows; lo += step {
			if !yield(lo, min(rows, lo+step)) {
				return
			}
		}
	}
}

// tile is a contiguous part of a matrix with d columns: rows lo to hi, columns left to right. It
// has several rows only if it has all columns.
type tile struct{ lo, hi, left, right, d int }

func (t tile) of(x []float32) []float32   { return x[t.lo*t.d+t.left : (t.hi-1)*t.d+t.right] }
func (t tile) rows(x []float32) []float32 { return x[t.lo:t.hi] }
func (t tile) cols(x []float32) []float32 { return x[t.left:t.right] }
func (t tile) width() int                 { return t.right - t.left }

// sum lets f write one number per row into dst, its sum over the tile's columns, and adds the sum
// over the columns to the left.
func (t tile) sum(dst []float32, f func(dst []float32)) {
	if t.left == 0 {
		f(t.rows(dst))
		return
	}
	before := dst[t.lo]
	f(t.rows(dst))
	dst[t.lo] = before + dst[t.lo]
}

// tiles cuts a matrix of n rows for single calls: into ranges of whole rows, or, where rows are too
// long for one call, into pieces of each.
func tiles(n, d int) iter.Seq[tile] {
	return func(yield func(tile) bool) {
		if d <= MaxRow {
			step := MaxRow / max(1, d)
			for lo := 0; lo < n; lo += step {
				if !yield(tile{lo, min(n, lo+step), 0, d, d}) {
					return
				}
			}
			return
		}
		for i := range n {
			for left, right := range pieces(d) {
				if !yield(tile{i, i + 1, left, right, d}) {
					return
				}
			}
		}
	}
}
