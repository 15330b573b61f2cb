package model_test

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// Many workers get more tasks of the gradients by the parameters, which have the same bits.
func TestManyWorkers(t *testing.T) {
	native, err := blas.Open("native")
	if err != nil {
		t.Fatal(err)
	}
	conv := func(channels int) *model.Net {
		return model.Must(model.Build(native, func(b *model.Builder) model.Node {
			z := b.Input("z", layer.Shape{H: 8, W: 8, C: channels})
			return b.Conv("conv", z, channels)
		}))
	}
	for name, net := range map[string]*model.Net{
		"mlp": model.NewMLP(native, 600, 300, 10), "conv": conv(96), "few channels": conv(32),
	} {
		var want []float32
		tasks := 0
		for _, workers := range []int{1, 64, 128} {
			s := of(net, 1)
			s.tape = net.NewTape(nil, s.p, model.Size{Rows: rows, Passes: workers}, model.Train)
			_, _, grad := s.run(1, 0, rows)
			if want == nil {
				want, tasks = grad, s.tape.GradPieces()
				continue
			}
			if n := s.tape.GradPieces(); n <= tasks {
				t.Errorf("%s: %d tasks for %d workers, %d for one", name, n, workers, tasks)
			}
			if !slices.Equal(grad, want) {
				t.Errorf("%s, %d workers: the gradient has other bits", name, workers)
			}
		}
	}
}
