package diffusion

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

var samplerKey = kernel.Key{Seed: 6, Stream: StreamSampleNoise}

func standardNormals(n int, ids []uint64) []float32 {
	z := make([]float32, n*testD)
	kernel.NormalRows(z, ids, testD, kernel.Key{Seed: 6, Stream: StreamSamplePrior})
	return z
}

// walk samples from z in place and returns it.
func walk(g *gaussian, solver Solver, steps int, z []float32) []float32 {
	w := Walk{Process: testProcess, Solver: solver, Steps: steps, D: testD, Noise: samplerKey,
		Eps: g.epsFunc}
	w.Run(z, addresses(len(z)/testD), make([]float32, 3*len(z)))
	return z
}

// ancestralLaw returns the exact mean and variance, per principal axis, of the samples of the
// ancestral solver with the exact score: those of
// (alpha_t/alpha_s)(z - c sigma_s^2 (z - alpha_s m)/C_s) + sigma_t sqrt(c) xi, step by step,
// starting from N(0, I).
func ancestralLaw(g *gaussian, p Process, steps int) (mean, variance [testD]float64) {
	m := g.principal(g.m)
	for j := range variance {
		variance[j] = 1
	}
	for k := range steps {
		s := p.Min + p.Span()*float64(k)/float64(steps)
		t := p.Min + p.Span()*float64(k+1)/float64(steps)
		as, ss, at, st := Alpha(s), Sigma(s), Alpha(t), Sigma(t)
		c := 1 - math.Exp(s-t)
		for j, v := range g.s {
			pull := c * ss * ss / (as*as*v + ss*ss)
			mean[j] = at / as * (mean[j] - pull*(mean[j]-as*m[j]))
			variance[j] *= math.Pow(at/as*(1-pull), 2)
			if k < steps-1 {
				variance[j] += st * st * c
			}
		}
	}
	return mean, variance
}

// With the exact score of a correlated Gaussian, the samples have the mean and the covariance of
// the exact recursion, within 5 standard errors of 10,000 samples: 0.05 standard deviations in a
// mean, 7 % in a variance. With 200 steps, the recursion has the mean of the Gaussian and its
// variance within 5 %.
func TestAncestralLaw(t *testing.T) {
	const n = 10000
	g := correlated(0)
	for _, steps := range []int{1, 10, 50} {
		z := walk(g, Ancestral, steps, standardNormals(n, addresses(n)))
		mean, variance := ancestralLaw(g, testProcess, steps)
		var got [testD]float64
		var cov [testD][testD]float64
		for i := range n {
			p := g.principal(row64(z, i))
			for j := range p {
				got[j] += p[j] / n
				for l := range p {
					cov[j][l] += (p[j] - mean[j]) * (p[l] - mean[l]) / n
				}
			}
		}
		for j := range testD {
			if se := math.Sqrt(variance[j] / n); beyond(got[j]-mean[j], 5*se) {
				t.Errorf("%d steps, axis %d: mean %v, want %v +- %v", steps, j, got[j], mean[j], se)
			}
			for l := range testD {
				want, se := 0.0, math.Sqrt(variance[j]*variance[l]/n)
				if j == l {
					want, se = variance[j], math.Sqrt2*se
				}
				if beyond(cov[j][l]-want, 5*se) {
					t.Errorf("%d steps: covariance (%d, %d) is %v, want %v +- %v", steps, j, l,
						cov[j][l], want, se)
				}
			}
		}
	}
	mean, variance := ancestralLaw(g, testProcess, 200)
	m := g.principal(g.m)
	for j := range m {
		t.Logf("200 steps, axis %d: mean %.4f of %.4f, variance %.4f of %.4f", j, mean[j], m[j],
			variance[j], g.s[j])
		if beyond(mean[j]-m[j], 0.01*math.Sqrt(g.s[j])) || beyond(variance[j]-g.s[j], 0.05*g.s[j]) {
			t.Errorf("200 steps, axis %d: N(%v, %v), want N(%v, %v)", j, mean[j], variance[j],
				m[j], g.s[j])
		}
	}
}

// With a linear score, the probability flow preserves (z - alpha m)/sqrt(C) in each principal axis,
// so the end of every path is known. The error of ddim is inversely proportional to the number of
// steps, that of dpm++2m to its square, as long as it exceeds the rounding of float32, about 1e-6.
func TestSolverOrders(t *testing.T) {
	const n = 50
	g := correlated(0)
	start := standardNormals(n, addresses(n))
	for _, c := range []struct {
		solver Solver
		order  float64
		steps  []int
		bound  float64 // of the error with the largest number of steps
	}{
		{DDIM, 1, []int{80, 160, 320, 640}, 0.02},
		{DPM2M, 2, []int{40, 80, 160, 320}, 2e-3},
	} {
		var x, y []float64
		for _, steps := range c.steps {
			e := flowError(g, start, walk(g, c.solver, steps, append([]float32(nil), start...)))
			t.Logf("%s, %d steps: error %.3g", c.solver, steps, e)
			x, y = append(x, math.Log(float64(steps))), append(y, math.Log(e))
		}
		if slope := -fittedSlope(x, y); beyond(slope-c.order, 0.15) {
			t.Errorf("%s: order %.2f, want %v", c.solver, slope, c.order)
		}
		if e := math.Exp(y[len(y)-1]); e > c.bound {
			t.Errorf("%s: error %v with %d steps, want at most %v", c.solver, e,
				c.steps[len(c.steps)-1], c.bound)
		}
	}
}

// flowError returns the root mean square distance between end and the exact flow of start.
func flowError(g *gaussian, start, end []float32) float64 {
	m := g.principal(g.m)
	var sum float64
	for i := range len(start) / testD {
		from, to := g.principal(row64(start, i)), g.principal(row64(end, i))
		for j, v := range g.s {
			c := func(lambda float64) float64 {
				return math.Sqrt(math.Pow(Alpha(lambda), 2)*v + math.Pow(Sigma(lambda), 2))
			}
			lo, hi := testProcess.Min, testProcess.Max
			want := Alpha(hi)*m[j] + c(hi)/c(lo)*(from[j]-Alpha(lo)*m[j])
			sum += (to[j] - want) * (to[j] - want)
		}
	}
	return math.Sqrt(sum / float64(len(start)))
}

func fittedSlope(x, y []float64) float64 {
	mx, _ := meanError(x)
	my, _ := meanError(y)
	var xy, xx float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
	}
	return xy / xx
}

// The path of a row depends on its address but not on other rows, and each step has its own noise.
func TestWalkRows(t *testing.T) {
	const n = 10
	g, ids := correlated(0), addresses(n)
	for _, solver := range Solvers {
		start := standardNormals(n, ids)
		whole := walk(g, solver, 7, append([]float32(nil), start...))
		w := Walk{Process: testProcess, Solver: solver, Steps: 7, D: testD, Noise: samplerKey,
			Eps: g.epsFunc}
		for i := n - 1; i >= 0; i-- {
			z := append([]float32(nil), start[i*testD:(i+1)*testD]...)
			w.Run(z, ids[i:i+1], make([]float32, 3*testD))
			if row64(z, 0) != row64(whole, i) {
				t.Errorf("%s: row %d alone ends at %v, in the batch at %v", solver, i, z,
					whole[i*testD:(i+1)*testD])
			}
		}
	}

	// Without a score and from z = 0, step k before the last adds noise of the step Noise.Step + k,
	// scaled by alpha_max/alpha_k.
	zero := func(eps, _ []float32, _ float64) { clear(eps) }
	z, xi := make([]float32, n*testD), make([]float32, n*testD)
	w := Walk{Process: testProcess, Solver: Ancestral, Steps: 3, D: testD,
		Noise: samplerKey, Eps: zero}
	w.Run(z, ids, make([]float32, 3*len(z)))
	want := make([]float64, len(z))
	for k := range 2 {
		at := w.Min + w.Span()*float64(k+1)/3
		key := samplerKey
		key.Step += uint32(k)
		kernel.NormalRows(xi, ids, testD, key)
		for i := range want {
			sd := Sigma(at) * math.Sqrt(1-math.Exp(-w.Span()/3))
			want[i] += Alpha(w.Max) / Alpha(at) * sd * float64(xi[i])
		}
	}
	for i := range z {
		if beyond(float64(z[i])-want[i], 1e-4) {
			t.Fatalf("element %d: %v, want %v", i, z[i], want[i])
		}
	}
}

func TestDefaultSteps(t *testing.T) {
	for s, want := range map[Solver]int{Ancestral: 200, DDIM: 50, DPM2M: 20} {
		if n, err := s.DefaultSteps(); n != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", s, n, err, want)
		}
	}
	const message = `solver "euler": expected one of ["ancestral" "ddim" "dpm++2m"]`
	if _, err := Solver("euler").DefaultSteps(); err == nil || err.Error() != message {
		t.Errorf("error %v, want %s", err, message)
	}
}
