package linear

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

func closeTo(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*(1+math.Abs(want))) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// TestDriftMoments: the mean of the single-draw drift over the levels is the closed form of
// ALGORITHM.md, with and without the control variate, and its variance is that of random draws.
func TestDriftMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range []float64{0.25, 1, 3} {
		for _, cv := range []bool{false, true} {
			d := drift1{Process: lab.Process, m: 0.5, s: s, controlVariate: cv}
			for _, z := range []float64{-1, 1.2} {
				mean := exactnet.MeanOver(lab.Process, func(lambda float64) float64 {
					a, _ := d.at(z, lambda)
					return a
				})
				closeTo(t, "mean drift", mean, d.mean(z), 1e-9)
				var draws lab.Sample
				for range 200_000 {
					lambda := lab.Process.Min + lab.Process.Span()*r.Float64()
					draws = append(draws, drawnDrift(d, z, lambda, r.NormFloat64()))
				}
				// by the fourth moments of a mixture over the levels, 2 % is five standard errors
				closeTo(t, "variance of the drift", draws.Variance(), d.variance(z), 0.02)
			}
		}
	}
}

// drawnDrift is one draw of the drift, as ALGORITHM.md, section 4, states it.
func drawnDrift(d drift1, z, lambda, eps float64) float64 {
	alpha, sigma := math.Sqrt(1/(1+math.Exp(-lambda))), math.Sqrt(1/(1+math.Exp(lambda)))
	noised, c := alpha*z+sigma*eps, alpha*alpha*d.s+sigma*sigma
	r, slope := sigma*(noised-alpha*d.m)/c-sigma*noised, sigma/c-sigma
	e := sigma*noised + r - eps
	if d.controlVariate {
		return 20*alpha*(slope*e+sigma*r) + z/(1+math.Exp(-10))
	}
	return 20*alpha*(slope+sigma)*e + z/(1+math.Exp(10))
}

// TestThetaGradient compares the gradient with differences of the loss.
func TestThetaGradient(t *testing.T) {
	const mean, variance = 0.3, 1.4
	for _, weight := range []func(float64) float64{one, sech(lab.Process)} {
		loss := func(m, logS float64) float64 {
			d := drift1{Process: lab.Process, m: m, s: math.Exp(logS)}
			return exactnet.MeanOver(lab.Process, func(lambda float64) float64 {
				a2, s2 := 1/(1+math.Exp(-lambda)), 1/(1+math.Exp(lambda))
				u2 := variance + (mean-m)*(mean-m)
				square := (a2*s2*u2 + a2*a2*d.s*d.s) / math.Pow(a2*d.s+s2, 2)
				return lab.Process.Span() / 2 * weight(lambda) * square
			})
		}
		const h = 1e-5
		for _, p := range [][2]float64{{-0.5, 0.7}, {0.3, math.Log(variance)}} {
			d := drift1{Process: lab.Process, m: p[0], s: math.Exp(p[1])}
			byMean, byLogS := d.thetaGradient(mean, variance, weight)
			closeTo(t, "by the mean", byMean, (loss(p[0]+h, p[1])-loss(p[0]-h, p[1]))/(2*h), 1e-7)
			closeTo(t, "by log s", byLogS, (loss(p[0], p[1]+h)-loss(p[0], p[1]-h))/(2*h), 1e-7)
		}
	}
}

// TestMovers: the stationary variance and the stable step sizes of the overdamped and the
// underdamped move are the known ones, and the exact transition agrees with many small Euler steps
// of the equations of the moments.
func TestMovers(t *testing.T) {
	const h, p, f = 0.05, 8.0, 0.3
	over := chain{mover: moverOf(particle.Overdamped, h, 1), p: p}
	closeTo(t, "overdamped variance", over.stationary().zz, 1/(p*(1-h*p/2)), 1e-12)
	closeTo(t, "overdamped limit", stableStep(particle.Overdamped, 1, p), 2/p, 1e-12)
	closeTo(t, "underdamped limit", stableStep(particle.Underdamped, f, p), 2*(2-f)/p, 1e-12)

	m := exactMover(h, f)
	gamma := f / math.Sqrt(h)
	const n = 200_000
	dt := -math.Log1p(-f) / gamma / n
	// response to a constant drift of 1, and the covariance from (0, 0)
	var u, z, uu, uz, zz float64
	for range n {
		u, z = u+dt*(-gamma*u-1), z+dt*u
		uu, uz, zz = uu+dt*(2*gamma-2*gamma*uu), uz+dt*(uu-gamma*uz), zz+dt*2*uz
	}
	for what, pair := range map[string][2]float64{
		"phiU": {m.phiU, -u}, "phiZ": {m.phiZ, -z}, "carry": {m.carry, (1 - m.keep) / gamma},
		"quu": {m.quu, uu}, "quz": {m.quz, uz}, "qzz": {m.qzz, zz},
	} {
		if math.Abs(pair[0]/pair[1]-1) > 1e-4 { // Euler's error is of order gamma t/n
			t.Errorf("exact transition: %s is %v, integrated %v", what, pair[0], pair[1])
		}
	}
}

// TestChainIsSimulated: the recursion gives the moments of simulated particles, with
// multiplicative noise, to five standard errors.
func TestChainIsSimulated(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	c := chain{
		mover: moverOf(particle.Underdamped, 0.04, 0.3), p: 5, centre: 0.7, v0: 4, v1: -1, v2: 3,
	}
	const n, moves = 200_000, 12
	var positions, velocities, products lab.Sample
	g := c.after(atStart(), moves)
	for range n {
		u, z := 0.0, r.NormFloat64()
		for range moves {
			g := c.p*(z-c.centre) + math.Sqrt(c.v0+c.v1*z+c.v2*z*z)*r.NormFloat64()
			u = (1-0.3)*u - 0.04*g + math.Sqrt(2*0.3*0.04)*r.NormFloat64()
			z += u
		}
		positions, velocities = append(positions, z), append(velocities, u)
		products = append(products, (z-g.z)*(u-g.u))
	}
	for _, x := range []struct {
		what      string
		got, want float64
		scale     float64
	}{
		{"mean", positions.Mean(), g.z, math.Sqrt(g.zz)},
		{"mean velocity", velocities.Mean(), g.u, math.Sqrt(g.uu)},
		{"variance", positions.Variance(), g.zz, g.zz * math.Sqrt(3)},
		{"velocities' variance", velocities.Variance(), g.uu, g.uu * math.Sqrt(3)},
		{"covariance", products.Mean(), g.uz, math.Sqrt(3 * g.uu * g.zz)},
	} {
		if e := math.Abs(x.got-x.want) / x.scale * math.Sqrt(n); !(e <= 5) {
			t.Errorf("%s: %v simulated, %v by the recursion: %.1f standard errors",
				x.what, x.got, x.want, e)
		}
	}
}

// TestMeanFieldIsSimulated: the mean-field recursion gives the learned w of a simulation of many
// particles of many points, and tends to the limit.
func TestMeanFieldIsSimulated(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	const n, h, lr, noise = 100_000, 0.03, 0.05, 0.5
	z, x := make([]float64, n), make([]float64, n)
	var zz, xz, xx float64
	for i := range z {
		z[i], x[i] = r.NormFloat64(), 1.3*r.NormFloat64()
		zz, xz, xx = zz+z[i]*z[i]/n, xz+x[i]*z[i]/n, xx+x[i]*x[i]/n
	}
	f := meanField{
		w: 0.6, s: 1, moments: mat.NewDense(3, 3, []float64{0, 0, 0, 0, zz, xz, 0, xz, xx}),
		mover: moverOf(particle.Overdamped, h, 1), lr: lr, noise: noise,
		prior: priorDrift{process: lab.Process}, learnW: true,
	}
	w := 0.6
	for range 40 {
		var grad float64
		for i, v := range z {
			e := (w*v - x[i]) / (noise * noise)
			grad += e * v / n
			z[i] = v - h*(w*e+v) + math.Sqrt(2*h)*r.NormFloat64()
		}
		w -= lr * grad
		f.step()
	}
	closeTo(t, "w", f.w, w, 0.005) // five standard errors of about 1/sqrt(n), times sigma_x^2
	if limit := pgdLimit(2, h, noise); math.Abs(limit-2/(1+h*2/(2*0.25))) > 1e-15 {
		t.Errorf("limit %v", limit)
	}
	for range 3000 {
		f.step()
	}
	closeTo(t, "limit", f.marginal(), pgdLimit(xx, h, noise), 1e-6)
}

// TestFactorData: the gap is 0 at the maximum of the likelihood and larger elsewhere, the
// likelihood is the mean of the log-densities, and the limits of the methods are right where they
// are known.
func TestFactorData(t *testing.T) {
	f := newFactorData(300, 9)
	best := mat.NewSymDense(factorDim, nil)
	for k, v := range f.values {
		if k < factorLatent {
			best.SymRankOne(best, v-factorNoise*factorNoise, f.axes.ColView(k))
		}
		best.SetSym(k, k, best.At(k, k)+factorNoise*factorNoise)
	}
	closeTo(t, "gap at the maximum", f.gap(f.mean, best), 0, 1e-12)
	if f.gap(f.mean, f.truth) < 1e-4 || f.gap(make([]float64, factorDim), best) < 1e-6 {
		t.Error("no gap away from the maximum")
	}
	var chol mat.Cholesky
	if !chol.Factorize(f.truth) {
		t.Fatal("truth")
	}
	var direct float64
	for i := range f.Len() {
		x, y := mat.NewVecDense(factorDim, nil), mat.NewVecDense(factorDim, nil)
		exactnet.Widen(x.RawVector().Data, f.X[i*factorDim:(i+1)*factorDim])
		if err := chol.SolveVecTo(y, x); err != nil {
			t.Fatal(err)
		}
		negLog := (mat.Dot(x, y) + chol.LogDet() + factorDim*math.Log(2*math.Pi)) / 2
		direct -= negLog / float64(f.Len())
	}
	closeTo(t, "likelihood", f.logLikelihood(make([]float64, factorDim), f.truth), direct, 1e-12)
	scaled := mat.NewSymDense(factorDim, nil)
	for k, v := range f.values {
		if k < factorLatent {
			scaled.SymRankOne(scaled, 0.9*v-factorNoise*factorNoise, f.axes.ColView(k))
		}
		scaled.SetSym(k, k, scaled.At(k, k)+factorNoise*factorNoise)
	}
	smaller := func(v float64) float64 { return 0.9 * v }
	closeTo(t, "gap of other variances", f.gapOf(smaller), f.gap(f.mean, scaled), 1e-12)

	closeTo(t, "pgd", atStationary(particle.Overdamped, 0.05)(2),
		pgdLimit(2, 0.05, factorNoise), 1e-9)
	closeTo(t, "long short runs", shortRun(0.05, 4000)(2), pgdLimit(2, 0.05, factorNoise), 1e-9)
	closeTo(t, "refitted", refitted(atStationary(particle.Overdamped, 0.05))(2), 2*(1-0.05/2), 1e-9)
}

// TestWalk: with many steps each solver reaches the true law, apart from the cut-off at lambda_min.
func TestWalk(t *testing.T) {
	for _, solver := range diffusion.Solvers {
		for _, s := range []float64{0.25, 3} {
			z := walk(lab.Process, solver, 20000, 0.5, s)
			closeTo(t, string(solver)+" mean", z.b, 0.5, 0.01) // of order alpha_min = 0.007
			closeTo(t, string(solver)+" variance", z.variance(), s, 3e-3)
		}
	}
}

func TestGaussianKL(t *testing.T) {
	one := func(v float64) *mat.SymDense { return mat.NewSymDense(1, []float64{v}) }
	want := (2.0/3 + 0.25/3 - 1 + math.Log(3.0/2)) / 2
	closeTo(t, "KL", gaussianKL([]float64{1}, one(2), []float64{0.5}, one(3)), want, 1e-12)
	closeTo(t, "KL to itself", gaussianKL([]float64{1}, one(2), []float64{1}, one(2)), 0, 1e-12)
}
