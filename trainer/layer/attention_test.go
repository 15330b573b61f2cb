package layer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
)

// attention is the layer bound for rows of pixels.
type attention struct {
	pixels, channels, heads, rows int
}

func (a attention) String() string {
	return fmt.Sprintf("%d pixels, %d channels, %d heads", a.pixels, a.channels, a.heads)
}

// tile binds the layer, and gives it random rows.
func (a attention) tile() (layer.Pair, *layer.Tile) {
	l, in := layer.Attention{Heads: a.heads}, layer.Shape{H: 1, W: a.pixels, C: 3 * a.channels}
	pair := l.Bind(layer.Values{
		Products: blas.Default(), Arena: &memory.Arena{}, Rows: a.rows, AsksX: true,
	}, in)
	t := &layer.Tile{
		N: a.rows, Y: make([]float32, a.rows*in.Len()/3),
		DY:      reference.Normals(a.rows*in.Len()/3, 2, 1),
		Scratch: make([]float32, l.Memory(in).Scratch),
	}
	t.X[0] = reference.Normals(a.rows*in.Len(), 1, 1.5) // weights far from uniform
	t.DX[0] = make([]float32, len(t.X[0]))
	return pair, t
}

// row is a tile of row i alone.
func (a attention) row(t *layer.Tile, i int) *layer.Tile {
	n := a.pixels * a.channels
	part := layer.Tile{
		N: 1, Y: t.Y[i*n : (i+1)*n], DY: t.DY[i*n : (i+1)*n], Scratch: t.Scratch, Add: t.Add,
	}
	part.X[0] = t.X[0][i*3*n : (i+1)*3*n]
	part.DX[0] = t.DX[0][i*3*n : (i+1)*3*n]
	return &part
}

// gradient is the gradient of dy*y by a row x, by central differences.
func (a attention) gradient(x, dy []float64) []float64 {
	return reference.Gradient(func(x []float64) (loss float64) {
		for i, y := range reference.Attention(x, a.pixels, a.channels, a.heads) {
			loss += dy[i] * y
		}
		return loss
	}, x)
}

var attentions = []attention{
	{1, 3, 1, 2}, {2, 4, 2, 3}, {7, 6, 3, 3}, {7, 6, 1, 1}, {16, 8, 4, 2}, {16, 20, 2, 1},
	{64, 2, 1, 1}, {64, 3, 3, 1},
	{130, 1, 1, 1}, // more pixels than P has rows at a time
}

// Values and gradients are those of a loop in float64. Float32 rounds by 6e-8 per operation; the
// longest chains are some hundred operations, and the gradient by P cancels to about a tenth.
func TestAttention(t *testing.T) {
	const tolerance = 3e-6
	for _, a := range attentions {
		pair, tile := a.tile()
		pair.Forward(tile)
		pair.Backward(tile)
		for i := range a.rows {
			row := a.row(tile, i)
			x := reference.Wide(row.X[0])
			y := reference.Attention(x, a.pixels, a.channels, a.heads)
			if d := reference.Distance(row.Y, y); !(d <= tolerance) {
				t.Errorf("%v: row %d is off by %.2g", a, i, d)
			}
			dx := a.gradient(x, reference.Wide(row.DY))
			if d := reference.Distance(row.DX[0], dx); !(d <= tolerance) {
				t.Errorf("%v: the gradient by row %d is off by %.2g", a, i, d)
			}
		}
	}
}

// A row has the same bits whether it is alone or not, and a gradient can be added to what is there.
func TestAttentionRows(t *testing.T) {
	for _, a := range attentions {
		pair, tile := a.tile()
		pair.Forward(tile)
		pair.Backward(tile)
		y, dx := slices.Clone(tile.Y), slices.Clone(tile.DX[0])
		clear(tile.Y)
		clear(tile.DX[0])
		tile.Add[0] = true
		for i := range a.rows {
			pair.Forward(a.row(tile, i))
			pair.Backward(a.row(tile, i))
		}
		if !slices.Equal(tile.Y, y) {
			t.Errorf("%v: rows alone have other bits", a)
		}
		pair.Backward(tile)
		for i := range dx {
			dx[i] *= 2
		}
		if d := reference.Distance(tile.DX[0], reference.Wide(dx)); !(d <= 1e-6) {
			t.Errorf("%v: a gradient added to itself is off by %.2g from its double", a, d)
		}
	}
}

func TestAttentionAllocates(t *testing.T) {
	a := attention{150, 6, 2, 3}
	pair, tile := a.tile()
	if n := testing.AllocsPerRun(10, func() { pair.Forward(tile); pair.Backward(tile) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAttentionRefuses(t *testing.T) {
	for _, c := range []struct {
		heads, channels int
		want            string
	}{
		{2, 10, "got 2 x 3 x 10, needs channels for q, k and v: a multiple of 3"},
		{4, 9, "4 heads: needs a number that divides 3 channels"},
		{2, 9, "2 heads: needs a number that divides 3 channels"},
		{0, 9, "0 heads: needs a number that divides 3 channels"},
	} {
		_, err := layer.Attention{Heads: c.heads}.Out(layer.Shape{H: 2, W: 3, C: c.channels})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d heads, %d channels: error %v, expected %q",
				c.heads, c.channels, err, c.want)
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	for _, a := range []attention{{16, 128, 4, 16}, {64, 128, 4, 4}, {256, 128, 4, 1}} {
		pair, tile := a.tile()
		product := float64(2 * a.rows * a.pixels * a.pixels * a.channels)
		for _, way := range []struct {
			name     string
			do       func(t *layer.Tile)
			products float64
		}{{"forward", pair.Forward, 2}, {"backward", pair.Backward, 5}} {
			b.Run(fmt.Sprintf("%d/%s", a.pixels, way.name), func(b *testing.B) {
				for b.Loop() {
					way.do(tile)
				}
				ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
				b.ReportMetric(way.products*product/ns, "GFLOP/s")
			})
		}
	}
}
