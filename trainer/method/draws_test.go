package method

import (
	"errors"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// withPrior builds a method with a prior of the setup, and with options that say two draws.
func withPrior(t *testing.T, name config.Method, own prior.Prior) Method {
	t.Helper()
	o := smallEncoder()
	o.ScoreDraws, o.PriorShare = 2, 0.5
	p := pool.New(2)
	t.Cleanup(p.Close)
	m, err := New(name, Setup{
		Options: o, Train: testData(),
		Batch: testPoints, Tile: 4, Seed: testSeed, Pool: p, Prior: own,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Evaluations are counted and faults are found with the prior's number of draws, not with that of
// the options.
func TestDrawsAreThePriors(t *testing.T) {
	const progress = 0.9 // in the second stage of a method with two
	for _, name := range []config.Method{"ipld", "vae+diffusion", "pgd+diffusion"} {
		for _, draws := range []int{1, 3} {
			o := smallEncoder()
			o.ScoreDraws = draws
			own := func() Method { return withPrior(t, name, diffusionOf(t, o)) }
			one := takeStep(t, withPrior(t, name,
				prior.Gaussian{Latent: o.Latent, LearnMean: true}),
				Minibatch{Index: everyPoint, Progress: progress})
			got := takeStep(t, own(), Minibatch{Index: everyPoint, Progress: progress})
			// The closed form of a Gaussian prior evaluates no network.
			passes := draws - 1
			if name == config.VAEDiffusion {
				passes = draws
			}
			if want := one.Evaluations + float64(passes*testPoints); got.Evaluations != want {
				t.Errorf("%s, %d draws: %v evaluations, expected %v", name, draws, got.Evaluations,
					want)
			}
			for what, change := range map[string]func(m Method){
				"loss":     func(m Method) { fill(view(m, "prior", "out.bias"), 1e30) },
				"gradient": func(m Method) { poisoned(m, "prior", "emb2.weight") },
			} {
				m := own()
				change(m)
				_, err := m.Step(Minibatch{Index: everyPoint, Progress: progress})
				var f *Fault
				if !errors.As(err, &f) || f.Network != "prior" {
					t.Errorf("%s, %d draws, %s: %v; expected a fault of the prior", name, draws,
						what, err)
				}
			}
		}
	}
}
