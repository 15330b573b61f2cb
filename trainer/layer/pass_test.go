package layer_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
)

// numbers are what rows go through a layer with.
type numbers struct {
	x     [][]float32
	p, dy []float32
}

// results are what comes out of it; the gradients by parameters are summed over all rows.
type results struct {
	y    []float32
	dx   [][]float32
	grad []float32
}

// same compares bits. What want lacks is not compared.
func (r results) same(t *testing.T, what string, want results) {
	t.Helper()
	compare := func(name string, got, want []float32) {
		if got == nil || want == nil {
			return
		}
		if !sameBits(got, want) {
			t.Errorf("%s: other bits of %s", what, name)
		}
	}
	compare("y", r.y, want.y)
	for k := range min(len(r.dx), len(want.dx)) {
		compare(fmt.Sprint("dx", k), r.dx[k], want.dx[k])
	}
	compare("the gradient by the parameters", r.grad, want.grad)
}

func sameBits(x, y []float32) bool {
	return slices.EqualFunc(x, y, func(a, b float32) bool {
		return math.Float32bits(a) == math.Float32bits(b)
	})
}

// way is how rows go through a layer.
type way struct {
	products   string
	precision  blas.Precision // "": float32
	wave, tile int            // rows
	reversed   bool           // tiles and tasks are done in the reverse order
	add        bool           // gradients by inputs are added to what is there
	inPlace    bool           // the output and the gradients lie where they may
	frozen     bool           // nobody asks for gradients by inputs
	fixed      bool           // nor for those by parameters
	forward    bool           // rows go forward only; frozen and fixed too

	put func(x []float32) []float32 // lays an array; nil: it stays where it is
}

func (w way) backend(t testing.TB) *blas.Backend {
	t.Helper()
	b, err := blas.Open(w.products)
	if err == nil {
		b, err = b.In(cmp.Or(w.precision, blas.Float32))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// held is what gradients hold before a layer adds to them: a power of two, so that taking it off
// again loses few bits.
const held = 0.5

// gradScale is that of the gradients by parameters: a power of two, by which products are exact.
const gradScale = 0.25

// pass is a layer bound to its parameters, with the arrays of a wave. What nobody has written yet,
// and what nobody may read any more, is NaN.
type pass struct {
	testing.TB
	subject
	way
	from    numbers
	to      results
	memory  layer.Memory
	pair    layer.Pair
	packing []layer.Task
	grads   []layer.GradTask
	now     layer.Wave

	all     layer.Tile // all rows of a wave
	scratch []float32
	tiles   []layer.Tile
}

// run takes all rows forward and back.
func (s subject) run(t *testing.T, v numbers, w way) results {
	t.Helper()
	p := s.newPass(t, v, w)
	n := len(v.x[0]) / s.in[0].Len()
	for first := 0; first < n; first += w.wave {
		p.step(first, min(w.wave, n-first))
	}
	if !w.fixed {
		p.to.grad = slices.Clone(p.now.Grad)
		for i := range p.to.grad {
			p.to.grad[i] /= gradScale
		}
	}
	return p.to
}

func (s subject) newPass(t testing.TB, v numbers, w way) *pass {
	t.Helper()
	p := &pass{TB: t, subject: s, way: w, from: v}
	p.memory = s.layer.Memory(s.in...).With(w.backend(t))
	p.makeArrays()
	backend := w.backend(t)
	values := layer.Values{
		Products: backend, Arena: &memory.Arena{}, P: p.from.p, Rows: w.wave, Grads: !w.fixed,
		AsksX: p.all.DX[0] != nil,
	}
	at := 0
	for _, param := range s.layer.Params(s.in...) {
		values.At = append(values.At, layer.Range{Lo: at, Hi: at + product(param.Shape)})
		at += product(param.Shape)
	}
	if p.memory.KeepsX {
		values.X = p.all.X[0]
	}
	if p.memory.KeepsDY {
		values.DY = p.all.DY
	}
	p.pair = s.layer.Bind(values, s.in...)
	if weighted, ok := p.pair.(layer.Weighted); ok {
		p.packing = weighted.PackTasks()
		if !w.fixed {
			p.grads = weighted.GradTasks(&p.now)
		}
	}
	do(p.packing)
	return p
}

// makeArrays makes those of a wave.
func (p *pass) makeArrays() {
	out, err := p.layer.Out(p.in...)
	if err != nil {
		p.Fatal(err)
	}
	array := func(n int) []float32 {
		x := make([]float32, n)
		fill(x, nan)
		return p.laid(x)
	}
	a := &p.all
	a.Y, a.DY = array(p.wave*out.Len()), array(p.wave*out.Len())
	for k, in := range p.in {
		a.X[k] = array(p.wave * in.Len())
		if !p.frozen && !p.given {
			a.DX[k] = array(p.wave * in.Len())
		}
	}
	read := p.memory.ReadsX && !p.forward || p.memory.KeepsX // after Forward
	if p.inPlace && p.memory.InPlace && !read {
		a.Y = a.X[0]
	}
	if p.inPlace && p.memory.InPlaceBack && !p.memory.KeepsDY {
		a.DX[0] = a.DY
	}
	a.Keep, p.scratch = array(p.wave*p.memory.Keep), array(p.memory.Scratch)
	p.from.p, p.now.Grad = p.laid(p.from.p), array(len(p.from.p))
	p.to.dx = make([][]float32, len(p.in))
}

// laid is x where it should lie.
func (p *pass) laid(x []float32) []float32 {
	if p.put == nil {
		return x
	}
	return p.put(x)
}

// step takes n rows forward and back as a wave.
func (p *pass) step(first, n int) {
	a := &p.all
	p.cut(n)
	fill(a.Y, nan)
	fill(a.Keep, nan)
	for k, in := range p.in {
		copy(a.X[k], p.from.x[k][first*in.Len():(first+n)*in.Len()])
	}
	p.each(p.pair.Forward, p.memory.Spoils || &a.Y[0] == &a.X[0][0])
	y := a.Y[:n*len(a.Y)/p.wave]
	p.to.y = append(p.to.y, y...)
	if p.forward {
		return
	}

	fill(a.Y, nan)
	if !p.memory.ReadsX {
		p.forget()
	}
	copy(a.DY, p.from.dy[first*len(y)/n:])
	p.hold()
	if !p.given {
		p.each(p.pair.Backward, false)
	}
	p.collect(n)

	p.forget()
	if !p.memory.KeepsDY {
		fill(a.DY, nan)
	}
	p.now.Rows, p.now.Scale = n, gradScale
	p.now.First, p.now.Last = first == 0, (first+n)*len(y)/n == len(p.from.dy)
	p.reduce()
}

// reduce runs the gradient tasks.
func (p *pass) reduce() {
	for _, task := range p.grads {
		task.Run()
	}
}

// forget overwrites the inputs.
func (p *pass) forget() {
	for k, x := range p.all.X {
		if k > 0 || !p.memory.KeepsX {
			fill(x, nan)
		}
	}
}

// hold sets the gradients by inputs to what they hold before.
func (p *pass) hold() {
	for k := range p.in {
		switch dx := p.all.DX[k]; {
		case p.add:
			fill(dx, held)
		case k > 0 || !p.inPlace:
			fill(dx, nan)
		}
	}
}

// collect appends the gradients by the inputs of n rows.
func (p *pass) collect(n int) {
	for k, in := range p.in {
		if p.all.DX[k] == nil {
			continue
		}
		for _, v := range p.all.DX[k][:n*in.Len()] {
			if p.add {
				v -= held
			}
			p.to.dx[k] = append(p.to.dx[k], v)
		}
	}
}

// cut makes tiles of n rows.
func (p *pass) cut(n int) {
	p.tiles = p.tiles[:0]
	for lo := 0; lo < n; lo += p.tile {
		hi := min(lo+p.tile, n)
		rows := func(x []float32) []float32 {
			if x == nil {
				return nil
			}
			width := len(x) / p.wave
			return x[lo*width : hi*width]
		}
		tile := layer.Tile{
			First: lo, N: hi - lo, Y: rows(p.all.Y), DY: rows(p.all.DY), Keep: rows(p.all.Keep),
			Scratch: p.scratch,
		}
		for k := range p.in {
			tile.X[k], tile.DX[k], tile.Add[k] = rows(p.all.X[k]), rows(p.all.DX[k]), p.add
		}
		p.tiles = append(p.tiles, tile)
	}
	if p.reversed {
		slices.Reverse(p.tiles)
	}
}

// each calls f with all tiles. It may overwrite the first input if spoils is set; otherwise, the
// inputs must stay what they are, for other layers that read them.
func (p *pass) each(f func(*layer.Tile), spoils bool) {
	p.Helper()
	before := p.all.X
	for k, x := range before {
		before[k] = slices.Clone(x)
	}
	for i := range p.tiles {
		fill(p.scratch, nan)
		f(&p.tiles[i])
	}
	for k, x := range before {
		if !(k == 0 && spoils) && !sameBits(p.all.X[k], x) {
			p.Errorf("%+v: input %d is overwritten", p.way, k)
		}
	}
}
