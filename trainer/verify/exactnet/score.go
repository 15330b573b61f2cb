// Package exactnet has networks whose output is known in closed form. They take the place of the
// decoder and of the score network in training, which is otherwise the same.
package exactnet

import (
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Law is a prior over latents whose score is known in closed form at every noise level. Its methods
// compute in float64 and may be called concurrently.
type Law interface {
	Dim() int
	Layout() *model.Layout
	// bind returns the law at parameters p.
	bind(p []float32) noised
}

// noised is a law at given parameters.
type noised interface {
	// eps writes -sigma times the score at z of alpha z_0 + sigma eps, where z_0 follows the law.
	eps(dst, z []float64, alpha, sigma float64)
	// backward takes the gradient g with respect to eps, and writes those with respect to z and to
	// the parameters into dz and grad.
	backward(dz, grad, z, g []float64, alpha, sigma float64)
}

// Score presents a law as a score network: its output is the residual r = eps - sigma z, and its
// parameters are those of the law.
func Score(law Law) *model.Net {
	return model.Must(model.Build(nil, func(b *model.Builder) model.Node {
		z := b.Input("z", layer.Vector(law.Dim()))
		return b.Add("law", score{law}, z, b.Given(model.Lambda, layer.Vector(1)))
	}))
}

// score is a law as a layer, whose inputs are z and lambda.
type score struct{ law Law }

// Out implements layer.Layer.
func (s score) Out(in ...layer.Shape) (layer.Shape, error) { return in[0], nil }

// Params implements layer.Layer.
func (s score) Params(...layer.Shape) (all []layer.Param) {
	for _, p := range s.law.Layout().Params() {
		all = append(all, layer.Param{Name: p.Name, Shape: p.Shape})
	}
	return all
}

// Memory implements layer.Layer.
func (s score) Memory(...layer.Shape) layer.Memory { return layer.Memory{ReadsX: true} }

// Bind implements layer.Layer.
func (s score) Bind(v layer.Values, _ ...layer.Shape) layer.Pair {
	size := s.law.Layout().Size()
	b := &boundScore{law: s.law, width: s.law.Dim(), size: size, values: v}
	if v.Grads {
		b.grads = v.Arena.Float64s(memory.Activations, v.Rows, size)
	}
	return b
}

// boundScore keeps the parameters' gradient of each row in float64 until they are summed.
type boundScore struct {
	law    Law
	width  int
	size   int // of the parameters
	values layer.Values
	now    noised
	grads  []float64 // rows x size
}

// params is where the parameters lie in a flat buffer.
func (b *boundScore) params(buffer []float32) []float32 {
	if b.size == 0 {
		return nil
	}
	lo := b.values.Param(0).Lo
	return buffer[lo : lo+b.size]
}

// PackTasks implements layer.Weighted.
func (b *boundScore) PackTasks() []layer.Task {
	return []layer.Task{{Do: func() { b.now = b.law.bind(b.params(b.values.P)) }}}
}

func (b *boundScore) Forward(t *layer.Tile) {
	z, eps := make([]float64, b.width), make([]float64, b.width)
	for i := range t.N {
		alpha, sigma := levels(t.X[1][i])
		Widen(z, t.X[0][i*b.width:(i+1)*b.width])
		b.now.eps(eps, z, alpha, sigma)
		for j, e := range eps {
			t.Y[i*b.width+j] = float32(e - sigma*z[j])
		}
	}
}

func (b *boundScore) Backward(t *layer.Tile) {
	w := b.width
	z, g, dz := make([]float64, w), make([]float64, w), make([]float64, w)
	grad := make([]float64, b.size)
	for i := range t.N {
		alpha, sigma := levels(t.X[1][i])
		Widen(z, t.X[0][i*w:(i+1)*w])
		Widen(g, t.DY[i*w:(i+1)*w])
		clear(grad)
		b.now.backward(dz, grad, z, g, alpha, sigma)
		if b.grads != nil {
			copy(b.grads[(t.First+i)*b.size:], grad)
		}
		if t.DX[0] == nil {
			continue
		}
		for j, v := range dz {
			t.DX[0][i*w+j] = float32(v - sigma*g[j])
		}
	}
}

// GradTasks implements layer.Weighted.
func (b *boundScore) GradTasks(w *layer.Wave) []layer.GradTask {
	if b.size == 0 {
		return nil
	}
	lo := b.values.Param(0).Lo
	return []layer.GradTask{{
		Task:   layer.Task{Do: func() { b.gradient(w) }},
		Writes: []memory.Block{memory.Span(lo, lo+b.size)},
	}}
}

func (b *boundScore) gradient(w *layer.Wave) {
	w.Sum(b.params(w.Grad), 1, func(grad []float32, lo, hi int) {
		sum := make([]float64, b.size)
		for i := lo; i < hi; i++ {
			for k, v := range b.grads[i*b.size : (i+1)*b.size] {
				sum[k] += v
			}
		}
		for k, v := range sum {
			grad[k] += float32(float64(w.Scale) * v)
		}
	})
}
