package trainer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/method"
)

// watched feeds a trainer's watch and returns its warnings.
func watched(steps int, at func(step int) method.Stats) (warnings []string) {
	t := &Trainer{}
	warningsTo(&warnings)(t)
	for t.step = 1; t.step <= steps; t.step++ {
		t.observe(at(t.step))
	}
	return warnings
}

// noisy are the figures of a healthy training: they fall by a factor of 100, and scatter with the
// heavy tail of a log-normal of scale 0.4.
func noisy(r *rand.Rand, share float64) method.Stats {
	level := func() float64 {
		x := r.NormFloat64() * 0.4
		return (100 - 99*share) * (1 + x + x*x/2)
	}
	return method.Stats{
		Rows:         1,
		SquareError:  level(),
		PriorLoss:    level() - 20,
		GradientNorm: [3]float64{level(), level(), 0},
	}
}

// Only far outliers are warned of, each figure by its name, and not again and again.
func TestOutliers(t *testing.T) {
	const steps = 5000
	r := rand.New(rand.NewPCG(1, 2))
	healthy := func(step int) method.Stats { return noisy(r, float64(step)/steps) }
	if w := watched(steps, healthy); len(w) > 0 {
		t.Errorf("false alarms: %q", w)
	}
	for what, spike := range map[string]func(s *method.Stats){
		"the decoder's loss":                 func(s *method.Stats) { s.SquareError *= 40 },
		"the prior's loss":                   func(s *method.Stats) { s.PriorLoss += 4000 },
		"the norm of the decoder's gradient": func(s *method.Stats) { s.GradientNorm[0] *= 40 },
		"the norm of the prior's gradient":   func(s *method.Stats) { s.GradientNorm[1] *= 40 },
	} {
		w := watched(1700, func(step int) method.Stats {
			s := noisy(r, 0.5)
			if step == 1000 || step > 1000 && step < 1100 && step%20 == 0 || step == 1600 {
				spike(&s)
			}
			return s
		})
		if len(w) != 2 || !strings.Contains(w[0], "step 1,000: "+what+" is ") ||
			!strings.Contains(w[1], "step 1,600") ||
			!strings.Contains(w[1], "4 more since step 1,000") {
			t.Errorf("%s: warnings %q", what, w)
		}
	}
	// The first values have nothing typical to be compared with.
	if w := watched(enough, func(step int) method.Stats {
		return method.Stats{Rows: 1, SquareError: float64(int(1) << step)}
	}); len(w) > 0 {
		t.Errorf("warnings %q", w)
	}
}
