package method

import (
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
)

// The formula is held against the arrays of a method that was built, part by part, exactly.
func TestMemory(t *testing.T) {
	for _, name := range flowMethods {
		for _, dynamics := range []string{"overdamped", "underdamped", "exact"} {
			for _, optimizer := range []string{"sgd", "rmsprop", "adam"} {
				for _, draws := range []int{1, 2} {
					o := small()
					o.Dynamics, o.Optimizer, o.ScoreDraws, o.EMA, o.ParamDrag = dynamics, optimizer, draws, float64(draws-1)*0.9, float64(draws-1)*0.1
					if o.Particles = 3; validate(name, o) != nil {
						o.Particles = 1
					}
					f := startFlow(t, name, o, 4, 2)
					checkMemory(t, name, o, f)
				}
			}
		}
	}
}

func checkMemory(t *testing.T, name string, o config.Options, f *Flow) {
	t.Helper()
	want, err := Memory(name, o, Scale{Datapoints: testPoints, Batch: 4, Dim: testDim, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	got := built(f)
	for i, part := range want.Held {
		if got[i] != part {
			t.Errorf("%s %s %s, %d draws: %v was built, the formula says %v", name, o.Dynamics, o.Optimizer, o.ScoreDraws, got[i], part)
		}
	}
	// What is left of the flow: the numbers of its tiles and chunks, steps of the optimisers, counts and the
	// running mean, and what describes networks and data.
	tiles := memory.Array[int](2, len(f.clip))
	rest := reference.ArrayBytes([]any{f.decoder.opt.Steps, f.prior.opt.Steps, f.decoder.gSquare, f.decoder.pSquare, f.decoder.blocks, f.prior.gSquare, f.prior.pSquare, f.prior.blocks, f.counts, f.meanSquare, f.setup.Options.DecoderWidths, f.setup.Train, f.setup.Decoder, f.setup.Prior})
	if sum := reference.ArrayBytes(f); sum != want.Held.Total()+tiles+rest {
		t.Errorf("%s %s %s, %d draws: the flow has %d bytes, the formula %d", name, o.Dynamics, o.Optimizer, o.ScoreDraws, sum, want.Held.Total()+tiles+rest)
	}

	g := f.Generator(true)
	others := reference.ArrayBytes([]any{g.decoderP, g.priorP, f.setup.Decoder, f.setup.Prior})
	if err := g.Sample(t.Context(), make([]float32, testDim), 1, "ddim", 1, 1); err != nil { // packs the weights
		t.Fatal(err)
	}
	if got := reference.ArrayBytes(g) - others; got != want.Generator {
		t.Errorf("%s, %d draws: a generator of %d bytes, the formula says %d", name, o.ScoreDraws, got, want.Generator)
	}
}

// built is the parts of a flow as they are in memory, in the formula's order.
func built(f *Flow) memory.Parts {
	for i := range f.decoderTape.PackTasks(true) {
		f.decoderTape.Pack(i)
	}
	for i := range f.priorTape.PackTasks(true) {
		f.priorTape.Pack(i)
	}
	each := func(of func(n *network) any) int64 {
		return reference.ArrayBytes([]any{of(f.decoder), of(f.prior)})
	}
	params := each(func(n *network) any { return n.p })
	packed := f.setup.Decoder.PackedBytes(true) + f.setup.Prior.PackedBytes(true)
	tapes := reference.ArrayBytes([]any{f.decoderTape, f.priorTape}) - params - packed - reference.ArrayBytes([]any{f.setup.Decoder, f.setup.Prior})
	return memory.Parts{
		{Name: "parameters", Bytes: params},
		{Name: "packed weights", Bytes: packed},
		{Name: "gradients", Bytes: each(func(n *network) any { return [][]float32{n.g, n.sum} })},
		{Name: "moments", Bytes: each(func(n *network) any { return [][]float32{n.opt.M, n.opt.V} })},
		{Name: "average", Bytes: each(func(n *network) any { return n.opt.EMA })},
		{Name: "particles", Bytes: reference.ArrayBytes([]any{f.cloud, f.batch})},
		{Name: "activations", Bytes: tapes + reference.ArrayBytes([][]float32{f.x, f.square, f.nll})},
	}
}
