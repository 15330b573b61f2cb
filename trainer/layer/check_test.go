package layer_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/internal/guard"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
)

// subject is a layer under test: with the shapes of its inputs, and the output of a row in float64,
// of parameters and of the inputs' rows. Every layer passes check.
type subject struct {
	layer layer.Layer
	in    []layer.Shape
	row   func(p reference.Params, x [][]float64) []float64
	given bool // the layer has no gradient by its inputs
}

func (s subject) String() string { return fmt.Sprintf("%T%+v of %v", s.layer, s.layer, s.in) }

// numbers returns inputs, parameters and a gradient by the output for n rows.
func (s subject) numbers(n int) numbers {
	var v numbers
	for k, in := range s.in {
		v.x = append(v.x, reference.Normals(n*in.Len(), uint64(10+k), 1))
	}
	size := 0
	for _, p := range s.layer.Params(s.in...) {
		size += product(p.Shape)
	}
	v.p = reference.Normals(size, 1, 0.5)
	out, _ := s.layer.Out(s.in...)
	v.dy = reference.Normals(n*out.Len(), 2, 1)
	return v
}

func product(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// rows is how many a layer is checked with: they make waves and tiles of unequal sizes.
const rows = 5

// check compares a layer with its reference, and shows what every layer promises.
func check(t *testing.T, subjects ...subject) {
	for _, s := range subjects {
		t.Run(s.String(), func(t *testing.T) {
			for _, products := range blas.Available() {
				t.Run(products, func(t *testing.T) {
					s.checkNumbers(t, products)
					s.checkWays(t, products)
				})
			}
			s.checkAlone(t)
			s.checkBlocks(t)
			s.checkAllocations(t)
			s.checkFences(t)
		})
	}
}

// checkNumbers compares values with the reference, and gradients with its central differences,
// which are good to 1e-9.
func (s subject) checkNumbers(t *testing.T, products string) {
	v := s.numbers(rows)
	y, dx, grad := s.differences(v)
	for _, add := range []bool{false, true} {
		got := s.run(t, v, way{products: products, wave: rows, tile: 2, add: add})
		valueTolerance.Compare(t, "y", got.y, y, nil)
		for k := range got.dx {
			if s.given {
				continue
			}
			gradientTolerance.Compare(t, fmt.Sprint("dx", k), got.dx[k], dx[k], nil)
		}
		at := 0
		for _, p := range s.layer.Params(s.in...) {
			end := at + product(p.Shape)
			gradientTolerance.Compare(t, "d"+p.Name, got.grad[at:end], grad[at:end], nil)
			at = end
		}
	}
}

// differences returns what the reference says of all rows.
func (s subject) differences(v numbers) (y []float64, dx [][]float64, grad []float64) {
	p, dy := reference.Wide(v.p), reference.Wide(v.dy)
	row := func(i int, x [][]float64) []float64 { return s.row(s.params(p), x) }
	loss := func(i int, x [][]float64) (sum float64) {
		out := row(i, x)
		for j, v := range out {
			sum += dy[i*len(out)+j] * v
		}
		return sum
	}
	inputs := make([][][]float64, rows)
	dx = make([][]float64, len(s.in))
	for i := range rows {
		for k, in := range s.in {
			inputs[i] = append(inputs[i], reference.Wide(v.x[k][i*in.Len():(i+1)*in.Len()]))
		}
		y = append(y, row(i, inputs[i])...)
		for k, x := range inputs[i] {
			g := reference.Gradient(func([]float64) float64 { return loss(i, inputs[i]) }, x)
			dx[k] = append(dx[k], g...)
		}
	}
	grad = reference.Gradient(func([]float64) (sum float64) {
		for i := range rows {
			sum += loss(i, inputs[i])
		}
		return sum
	}, p)
	return y, dx, grad
}

// params names the parts of p.
func (s subject) params(p []float64) reference.Params {
	views, at := map[string][]float64{}, 0
	for _, param := range s.layer.Params(s.in...) {
		end := at + product(param.Shape)
		views[param.Name], at = p[at:end], end
	}
	return func(name string) []float64 { return views[name] }
}

// checkWays shows that neither the cuts into tiles and waves nor where arrays lie show in the bits,
// unless the products say otherwise.
func (s subject) checkWays(t *testing.T, products string) {
	v := s.numbers(rows)
	whole := way{products: products, wave: rows, tile: rows}
	want := s.run(t, v, whole)
	cut := []way{
		{wave: rows, tile: 1}, {wave: rows, tile: 2, reversed: true}, {wave: 3, tile: 2},
		{wave: 2, tile: 2, reversed: true}, {wave: 1, tile: 1},
	}
	laid := []way{
		{wave: rows, tile: rows, inPlace: true}, {wave: rows, tile: rows, frozen: true},
		{wave: rows, tile: rows, fixed: true},
		{wave: rows, tile: rows, inPlace: true, forward: true, frozen: true, fixed: true},
	}
	backend, err := blas.Open(products)
	if err != nil {
		t.Fatal(err)
	}
	if !backend.CutFree() {
		cut = nil
	}
	for _, w := range slices.Concat(cut, laid) {
		w.products = products
		s.run(t, v, w).same(t, fmt.Sprintf("%+v", w), want)
	}
}

// checkAlone shows that a row has the same bits alone as among others, whatever those hold.
func (s subject) checkAlone(t *testing.T) {
	v := s.numbers(rows)
	all := s.run(t, v, way{products: "native", wave: rows, tile: rows})
	const i = 3
	one := numbers{p: v.p, dy: row(v.dy, i)}
	for _, x := range v.x {
		one.x = append(one.x, row(x, i))
	}
	want := results{y: row(all.y, i)}
	for _, dx := range all.dx {
		want.dx = append(want.dx, row(dx, i))
	}
	s.run(t, one, way{products: "native", wave: 1, tile: 1, fixed: true}).same(t, "alone", want)

	poisoned := numbers{p: v.p, dy: slices.Clone(v.dy)}
	fill(row(poisoned.dy, 0), nan)
	for _, x := range v.x {
		x = slices.Clone(x)
		fill(row(x, 0), nan)
		poisoned.x = append(poisoned.x, x)
	}
	got := s.run(t, poisoned, way{products: "native", wave: rows, tile: rows})
	got.grad = nil
	got.y = row(got.y, i)
	for k := range got.dx {
		got.dx[k] = row(got.dx[k], i)
	}
	got.same(t, "beside a row of NaN", want)
}

// row is row i of all rows.
func row(x []float32, i int) []float32 { return x[len(x)/rows*i : len(x)/rows*(i+1)] }

// checkAllocations shows that a step does not allocate.
func (s subject) checkAllocations(t *testing.T) {
	p := s.newPass(t, s.numbers(rows), way{products: "native", wave: rows, tile: rows})
	p.step(0, rows) // whatever is made at first
	steps := map[string]func(){
		"packing":       func() { do(p.packing) },
		"forward":       func() { p.pair.Forward(&p.tiles[0]) },
		"backward":      func() { p.pair.Backward(&p.tiles[0]) },
		"the gradients": p.reduce,
	}
	for name, step := range steps {
		if name == "backward" && s.given {
			continue
		}
		// Of ten runs, so that an allocation of the runtime's own does not count.
		if n := testing.AllocsPerRun(10, step); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func do(tasks []layer.Task) {
	for _, task := range tasks {
		task.Do()
	}
}

// checkBlocks shows that each gradient task writes the blocks that it lists and nothing else, and
// that every parameter is in one block of one task.
func (s subject) checkBlocks(t *testing.T) {
	p := s.newPass(t, s.numbers(rows), way{products: "native", wave: rows, tile: rows})
	p.step(0, rows)
	written := make([]int, len(p.now.Grad))
	for _, task := range p.grads {
		fill(p.now.Grad, nan)
		task.Run()
		listed := make([]bool, len(written))
		for _, b := range task.Writes {
			for lo, hi := range b.Runs() {
				for i := lo; i < hi; i++ {
					written[i]++
					listed[i] = true
				}
			}
		}
		for i, v := range p.now.Grad {
			if listed[i] == (v != v) {
				t.Fatalf("parameter %d: listed %v, written %v", i, listed[i], v == v)
			}
		}
	}
	for i, n := range written {
		if n != 1 {
			t.Fatalf("parameter %d is in %d blocks, want one", i, n)
		}
	}
}

// checkFences shows that nothing beside the arrays is touched.
func (s subject) checkFences(t *testing.T) {
	f := guard.NewFence(t, 3*layer.MaxInputs+9, 1<<13)
	v := s.numbers(rows)
	for _, w := range []way{
		{wave: rows, tile: rows}, {wave: rows, tile: rows, inPlace: true}, {wave: 1, tile: 1},
	} {
		for _, atEnd := range []bool{true, false} {
			w.products = "native"
			w.put = func(x []float32) []float32 { return f.Put(x, atEnd) }
			f.Clear()
			if err := f.Try(func() { s.run(t, v, w) }); err != nil {
				t.Errorf("%+v, arrays at the end %v: %v", w, atEnd, err)
			}
		}
	}
}

var nan = float32(math.NaN())

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
