package model

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/layer"
)

// TestFeed: what a linear layer computes for the next one behind a SiLU changes no bits of the
// output and of all gradients: they are those of a pass whose values are visited, which computes
// them one by one.
func TestFeed(t *testing.T) {
	const rows, in = 70, 20
	products, err := blas.In(blas.BF16)
	if err != nil {
		t.Skipf("only plume's own products are rounded: %v", err)
	}
	for name, net := range map[string]*Net{
		"mlp":   NewMLP(products, in, 33, 70, 40),
		"score": NewResidualScore(products, in, 48, 2, 16),
		"few":   NewMLP(products, in, 3, 17, 5),
	} {
		p := make([]float32, net.Layout().Size())
		kernel.Normal(p, kernel.Key{Seed: 3, Stream: 1 << 16}, 0)
		for use := Evaluate; use <= Train; use++ {
			for _, tile := range []int{rows, 33, 1} {
				what := fmt.Sprintf("%s, use %d, tiles of %d rows", name, use, tile)
				tape := net.NewTape(nil, p, Size{Rows: rows, Tile: tile}, use)
				if kernel.BF16Halves() != nil && !slices.ContainsFunc(tape.plan.nodes, feeds) {
					t.Errorf("%s: no layer feeds another", what)
				}
				got, want := fed(tape, tile, false), fed(tape, tile, true)
				if !slices.EqualFunc(got, want, func(a, b float32) bool {
					return math.Float32bits(a) == math.Float32bits(b)
				}) {
					t.Errorf("%s: other bits than one by one", what)
				}
			}
		}
	}
}

func feeds(at placed) bool { return at.feeds > 0 }

// fed is the output of a tape, that of its rows alone at one level, and the gradients.
func fed(tape *Tape, tile int, visited bool) (all []float32) {
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	rows, use := tape.size.Rows, tape.plan.use
	forward := func(pass *Pass, compute func()) {
		if visited {
			pass.Visit = func(Values) {}
		}
		for input := range tape.net.inputs {
			x := pass.In(input)
			kernel.Normal(x, kernel.Key{Seed: 4, Stream: 1 << 16}, uint64(pass.first))
		}
		compute()
		all = append(all, pass.Out()...)
	}
	for lo := 0; lo < rows; lo += tile {
		pass := tape.Take(lo, min(lo+tile, rows))
		if tape.net.Input(Lambda) >= 0 {
			forward(pass, func() { pass.ForwardAt(1.5) })
		}
		forward(pass, pass.Forward)
		if use > Evaluate {
			copy(pass.DOut(), all[len(all)-len(pass.DOut()):])
			din := make([]float32, len(pass.In(0)))
			pass.Backward(din)
			all = append(all, din...)
		}
		pass.Release()
	}
	if use == Train {
		grad := make([]float32, tape.net.Layout().Size())
		tape.Reduce(layer.Wave{Rows: rows, First: true, Last: true, Scale: 1, Grad: grad})
		for i := range tape.GradTasks() {
			tape.Grad(i)
		}
		all = append(all, grad...)
	}
	return all
}
