package bench

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/method"
)

var layersFlag = flag.Bool("layers", false, "BenchmarkProducts measures each layer by itself")

// BenchmarkGemm is a square product on one core.
func BenchmarkGemm(b *testing.B) {
	for _, n := range []int{512, 1024} {
		b.Run(fmt.Sprintf("size=%d", n), func(b *testing.B) {
			x := matrix(n, n, 1)
			y, z := matrix(n, n, 2), matrix(n, n, 3)
			benchmarkProduct(
				b, 2*float64(n)*float64(n)*float64(n),
				func() { blas.Default().Gemm(blas.N, blas.N, 1, x.Left(), y, 0, z) },
			)
		})
	}
}

// pass is one of the three products of a layer.
type pass struct {
	name    string
	prepare func(l layer, rows int) (product func())
}

// passes go over the rows of a tile forward and back to the layer's input, and over all rows for
// the gradient of its weights.
var passes = []pass{
	{"forward", func(l layer, rows int) func() {
		x, w, y := matrix(rows, l.in, 1), matrix(l.in, l.out, 2), matrix(rows, l.out, 3)
		return byTiles(rows, func(lo, hi int) {
			blas.Default().Gemm(blas.N, blas.N, 1, cut(x, lo, hi).Left(), w, 0, cut(y, lo, hi))
		})
	}},
	{"backward", func(l layer, rows int) func() {
		dy, w, dx := matrix(rows, l.out, 1), matrix(l.in, l.out, 2), matrix(rows, l.in, 3)
		return byTiles(rows, func(lo, hi int) {
			blas.Default().Gemm(blas.N, blas.T, 1, cut(dy, lo, hi).Left(), w, 0, cut(dx, lo, hi))
		})
	}},
	{"weights", func(l layer, rows int) func() {
		x, dy, dw := matrix(rows, l.in, 1), matrix(rows, l.out, 2), matrix(l.in, l.out, 3)
		return func() { blas.Default().Gemm(blas.T, blas.N, 1, x.Left(), dy, 0, dw) }
	}},
}

func byTiles(rows int, product func(lo, hi int)) func() {
	tile := method.Default().Tile
	return func() {
		for lo := 0; lo < rows; lo += tile {
			product(lo, min(rows, lo+tile))
		}
	}
}

// BenchmarkProducts are the products of a step, as plain products on one core: of all layers, or
// of each by itself if asked.
func BenchmarkProducts(b *testing.B) {
	for _, s := range shapes() {
		for _, p := range passes {
			name := fmt.Sprintf("shape=%s/pass=%s", s.name, p.name)
			if !*layersFlag {
				b.Run(name, func(b *testing.B) { p.benchmark(b, s.layers(), s.rows()) })
				continue
			}
			layers := s.layers()
			slices.SortFunc(layers, func(a, b layer) int {
				return cmp.Or(cmp.Compare(a.in, b.in), cmp.Compare(a.out, b.out))
			})
			for _, l := range slices.Compact(layers) {
				b.Run(
					fmt.Sprintf("%s/layer=%dx%d", name, l.in, l.out),
					func(b *testing.B) { p.benchmark(b, []layer{l}, s.rows()) },
				)
			}
		}
	}
}

func (p pass) benchmark(b *testing.B, layers []layer, rows int) {
	var products []func()
	operations := 0.0
	for _, l := range layers {
		products = append(products, p.prepare(l, rows))
		operations += 2 * float64(l.weights()) * float64(rows)
	}
	benchmarkProduct(b, operations, func() {
		for _, product := range products {
			product()
		}
	})
}

func benchmarkProduct(b *testing.B, operations float64, product func()) {
	eachBackend(b, func(b *testing.B, name string) {
		under(b, name)
		for b.Loop() {
			product()
		}
		reportRate(b, operations, 1)
	})
}

// matrix is rows x cols normals, others for each stream.
func matrix(rows, cols int, stream kernel.Stream) blas.Matrix {
	return blas.Dense(noise(rows*cols, stream), rows, cols)
}

func cut(
	m blas.Matrix, lo, hi int,
) blas.Matrix {
	return blas.Dense(m.Data[lo*m.Cols:], hi-lo, m.Cols)
}
