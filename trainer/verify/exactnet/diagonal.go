package exactnet

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// Diagonal is the decoder g(z)_j = offset_j + scale_j z_j, a layer. Its coordinates are
// independent, so that a model of width w serves as w replicates of a one-dimensional model. Offset
// and scale are learned if asked for, and otherwise 0 and 1.
type Diagonal struct {
	Width         int
	Offset, Scale bool
}

// Net is the network of the layer alone.
func (n Diagonal) Net() *model.Net {
	return model.Must(model.Build(nil, func(b *model.Builder) model.Node {
		return b.Add("diagonal", n, b.Input("z", layer.Vector(n.Width)))
	}))
}

// Out implements layer.Layer.
func (n Diagonal) Out(in ...layer.Shape) (layer.Shape, error) { return in[0], nil }

// Params implements layer.Layer.
func (n Diagonal) Params(...layer.Shape) (all []layer.Param) {
	if n.Offset {
		all = append(all, layer.Param{Name: "offset", Shape: []int{n.Width}})
	}
	if n.Scale {
		all = append(all, layer.Param{Name: "scale", Shape: []int{n.Width}})
	}
	return all
}

// Memory implements layer.Layer.
func (n Diagonal) Memory(...layer.Shape) layer.Memory {
	return layer.Memory{KeepsX: n.Scale, KeepsDY: n.Offset || n.Scale}
}

// Bind implements layer.Layer.
func (n Diagonal) Bind(v layer.Values, _ ...layer.Shape) layer.Pair {
	b := &diagonal{width: n.Width, values: v}
	if n.Offset {
		b.offset = &v.At[0]
	}
	if n.Scale {
		b.scale = &v.At[len(v.At)-1]
	}
	return b
}

type diagonal struct {
	width         int
	values        layer.Values
	offset, scale *layer.Range // nil if fixed
}

// PackTasks implements layer.Weighted.
func (d *diagonal) PackTasks() []layer.Task { return nil }

func (d *diagonal) Forward(t *layer.Tile) {
	copy(t.Y, t.X[0])
	d.stretch(t.Y)
	if d.offset != nil {
		for lo := 0; lo < len(t.Y); lo += d.width {
			kernel.Add(t.Y[lo:lo+d.width], d.offset.Of(d.values.P))
		}
	}
}

// stretch multiplies rows by the scales.
func (d *diagonal) stretch(rows []float32) {
	if d.scale == nil {
		return
	}
	for lo := 0; lo < len(rows); lo += d.width {
		for j, s := range d.scale.Of(d.values.P) {
			rows[lo+j] *= s
		}
	}
}

func (d *diagonal) Backward(t *layer.Tile) {
	copy(t.DX[0], t.DY)
	d.stretch(t.DX[0])
}

// GradTasks implements layer.Weighted.
func (d *diagonal) GradTasks(w *layer.Wave) []layer.GradTask {
	var writes []memory.Block
	for _, r := range []*layer.Range{d.offset, d.scale} {
		if r != nil {
			writes = append(writes, r.Block())
		}
	}
	if writes == nil {
		return nil
	}
	return []layer.GradTask{{Task: layer.Task{Do: func() { d.gradient(w) }}, Writes: writes}}
}

func (d *diagonal) gradient(w *layer.Wave) {
	if d.offset != nil {
		d.sum(w, d.offset, func(int) float32 { return 1 })
	}
	if d.scale != nil {
		d.sum(w, d.scale, func(i int) float32 { return d.values.X[i] })
	}
}

// sum computes the gradient by parameters that multiply the numbers by, of the rows of the wave.
func (d *diagonal) sum(w *layer.Wave, r *layer.Range, by func(i int) float32) {
	w.Sum(r.Of(w.Grad), 1, func(sum []float32, lo, hi int) {
		for i := lo * d.width; i < hi*d.width; i++ {
			sum[i%d.width] += w.Scale * d.values.DY[i] * by(i)
		}
	})
}
