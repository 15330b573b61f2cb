package diffusion

import (
	"math"
	"testing"
)

// TestSteadyLoss: at r = 0 a draw's |e|^2 is alpha^2 (sigma^2 |z|^2 + alpha^2 d) at its level,
// whatever eps is, up to the rounding of float32: some 1e-6 of losses up to 200. With another score
// the loss has the mean of the plain one (5 standard errors of the difference for the same draws)
// and less noise. The drift does not change.
func TestSteadyLoss(t *testing.T) {
	const n = 200
	z := scattered(n)
	plain := Bound{Process: testProcess, Draws: 1}
	steady := plain
	steady.SteadyLoss = true
	_, loss := evaluate(steady, zeroScore(n), z)
	for i, level := range oracleLevels(testProcess, n, lambdaKey) {
		norm, a, s := 0.0, Alpha(level), Sigma(level)
		for _, v := range row64(z, i) {
			norm += v * v
		}
		want := testProcess.Span() / 2 * a * a * (s*s*norm + a*a*testD)
		want += math.Pow(Alpha(testProcess.Min), 2)/2*norm + testProcess.Constant(testD)
		if beyond(float64(loss[i])-want, 1e-3) {
			t.Errorf("row %d: loss %v at r = 0, want %v", i, loss[i], want)
		}
	}

	const m = 1 << 15
	rows := repeated(point, m)
	plainDrift, plainLoss := evaluate(plain, correlated(m), rows)
	drift, steadyLoss := evaluate(steady, correlated(m), rows)
	diff, raw, quiet := make([]float64, m), make([]float64, m), make([]float64, m)
	for i := range m {
		diff[i] = float64(steadyLoss[i] - plainLoss[i])
		raw[i], quiet[i] = float64(plainLoss[i]), float64(steadyLoss[i])
	}
	mean, se := meanError(diff)
	_, seRaw := meanError(raw)
	_, seQuiet := meanError(quiet)
	t.Logf("difference %.4f +- %.4f; standard errors %.4f, steady %.4f", mean, se, seRaw, seQuiet)
	if beyond(mean, 5*se) || seQuiet > seRaw/1.3 {
		t.Errorf("difference %v +- %v, standard errors %v and steady %v", mean, se, seRaw, seQuiet)
	}
	for i := range drift {
		if drift[i] != plainDrift[i] {
			t.Fatalf("element %d of the drift: %v, plain %v", i, drift[i], plainDrift[i])
		}
	}
}
