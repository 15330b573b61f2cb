package method

import (
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
)

// A batch in waves, also of a single datapoint, has the bits of one in a single wave, with Plume's
// own products: every method, its losses and all of its state, in both stages.
func TestSameBitsInWaves(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	for _, name := range config.Methods {
		o := smallEncoder()
		o.Dynamics, o.Optimizer, o.EMA = "underdamped", "adam", 0.9
		o.ScoreDraws, o.PriorWarmup = 2, 2
		if o.Particles = 3; validate(name, o) != nil {
			o.Particles = 1
		}
		if o.PriorWarmup = 2; validate(name, o) != nil {
			o.PriorWarmup = 0
		}
		if o.InnerSteps = 2; validate(name, o) != nil {
			o.InnerSteps = 1
		}
		if err := validate(name, o); err != nil {
			t.Fatal(err)
		}
		var want state
		for _, points := range []int{0, 2, 1} {
			m := wavesMethod(t, name, o, 5, 2, o.Particles, points*o.Particles)
			got := trainInWaves(t, m)
			if want == nil {
				want = got
			}
			if diff := want.diff(got); diff != "" {
				t.Errorf("%s in waves of %d datapoints: %s differs", name, points, diff)
			}
		}
	}
}

// trainInWaves makes steps on minibatches of uneven sizes, and returns state and losses.
func trainInWaves(t *testing.T, m Method) state {
	t.Helper()
	const steps = 8
	var losses []float64
	b := data.NewBatches(testPoints, 5, 1)
	for k := range steps {
		epoch, number := k/b.PerEpoch(), k%b.PerEpoch()
		s := takeStep(t, m, Minibatch{
			Index: b.At(epoch, number), Number: uint32(k), Progress: float64(k) / steps,
		})
		losses = append(losses, s.DataLoss, s.PriorLoss, s.Entropy, s.GradientNorm[0])
	}
	m.Diagnose(1)
	got := stateOf(m)
	got["losses"] = losses
	return got
}
