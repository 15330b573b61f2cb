package layer_test

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// goldenPass is the arrays of a case on its way through a layer, with all rows, and the layer bound
// to those of a wave.
type goldenPass struct {
	*golden
	way
	x, dx [layer.MaxInputs][]float32
	y, dy []float32
	grad  []float32

	pair    layer.Pair
	tasks   []layer.Task // the gradients by the parameters
	now     layer.Wave
	waveX   []float32 // what gradients by parameters read
	waveDY  []float32
	keep    []float32
	scratch []float32
}

func newGoldenPass(t *testing.T, g *golden, products *blas.Backend, w way) *goldenPass {
	p := &goldenPass{golden: g, way: w}
	for i := range g.in {
		p.x[i] = g.numbers(t, fmt.Sprintf("x%d", i))
		if name := fmt.Sprintf("%s/dx%d", g.name, i); g.file.Has(name) && !w.frozen {
			p.dx[i] = make([]float32, len(p.x[i]))
		}
	}
	p.dy = g.numbers(t, "dy")
	p.y, p.grad = make([]float32, len(p.dy)), make([]float32, len(g.p))
	p.waveX = make([]float32, w.wave*g.in[0].Len())
	p.waveDY = make([]float32, w.wave*g.out.Len())
	p.keep, p.scratch = make([]float32, w.wave*g.memory.Keep), make([]float32, g.memory.Scratch)
	for i := range p.grad {
		p.grad[i] = 1e6 // a first wave must not read this
	}
	p.pair = g.layer.Bind(layer.Values{
		Products: products, P: g.p, At: g.at, Rows: w.wave, Grads: true, AsksX: !w.frozen,
		X: p.waveX, DY: p.waveDY,
	}, g.in...)
	if weighted, ok := p.pair.(layer.Weighted); ok && len(g.params) > 0 {
		for _, task := range weighted.PackTasks() {
			task.Do()
		}
		p.tasks = weighted.GradTasks(&p.now)
	}
	return p
}

// wave takes the rows from first on forward and back.
func (p *goldenPass) wave(first, rows int) {
	for lo := 0; lo < rows; lo += p.tile {
		p.tileOf(first, lo, min(p.tile, rows-lo))
	}
	p.now = layer.Wave{
		Rows: rows, First: first == 0, Last: first+rows == p.rows, Scale: 1, Grad: p.grad,
	}
	for _, task := range p.tasks {
		task.Do()
	}
}

// tileOf takes n rows from row lo of a wave on.
func (p *goldenPass) tileOf(first, lo, n int) {
	at := first + lo
	t := layer.Tile{
		First: lo, N: n, Y: rowsOf(p.y, at, n, p.out), Scratch: p.scratch,
		Keep: p.keep[lo*p.memory.Keep : (lo+n)*p.memory.Keep],
	}
	t.X[0] = rowsOf(p.waveX, lo, n, p.in[0])
	t.DY = rowsOf(p.waveDY, lo, n, p.out)
	copy(t.X[0], rowsOf(p.x[0], at, n, p.in[0]))
	for i := 1; i < len(p.in); i++ {
		t.X[i] = rowsOf(p.x[i], at, n, p.in[i])
	}
	y := t.Y
	if p.inPlace && p.memory.InPlace && !p.memory.ReadsX {
		t.Y = t.X[0]
	}
	p.pair.Forward(&t)
	copy(y, t.Y)
	copy(t.DY, rowsOf(p.dy, at, n, p.out))
	p.back(&t, at)
}

// held is what the gradients hold before a layer adds to them: a power of two, so that taking it
// off again loses few bits.
const held = 0.5

func (p *goldenPass) back(t *layer.Tile, at int) {
	for i, dx := range p.dx {
		if dx == nil {
			continue
		}
		t.DX[i], t.Add[i] = rowsOf(dx, at, t.N, p.in[i]), p.add
		for j := range t.DX[i] {
			t.DX[i][j] = held
		}
	}
	dx := t.DX[0]
	if p.inPlace && p.memory.InPlaceBack {
		t.DX[0] = t.DY
	}
	p.pair.Backward(t)
	copy(dx, t.DX[0])
	for i := range t.DX {
		for j := range t.DX[i] {
			if p.add {
				t.DX[i][j] -= held
			}
		}
	}
}

// rowsOf is n rows of the given shape, from row i on.
func rowsOf(x []float32, i, n int, s layer.Shape) []float32 {
	return x[i*s.Len() : (i+n)*s.Len()]
}
