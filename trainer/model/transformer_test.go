package model_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// transformer is one with random parameters, gates and the last layer included.
func transformer(z layer.Shape, t model.Transformer) subject {
	s := of(model.Must(model.NewTransformer(nil, z, t)), 1)
	s.levels()
	s.condition = reference.Normals(rows*t.Condition, 4, 1)
	clear(s.condition[:t.Condition]) // of the first row: none
	r := reference.Transformer{
		Pixels: z.Pixels(), Blocks: t.Blocks, Heads: t.Heads, Features: t.Features,
	}
	s.row = func(p reference.Params, i int, x []float64) []float64 {
		var condition []float64
		if t.Condition > 0 {
			condition = reference.Wide(s.condition[i*t.Condition:][:t.Condition])
		}
		return r.Residual(p, x, float64(s.level[i]), condition)
	}
	return s
}

// With its initial parameters, the prior is N(0, I).
func TestTransformerStartsAtZero(t *testing.T) {
	s := transformer(layer.Shape{H: 2, W: 2, C: 1},
		model.Transformer{Width: 6, Blocks: 2, Heads: 3, Features: 4, Condition: 2})
	s.layout.Init(s.p, 1, 0)
	out, _, grad := s.run(1, 0, rows)
	if i := slices.IndexFunc(out, func(v float32) bool { return v != 0 }); i >= 0 {
		t.Errorf("output %d is %v, expected 0", i, out[i])
	}
	if w := s.layout.View(grad, "out.weight"); reference.Square(reference.Wide(w)) == 0 {
		t.Error("the last layer has no gradient")
	}
}

func TestTransformerRefuses(t *testing.T) {
	fits := model.Transformer{Width: 6, Blocks: 1, Heads: 3, Features: 4}
	odd := fits
	odd.Heads = 4
	for _, c := range []struct {
		z    layer.Shape
		t    model.Transformer
		want string
	}{
		{layer.Vector(32), fits, "z: got 32, needs 2 x 2 pixels or 2 samples or more"},
		{layer.Shape{H: 2, W: 2, C: 1}, odd,
			"block0.attention: 4 heads: needs a number that divides 6 channels"},
	} {
		_, err := model.NewTransformer(nil, c.z, c.t)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("z of %v, %+v: error %v, expected %q", c.z, c.t, err, c.want)
		}
	}
}
