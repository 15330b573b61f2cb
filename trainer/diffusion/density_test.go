package diffusion

import (
	"math"
	"testing"
)

// sechOf is the density of Sech over that of Uniform at lambda.
func sechOf(lambda float64, p Process) float64 {
	return 1 - sechShare + sechShare*Simple.at(lambda, p)
}

// TestDensity: the weight of a draw is the uniform density over that of its level; the weights of a
// batch, one from each of equal shares of the levels, have mean 1, as have those of any levels that
// stand for a range; and the levels lie where the distribution function, the integral of the
// density, says.
func TestDensity(t *testing.T) {
	const n = 5000
	for _, p := range []Process{testProcess, {Min: -4, Max: 9}} {
		tape := Bound{Process: p, Draws: 1, Density: Sech}.NewTape(nil, standard(n).tape(n), n)
		tape.Begin(n, lambdaKey, noiseKey)
		gd := func(x float64) float64 { return math.Atan(math.Sinh(x)) } // integral of sech
		var mean, below float64
		for i, w := range tape.weight[:n] {
			lambda := float64(tape.lambda[i])
			if got := float64(w) * sechOf(lambda, p); beyond(got-1, 0.01) { // the width of a cell
				t.Fatalf("%v: level %v weighs %v, want %v", p, lambda, w, 1/sechOf(lambda, p))
			}
			share := (float64(tape.perm[i]) + float64(tape.u[0])) / n
			want := (1-sechShare)*(lambda-p.Min)/p.Span() +
				sechShare*(gd(lambda/2)-gd(p.Min/2))/(gd(p.Max/2)-gd(p.Min/2))
			if beyond(share-want, 1e-5) {
				t.Fatalf("%v: share %v of the levels below %v, want %v", p, share, lambda, want)
			}
			mean += float64(w) / n
			if lambda < 1 {
				below += float64(w) / n
			}
		}
		if want := (1 - p.Min) / p.Span(); beyond(mean-1, 1e-3) || beyond(below-want, 1e-3) {
			t.Errorf("%v: mean weight %v; of levels below 1 %v, want %v", p, mean, below, want)
		}
	}
}

// TestDensityKeepsMeans: the means over 65,536 draws of loss, drift and gradient by r at one point
// are those of uniform levels, within five standard errors, and the drift's variance is smaller.
func TestDensityKeepsMeans(t *testing.T) {
	const n = 1 << 16
	for _, b := range []Bound{{}, {ControlVariate: true}, {Weight: Simple}} {
		b.Process, b.Draws = testProcess, 1
		var mean, se [2][3]float64
		for k, density := range []Density{Uniform, Sech} {
			b.Density = density
			score := correlated(n)
			g, loss := evaluate(b, score, repeated(point, n))
			of := [3][]float64{make([]float64, n), make([]float64, n), make([]float64, n)}
			for i := range n {
				of[0][i], of[1][i] = float64(loss[i]), float64(g[i*testD])
				of[2][i] = float64(score.dout[i*testD])
			}
			for j, values := range of {
				mean[k][j], se[k][j] = meanError(values)
			}
		}
		for j, what := range []string{"loss", "drift", "gradient"} {
			if beyond(mean[0][j]-mean[1][j], 5*math.Hypot(se[0][j], se[1][j])) {
				t.Errorf("%+v: %s %v +- %v, with uniform levels %v +- %v", b, what, mean[1][j],
					se[1][j], mean[0][j], se[0][j])
			}
		}
		if se[1][1] >= se[0][1] {
			t.Errorf("%+v: standard error of the drift %v, with uniform levels %v", b, se[1][1],
				se[0][1])
		}
	}
}
