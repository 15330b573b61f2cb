package layer

import (
	"fmt"

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

// newScaling binds a scaling to as many parameters as v has, of 0 to 2.
func newScaling(v Values, in []Shape) scaling {
	s := scaling{values: v, channels: in[0].C, modulated: len(in) == 2}
	if v.Grads && len(v.At) > 0 {
		s.sums = v.Arena.Floats(memory.Activations, v.Rows, len(v.At)*s.channels)
	}
	return s
}

// scalable returns an error unless there is one input, or a second one that modulates it.
func scalable(in []Shape) error {
	if len(in) == 1 {
		return one(in)
	}
	return perChannel(in, 2)
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

// param returns parameter k; ok is false if the layer lacks it.
func (s *scaling) param(k int) (p []float32, ok bool) {
	if k >= len(s.values.At) {
		return nil, false
	}
	return s.values.Param(k).Of(s.values.P), true
}

// set computes A and B for row i of a tile.
func (s *scaling) set(a, b []float32, t *Tile, i int) {
	for j := range a {
		a[j], b[j] = 1, 0
	}
	if scale, ok := s.param(0); ok {
		for j, v := range scale {
			a[j] = 1 + v
		}
	}
	if shift, ok := s.param(1); ok {
		copy(b, shift)
	}
	if s.modulated {
		by, to := halves(part(t.X[1], i, 2*s.channels))
		for j, v := range by {
			a[j] *= 1 + v
			b[j] = float32(b[j]*(1+v)) + to[j] // never fused, so that all processors agree
		}
	}
}

// gradients takes the sums G and H of row i of a tile to the gradients by the parameters and by the
// second input.
func (s *scaling) gradients(g, h []float32, t *Tile, i int) {
	if s.sums != nil {
		s.byParameters(g, h, t, i)
	}
	if t.DX[1] == nil {
		return
	}
	d := part(t.DX[1], i, 2*s.channels)
	if !t.Add[1] {
		clear(d)
	}
	by, to := halves(d)
	for j := range g {
		by[j] += h[j]
		to[j] += g[j]
	}
	if scale, ok := s.param(0); ok {
		for j, v := range scale {
			by[j] += float32(v * h[j])
		}
	}
	if shift, ok := s.param(1); ok {
		for j, v := range shift {
			by[j] += float32(v * g[j])
		}
	}
}

func (s *scaling) byParameters(g, h []float32, t *Tile, i int) {
	c := s.channels
	d := part(s.sums, t.First+i, len(s.values.At)*c)
	copy(d[:c], h)
	copy(d[c:], g)
	if !s.modulated {
		return
	}
	for ; len(d) > 0; d = d[c:] {
		for j, v := range t.X[1][2*c*i:][:c] {
			d[j] *= 1 + v
		}
	}
}

// PackTasks implements Weighted: nothing is packed.
func (s *scaling) PackTasks() []Task { return nil }

// GradTasks implements Weighted.
func (s *scaling) GradTasks(w *Wave) []Task {
	width := len(s.values.At) * s.channels
	return []Task{{float64(s.values.Rows * width), func() {
		for k, at := range s.values.At {
			w.columns(at.Of(w.Grad), s.sums[k*s.channels:], width, w.Rows)
		}
	}}}
}

// part is row i of rows of n numbers.
func part(x []float32, i, n int) []float32 { return x[i*n : (i+1)*n] }

// halves cuts an array in two.
func halves(x []float32) (first, second []float32) { return x[:len(x)/2], x[len(x)/2:] }
