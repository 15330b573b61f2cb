package method

import (
	"fmt"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// smallEncoder are small options for the methods with an encoder.
func smallEncoder() config.Options {
	o := small()
	o.EncoderWidths, o.PriorShare = []int{6}, 0.5
	return o
}

// startMethod builds the named method on testPoints random datapoints, with parameters at their
// start.
func startMethod(
	t testing.TB, name config.Method, o config.Options, batch, workers, tile int,
) Method {
	t.Helper()
	return wavesMethod(t, name, o, batch, workers, tile, 0)
}

// wavesMethod is startMethod with waves of the given number of rows.
func wavesMethod(
	t testing.TB, name config.Method, o config.Options, batch, workers, tile, wave int,
) Method {
	t.Helper()
	p := pool.New(workers)
	t.Cleanup(p.Close)
	m, err := New(name, Setup{
		Options: o, Train: testData(),
		Batch: batch, Tile: tile, Wave: wave, Seed: testSeed, Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newVariational builds a method with random parameters, far from their start.
func newVariational(t testing.TB, name config.Method, o config.Options, batch int) *variational {
	t.Helper()
	v := startMethod(t, name, o, batch, 2, 4).(*variational)
	for i, n := range []*network{v.decoder, v.prior, v.encoder} {
		copy(n.p, reference.Normals(len(n.p), uint64(20+i), 0.4))
		copy(n.opt.EMA, n.p)
	}
	return v
}

func takeStep(t testing.TB, m Method, b Minibatch) Stats {
	t.Helper()
	s, err := m.Step(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The gradients of a step are those of -log p(x|z) + log q(z|x) - log p(z), with log q and log p
// written out as densities: a wrong sign of the entropy would change every block of the encoder.
// The second of two steps has other parameters and another minibatch.
func TestVariationalStepAgainstReference(t *testing.T) {
	for _, name := range []config.Method{"vae", "vae+diffusion"} {
		for i, weight := range diffusion.Weights {
			for j, draws := range []int{1, 3} {
				for k, particles := range []int{1, 3} {
					o := smallEncoder()
					o.PriorWeight, o.ScoreDraws, o.Particles = weight, draws, particles
					if name == "vae" && i+j > 0 {
						continue // it has neither weights nor draws
					}
					if k == 1 {
						o.EncoderWidths = nil
					}
					if j == 0 {
						o.Condition, o.Classes, o.ConditionDrop = config.OfBoth, 3, 0.4
					}
					t.Run(fmt.Sprintf("%s/%s/draws=%d/N=%d", name, weight, draws, particles),
						func(t *testing.T) {
							v := newVariational(t, name, o, 5)
							for number, index := range [][]int{{7, 0, 4, 8, 2}, {3, 8, 1, 4}} {
								s := infer(v, index)
								stats := takeStep(t, v,
									Minibatch{Index: index, Number: uint32(number)})
								s.checkGradients(t)
								s.checkStats(t, stats)
							}
						})
				}
			}
		}
	}
}

// With the control variate, or the score as the drift, the encoder gets that drift instead of the
// bound's gradient.
func TestEncoderFeelsThePriorDrift(t *testing.T) {
	for _, drift := range []string{"score", "control variate"} {
		o := smallEncoder()
		o.ScoreDraws, o.Particles = 2, 2
		if drift == "score" {
			o.PriorDrift = "score"
		} else {
			o.ControlVariate = true
		}
		v := newVariational(t, "vae+diffusion", o, testPoints)
		s := infer(v, everyPoint)
		takeStep(t, v, Minibatch{Index: everyPoint})
		g := make([][]float64, len(s.eps))
		for row := range g {
			z := s.latent(row)
			g[row] = s.process().ControlVariate(s.residual(row), z, s.draws[row])
			if drift == "score" {
				g[row] = s.process().ScoreDrift(s.residual(row), z)
			}
		}
		want := reference.Gradient(func([]float64) float64 {
			return s.mean(func(row int) float64 {
				z := s.latent(row)
				mean, logvar := s.encode(row)
				loss := s.dataLoss(row, z) + logDensity(z, mean, logvar)
				for j := range z {
					loss += g[row][j] * z[j]
				}
				return loss
			})
		}, s.phiE)
		near(t, drift, v.encoder.g, want, gradTolerance)
	}
}

// While the prior is held at N(0, I), its part is computed in closed form and theta does not
// change; then theta learns.
func TestVariationalPriorWarmup(t *testing.T) {
	o := smallEncoder()
	o.PriorWarmup, o.Particles = 2, 2
	v := newVariational(t, "vae+diffusion", o, testPoints)
	for step := range 4 {
		s := infer(v, everyPoint)
		theta := slices.Clone(v.prior.p)
		held := step < o.PriorWarmup
		if held {
			s.theta = nil
		}
		stats := takeStep(t, v, Minibatch{Index: everyPoint})
		s.checkGradients(t)
		s.checkStats(t, stats)
		if n := v.prior.opt.Steps[0]; n != uint32(max(0, step+1-o.PriorWarmup)) {
			t.Errorf("step %d: %d steps of theta", step, n)
		}
		if stayed := slices.Equal(theta, v.prior.p); stayed != held {
			t.Errorf("step %d: theta stayed: %v", step, stayed)
		}
	}
}
