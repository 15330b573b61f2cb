package model_test

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// workerNets are networks whose gradients are cut in different ways.
func workerNets(t *testing.T) map[string]*model.Net {
	t.Helper()
	native, err := blas.Open("native")
	if err != nil {
		t.Fatal(err)
	}
	conv := func(side, channels int) *model.Net {
		return model.Must(model.Build(native, func(b *model.Builder) model.Node {
			z := b.Input("z", layer.Shape{H: side, W: side, C: channels})
			return b.Conv("conv", z, channels)
		}))
	}
	pixels := model.Must(model.Build(native, func(b *model.Builder) model.Node {
		return b.Linear("linear", b.Input("z", layer.Shape{H: 8, W: 8, C: 64}), 32)
	}))
	return map[string]*model.Net{
		"mlp": model.NewMLP(native, 600, 300, 10), "conv": conv(8, 96), "pixels": pixels,
		"few channels": conv(8, 32), "large pictures": conv(32, 16),
	}
}

// Tasks lay out the parameters that they have changed as the packing tasks do, also by parts.
func TestManyWorkersPack(t *testing.T) {
	for name, net := range workerNets(t) {
		for _, workers := range []int{1, 16, 64} {
			s := of(net, 1)
			s.tape = net.NewTape(nil, s.p, model.Size{Rows: rows, Passes: workers}, model.Train)
			s.run(1, 0, rows)
			for i := range s.p {
				s.p[i] += 0.25
			}
			for i := range s.tape.GradTasks() {
				s.tape.Updated(i)
			}
			got, gotIn := make([]float32, rows*s.out), make([]float32, rows*s.in)
			s.pass(0, rows, got, gotIn)
			out, in, _ := s.run(1, 0, rows)
			if !slices.Equal(got, out) || !slices.Equal(gotIn, in) {
				t.Errorf("%s, %d workers: the parameters lie in another way", name, workers)
			}
		}
	}
}

// Many workers get more tasks of the gradients by the parameters, which have the same bits.
func TestManyWorkers(t *testing.T) {
	for name, net := range workerNets(t) {
		var want []float32
		tasks := 0
		for _, workers := range []int{1, 2, 16, 64, 128} {
			s := of(net, 1)
			s.tape = net.NewTape(nil, s.p, model.Size{Rows: rows, Passes: workers}, model.Train)
			_, _, grad := s.run(1, 0, rows)
			if want == nil {
				want, tasks = grad, s.tape.GradPieces()
			}
			if !slices.Equal(grad, want) {
				t.Errorf("%s, %d workers: the gradient has other bits", name, workers)
			}
			if n := s.tape.GradPieces(); workers >= 16 && n <= tasks {
				t.Errorf("%s: %d tasks for %d workers, %d for one", name, n, workers, tasks)
			}
		}
	}
}
