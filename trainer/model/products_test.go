package model_test

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
)

// TestNetworksKeepBackends: a network computes with the backend that it was given, or else with the
// one that was the default when it was described, whatever the default is now.
func TestNetworksKeepBackends(t *testing.T) {
	const rows, in, out = 9, 7, 300
	before := blas.Default().Name()
	defer func() { useBackend(t, before) }()
	x := make([]float32, rows*in)
	kernel.Normal(x, kernel.Key{Seed: 2, Stream: 1 << 16}, 0)

	nets, given := map[string]*model.Net{}, map[string]*model.Net{}
	alone := map[string][]float32{}
	for _, name := range blas.Available() {
		useBackend(t, name)
		nets[name] = model.NewMLP(nil, in, 2*out, out)
		given[name] = model.NewMLP(blas.Default(), in, 2*out, out)
		alone[name] = forward(nets[name], x, rows)
	}
	for _, other := range blas.Available() {
		useBackend(t, other)
		for name, want := range alone {
			for _, net := range []*model.Net{nets[name], given[name]} {
				if !slices.Equal(forward(net, x, rows), want) {
					t.Errorf("a network of %s has other bits when %s is the default", name, other)
				}
			}
		}
	}
	if slices.Equal(alone["native"], alone["gonum"]) {
		t.Error("native and gonum have the same bits: the test would not see one for the other")
	}
}

// forward returns the network's output and its gradients by input and parameters, with the output
// as the gradient of the loss by itself.
func forward(net *model.Net, x []float32, rows int) []float32 {
	p := make([]float32, net.Layout().Size())
	net.Layout().Init(p, 1, 0)
	tape := net.NewTape(nil, p, model.Size{Rows: rows}, model.Train)
	pack(tape)
	pass := tape.Take(0, rows)
	copy(pass.In(0), x)
	pass.Forward()
	y := slices.Clone(pass.Out())
	dx := make([]float32, len(x))
	copy(pass.DOut(), y)
	pass.Backward(dx)
	pass.Release()
	g := make([]float32, len(p))
	reduce(tape, g, rows, 1)
	return append(append(y, dx...), g...)
}

func useBackend(t *testing.T, name string) {
	t.Helper()
	if err := blas.Use(name); err != nil {
		t.Fatal(err)
	}
}
