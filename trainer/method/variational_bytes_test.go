package method

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
)

// The formula is held against the arrays of a method that was built, as TestMemory does for flows.
func TestEncoderMemory(t *testing.T) {
	for _, name := range encoderMethods {
		for _, optimizer := range []string{"sgd", "rmsprop", "adam"} {
			for _, draws := range []int{1, 2} {
				o := smallEncoder()
				o.Optimizer, o.ScoreDraws, o.Particles, o.EMA, o.ParamDrag = optimizer, draws, 3, float64(draws-1)*0.9, float64(draws-1)*0.1
				m := startMethod(t, name, o, 4, 2, 4)
				want, err := Memory(name, o, Scale{Datapoints: testPoints, Batch: 4, Dim: testDim, Workers: 2})
				if err != nil {
					t.Fatal(err)
				}
				trainEncoder4(t, m)
				if got := reference.ArrayBytes(m) - notCounted(m); got != want.Held.Total() {
					t.Errorf("%s %s, %d draws: arrays of %d bytes, the formula says %d: %v", name, optimizer, draws, got, want.Held.Total(), want.Held)
				}
				checkEncoderGenerator(t, name, m, want)
			}
		}
	}
}

// trainEncoder4 goes through both stages, so that all weights are packed.
func trainEncoder4(t *testing.T, m Method) {
	for _, progress := range []float64{0, 0.6} {
		takeStep(t, m, Minibatch{Index: []int{4, 2, 8, 1}, Progress: progress})
	}
}

// notCounted are the arrays that the formula leaves out: numbers of tiles, steps and means, what describes
// networks and data, and the minibatch, which is the caller's.
func notCounted(m Method) int64 {
	small := func(s Setup, nets ...*network) (all []any) {
		all = append(all, s.Options.DecoderWidths, s.Options.EncoderWidths, s.Train, s.Decoder, s.Prior, s.Encoder)
		for _, n := range nets {
			all = append(all, n.opt.Steps, n.gSquare, n.pSquare, n.blocks)
		}
		return all
	}
	var all []any
	variational := func(v *Variational) {
		all = append(append(all, v.counts, v.now.index), small(v.setup, v.encoder, v.decoder, v.prior)...)
	}
	flow := func(f *Flow) {
		all = append(append(all, f.counts, f.meanSquare, f.now.index, f.clip, f.redrawn), small(f.setup, f.decoder, f.prior)...)
	}
	switch m := m.(type) {
	case *Variational:
		variational(m)
	case *Staged:
		all = append(append(all, m.counts, m.frozen), small(m.setup, m.prior)...)
		if v, ok := m.first.(*Variational); ok {
			variational(v)
		} else {
			flow(m.first.(*Flow))
		}
	}
	return reference.ArrayBytes(all)
}

func checkEncoderGenerator(t *testing.T, name string, m Method, want Footprint) {
	t.Helper()
	g := m.Generator(true)
	if err := g.Sample(t.Context(), make([]float32, testDim), 1, "ddim", 1, 1); err != nil { // packs the weights
		t.Fatal(err)
	}
	if g.Encodes() {
		d := g.Latent()
		g.Encode(make([]float32, d), make([]float32, d), make([]float32, testDim))
	}
	var s Setup
	switch m := m.(type) {
	case *Variational:
		s = m.setup
	case *Staged:
		s = m.setup
	}
	others := reference.ArrayBytes([]any{g.decoderP, g.priorP, g.encoderP, s.Decoder, s.Prior, s.Encoder})
	if got := reference.ArrayBytes(g) - others; got != want.Generator {
		t.Errorf("%s: a generator of %d bytes, the formula says %d", name, got, want.Generator)
	}
}

// What Diagnose collects fits what is said of it.
func TestDiagnosedLatentsFit(t *testing.T) {
	for _, points := range []int{1, 100, 1024, 5000} {
		o, n := smallEncoder(), min(points, diagnosed)
		var z []float32
		for lo := 0; lo < n; lo += 7 {
			z = append(z, make([]float32, (min(lo+7, n)-lo)*o.Latent)...)
		}
		if used, said := memory.Array[float32](cap(z)), variationalDiagnose(o, Scale{Datapoints: points, Batch: 7}); used > said {
			t.Errorf("%d datapoints: %d bytes, %d said", points, used, said)
		}
	}
}
