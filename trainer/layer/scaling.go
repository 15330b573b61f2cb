package layer

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// scaling is the map A[c] u + B[c] of the channels of a row at the end of a norm:
//
//	A = (1 + s)(1 + scale),    B = (1 + s) shift + t.
//
// scale and shift are parameters, which start at zero. A second input of 2 C numbers a row
// modulates: s is its first half, t its second. What a layer lacks of these is zero. For the sums
// over pixels G of the gradient g by the map's output, and H of g u,
//
//	dscale = (1 + s) H,  dshift = (1 + s) G,  ds = (1 + scale) H + shift G,  dt = G.
type scaling struct {
	values    Values
	channels  int
	modulated bool
	sums      []float32 // dscale and dshift of each row of a wave
}

// newScaling binds a scaling to as many parameters as v has, 1 or 2.
func newScaling(v Values, in []Shape) scaling {
	s := scaling{values: v, channels: in[0].C, modulated: len(in) == 2}
	if v.Grads {
		s.sums = v.Arena.Floats(memory.Activations, v.Rows, len(v.At)*s.channels)
	}
	return s
}

// scalable returns an error unless there is one input, or a second one that modulates it.
func scalable(in []Shape) error {
	switch len(in) {
	case 1:
		return one(in)
	case 2:
		return perChannel(in, 2)
	}
	return fmt.Errorf("got %d inputs, needs 1 or 2", len(in))
}

// perChannel returns an error unless there are two inputs, of which the second is a vector of n
// numbers for each channel of the first.
func perChannel(in []Shape, n int) error {
	if err := inputs(in, 2); err != nil {
		return err
	}
	if want := Vector(n * in[0].C); in[1] != want {
		return fmt.Errorf("got %v and %v, needs a second input of %v", in[0], in[1], want)
	}
	return nil
}

// vectors are scratch memory for a number of each channel.
type vectors struct {
	a, b        []float32 // A and B
	m           []float32 // 1 + s
	g, h        []float32 // G and H
	w           []float32 // whatever
	ones, zeros []float32
}

// vectorsLen is how many vectors there are.
const vectorsLen = 8

// newVectors takes vectors from the start of scratch memory, and returns the rest of it.
func newVectors(scratch []float32, channels int) (v vectors, rest []float32) {
	for _, x := range []*[]float32{&v.a, &v.b, &v.m, &v.g, &v.h, &v.w, &v.ones, &v.zeros} {
		*x, scratch = scratch[:channels], scratch[channels:]
	}
	fill(v.ones, 1)
	clear(v.zeros)
	return v, scratch
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// param returns parameter k, or other if the layer lacks it.
func (s *scaling) param(k int, other []float32) []float32 {
	if k >= len(s.values.At) {
		return other
	}
	return s.values.Param(k).Of(s.values.P)
}

// set computes A and B for row i of a tile.
func (s *scaling) set(v *vectors, t *Tile, i int) {
	by, to := v.zeros, v.zeros
	if s.modulated {
		by, to = halves(part(t.X[1], i, 2*s.channels))
	}
	kernel.Affine(v.m, by, v.ones, v.ones)
	kernel.Affine(v.a, s.param(0, v.zeros), v.m, v.m)
	kernel.Affine(v.b, s.param(1, v.zeros), v.m, to)
}

// gradients takes the sums G and H of row i of a tile, for which A and B were set last, to the
// gradients by the parameters and by the second input. It needs B's memory.
func (s *scaling) gradients(v *vectors, t *Tile, i int) {
	if s.sums != nil {
		d := part(s.sums, t.First+i, len(s.values.At)*s.channels)
		for k, sum := range [][]float32{v.h, v.g}[:len(s.values.At)] {
			kernel.Affine(part(d, k, s.channels), sum, v.m, v.zeros)
		}
	}
	if t.DX[1] != nil {
		by, to := halves(part(t.DX[1], i, 2*s.channels))
		kernel.Affine(v.b, s.param(0, v.zeros), v.h, v.h)
		kernel.Affine(v.w, s.param(1, v.zeros), v.g, v.b)
		move(by, v.w, t.Add[1])
		move(to, v.g, t.Add[1])
	}
}

// PackTasks implements Weighted: nothing is packed.
func (s *scaling) PackTasks() []Task { return nil }

// GradTasks implements Weighted.
func (s *scaling) GradTasks(w *Wave) []GradTask {
	width := len(s.values.At) * s.channels
	task := Task{float64(s.values.Rows * width), func() {
		for k, at := range s.values.At {
			w.columns(at.Of(w.Grad), s.sums[k*s.channels:], width, 1)
		}
	}}
	var writes []memory.Block
	for _, at := range s.values.At {
		writes = append(writes, at.Block())
	}
	return []GradTask{{Task: task, Writes: writes}}
}

// part is row i of rows of n numbers.
func part(x []float32, i, n int) []float32 { return x[i*n : (i+1)*n] }

// halves cuts an array in two.
func halves(x []float32) (first, second []float32) { return x[:len(x)/2], x[len(x)/2:] }
