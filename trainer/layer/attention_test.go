package layer_test

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
)

// attention is Attention, one number at a time.
func attention(heads, h, w, c int) subject {
	row := func(_ reference.Params, x [][]float64) []float64 {
		return reference.Attention(x[0], h*w, c, heads)
	}
	in := []layer.Shape{{H: h, W: w, C: 3 * c}}
	return subject{layer: layer.Attention{Heads: heads}, in: in, row: row}
}

func TestAttention(t *testing.T) {
	check(t,
		attention(1, 1, 1, 3), attention(2, 1, 2, 4), attention(3, 1, 7, 6), attention(1, 7, 1, 5),
		attention(4, 4, 4, 8), attention(2, 4, 4, 10), attention(1, 8, 8, 1),
	)
}

// Larger pictures are done a block of queries after the other.
func TestAttentionBlocks(t *testing.T) {
	s := attention(1, 2, 65, 1)
	v := s.numbers(1)
	for i := range v.dy {
		v.dy[i] *= 16 // means over many pixels are small beside what gradients are added to
	}
	got := s.run(t, v, way{products: "native", wave: 1, tile: 1})
	x, dy := reference.Wide(v.x[0]), reference.Wide(v.dy)
	valueTolerance.Compare(t, "y", got.y, s.row(nil, [][]float64{x}), nil)
	want := reference.Gradient(func(x []float64) (loss float64) {
		for i, y := range s.row(nil, [][]float64{x}) {
			loss += dy[i] * y
		}
		return loss
	}, x)
	gradientTolerance.Compare(t, "dx", got.dx[0], want, nil)
	added := s.run(t, v, way{products: "native", wave: 1, tile: 1, add: true})
	gradientTolerance.Compare(t, "dx, added", added.dx[0], want, nil)
}

// positions is Positions, one number at a time.
func positions(in layer.Shape) subject {
	row := func(p reference.Params, x [][]float64) []float64 {
		y := make([]float64, len(x[0]))
		for i, v := range x[0] {
			y[i] = v + p("bias")[i]
		}
		return y
	}
	return subject{layer: layer.Positions{}, in: []layer.Shape{in}, row: row}
}

func TestPositions(t *testing.T) {
	check(t, positions(layer.Shape{H: 3, W: 2, C: 5}), positions(layer.Vector(1)))
}

// scales is Scales, one number at a time.
func scales(dim, n int) subject {
	row := func(p reference.Params, x [][]float64) []float64 {
		y := append([]float64{}, x[0]...)
		for j := range n {
			y = append(y, p("bias")[j])
		}
		return y
	}
	in := []layer.Shape{layer.Vector(dim)}
	return subject{layer: layer.Scales{N: n}, in: in, row: row}
}

func TestScales(t *testing.T) {
	check(t, scales(5, 3), scales(1, 1))
}

func BenchmarkAttention(b *testing.B) {
	for _, side := range []int{4, 8, 16} {
		s := attention(4, side, side, 128)
		rows := max(1, 256/(side*side))
		p := s.newPass(b, s.numbers(rows), way{products: "native", wave: rows, tile: rows})
		p.step(0, rows)
		product := float64(2 * rows * side * side * side * side * 128)
		for k, f := range []func(*layer.Tile){p.pair.Forward, p.pair.Backward} {
			way := []string{"forward", "backward"}[k]
			b.Run(fmt.Sprintf("%d pixels/%s", side*side, way), func(b *testing.B) {
				for b.Loop() {
					f(&p.tiles[0])
				}
				ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
				b.ReportMetric([]float64{2, 5}[k]*product/ns, "GFLOP/s")
			})
		}
	}
}
