package diffusion

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestMeanDrift: in every variant the drift's mean is the gradient of l_theta in closed form,
// within 5 standard errors, and these are small enough to see a term that is missing or doubled.
func TestMeanDrift(t *testing.T) {
	const n = 1 << 16
	for _, draws := range []int{1, 3} {
		for _, weight := range []Weight{ELBO, Simple} {
			for _, cv := range []bool{false, true} {
				n := n / draws
				score := correlated(n * draws)
				b := Bound{Process: testProcess, Draws: draws, Weight: weight, ControlVariate: cv}
				g, _ := evaluate(b, score, repeated(point, n))
				want := score.meanDrift(point, testProcess)
				name := fmt.Sprintf("draws %d, weight %s, control variate %v", draws, weight, cv)
				for j := range testD {
					mean, se := meanError(column(g, j))
					t.Logf("%s: axis %d: %.4f +- %.4f, want %.4f", name, j, mean, se, want[j])
					if beyond(mean-want[j], 5*se) {
						t.Errorf("%s: axis %d: %v +- %v, want %v", name, j, mean, se, want[j])
					}
					if 5*se > 0.25 {
						t.Errorf("%s: axis %d: standard error %v sees too little", name, j, se)
					}
				}
			}
		}
	}
	// The closed form is S^-1 (z - m) up to the cut-offs.
	score := correlated(0)
	u := point
	for j := range u {
		u[j] -= score.m[j]
	}
	inverse := score.apply(u, func(s float64) float64 { return 1 / s })
	for j, d := range score.meanDrift(point, testProcess) {
		if beyond(d-inverse[j], 1e-3*max(1, math.Abs(inverse[j]))) {
			t.Errorf("axis %d: closed form %v, S^-1 (z - m) = %v", j, d, inverse[j])
		}
	}
}

func column(x []float32, j int) []float64 {
	c := make([]float64, len(x)/testD)
	for i := range c {
		c[i] = float64(x[i*testD+j])
	}
	return c
}

// TestDriftIgnoresWeight: the particles follow the ELBO whatever the weight of theta's loss. The
// weight is divided out again, which costs a few ulp; the drift of one draw is of order 10.
func TestDriftIgnoresWeight(t *testing.T) {
	const n = 500
	z := scattered(n)
	for _, cv := range []bool{false, true} {
		b := Bound{Process: testProcess, Draws: 1, ControlVariate: cv}
		elbo, _ := evaluate(b, correlated(n), z)
		b.Weight = Simple
		simple, _ := evaluate(b, correlated(n), z)
		for i := range elbo {
			if beyond(float64(elbo[i]-simple[i]), 2e-5) {
				t.Fatalf("control variate %v, element %d: %v under ELBO, %v under Simple", cv, i,
					elbo[i], simple[i])
			}
		}
	}
}

// TestControlVariate: for the same draws, the drifts with and without it differ by numbers of mean
// zero (5 standard errors, each below 2 % of a standard deviation of z), and at r = 0 it leaves no
// noise at all.
func TestControlVariate(t *testing.T) {
	const n = 1 << 17
	z := repeated(point, n)
	plain, _ := evaluate(Bound{Process: testProcess, Draws: 1}, correlated(n), z)
	cv, _ := evaluate(Bound{Process: testProcess, Draws: 1, ControlVariate: true}, correlated(n), z)
	for j := range testD {
		diff := column(cv, j)
		for i, p := range column(plain, j) {
			diff[i] -= p
		}
		mean, se := meanError(diff)
		t.Logf("axis %d: %.4f +- %.4f", j, mean, se)
		if beyond(mean, 5*se) || se > 0.02 {
			t.Errorf("axis %d: the difference is %v, standard error %v", j, mean, se)
		}
	}

	z = scattered(500)
	a2 := float32(math.Pow(Alpha(testProcess.Max), 2))
	for _, draws := range []int{1, 4} {
		for _, weight := range []Weight{ELBO, Simple} {
			b := Bound{Process: testProcess, Draws: draws, ControlVariate: true, Weight: weight}
			g, _ := evaluate(b, zeroScore(500*draws), z)
			for i := range g {
				if g[i] != float32(a2*z[i]) {
					t.Fatalf("draws %d, element %d: drift %v at r = 0, want alpha_max^2 z = %v",
						draws, i, g[i], a2*z[i])
				}
			}
		}
	}
}

// TestScoreDrift: it is minus the exact score at lambda_max, without noise, and theta's loss
// is evaluated only for training.
func TestScoreDrift(t *testing.T) {
	const n = 200
	z, ids := scattered(n), addresses(n)
	for _, draws := range []int{1, 3} {
		score := correlated(n * draws)
		b := Bound{Process: testProcess, Draws: draws, ScoreDrift: true}
		tape := b.NewTape(nil, score.tape(n*draws), n)
		for _, train := range []bool{false, true} {
			g, loss := make([]float32, n*testD), make([]float32, n)
			tape.Begin(n, lambdaKey, noiseKey)
			score.backward = 0
			for lo := 0; lo < n; lo += n / 2 {
				hi := lo + n/2
				tape.Evaluate(Rows{
					Lo: lo, Hi: hi, Z: z[lo*testD : hi*testD], IDs: ids[lo:hi],
					G: g[lo*testD : hi*testD], Loss: loss[lo:hi], Train: train,
				})
			}
			for i := range n {
				for j, e := range score.eps(row64(z, i), testProcess.Max) {
					want := e / Sigma(testProcess.Max)
					if beyond(float64(g[i*testD+j])-want, 1e-5*max(1, math.Abs(want))) {
						t.Fatalf("draws %d, row %d, axis %d: %v, want %v", draws, i, j,
							g[i*testD+j], want)
					}
				}
			}
			if (score.backward == 2) != train {
				t.Errorf("train %v: %d backward passes", train, score.backward)
			}
			if !train {
				continue
			}
			_, want := evaluate(Bound{Process: testProcess, Draws: draws}, correlated(n*draws), z)
			if !slices.Equal(loss, want) {
				t.Errorf("draws %d: the loss differs from that without ScoreDrift", draws)
			}
		}
	}
}
