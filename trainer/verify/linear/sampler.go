package linear

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// affine1 is the law of a sample on its way: a z + b plus independent noise of variance v, for z
// from N(0, 1).
type affine1 struct{ a, b, v float64 }

// walk is the law of samples of N(m, s) in one dimension after a solver's steps with the exact
// score. Each step is affine, since eps = sigma (z - alpha m)/c with c = alpha^2 s + sigma^2.
func walk(p diffusion.Process, solver diffusion.Solver, steps int, m, s float64) affine1 {
	z, prev := affine1{a: 1}, affine1{}
	for k := range steps {
		from := p.Min + p.Span()*float64(k)/float64(steps)
		to := p.Min + p.Span()*float64(k+1)/float64(steps)
		as, ss := diffusion.Alpha(from), diffusion.Sigma(from)
		at, st := diffusion.Alpha(to), diffusion.Sigma(to)
		c := as*as*s + ss*ss
		eps := affine1{a: ss / c * z.a, b: ss / c * (z.b - as*m)}
		switch solver {
		case diffusion.Ancestral:
			share := 1 - math.Exp(from-to)
			keep := at / as * (1 - share*ss*ss/c)
			z = affine1{a: keep * z.a, b: keep*z.b + at/as*share*ss*ss*as*m/c, v: keep * keep * z.v}
			if k < steps-1 {
				z.v += st * st * share
			}
		case diffusion.DDIM:
			// the predicted data, noised to the next level with the predicted noise
			z = affine1{a: at*(z.a-ss*eps.a)/as + st*eps.a, b: at*(z.b-ss*eps.b)/as + st*eps.b}
		case diffusion.DPM2M:
			data := affine1{a: (z.a - ss*eps.a) / as, b: (z.b - ss*eps.b) / as}
			mid := data
			if k > 0 {
				mid = affine1{a: 1.5*data.a - 0.5*prev.a, b: 1.5*data.b - 0.5*prev.b}
			}
			r, e := st/ss, at*(1-math.Exp((from-to)/2))
			z, prev = affine1{a: r*z.a + e*mid.a, b: r*z.b + e*mid.b}, data
		}
	}
	return z
}

func (z affine1) variance() float64 { return z.a*z.a + z.v }

// samplers: with the exact score the samples of each solver are Gaussian, with the mean and the
// variance of its recursion at any number of steps.
func samplers(l *lab.Lab) error {
	m, err := posterior{h: 1, friction: 1, dynamics: particle.Overdamped, draws: 1}.start(l, 0)
	if err != nil {
		return err
	}
	g := m.Generator(false)
	n := l.N(4096, 65536)
	latents := make([]float32, n*axesDim)
	var lines []figure.Series
	for _, solver := range diffusion.Solvers {
		standard, err := solver.DefaultSteps()
		if err != nil {
			return err
		}
		var x, y, se, exact []float64
		for i, steps := range []int{standard / 2, standard, 2 * standard} {
			spec := generate.Spec{Solver: solver, Steps: steps, Seed: l.Seed(i)}
			err := g.SampleLatents(l.Context(), latents, n, spec)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s, %d steps", solver, steps)
			if steps == standard {
				sampledLaw(l, name, latents, solver, steps)
			}
			law, errs := sampledError(latents, solver, steps)
			l.EstimateMean("relative error of the samples' variance, "+name, law, errs,
				lab.Float32Error)
			x, exact = append(x, float64(steps)), append(exact, math.Abs(law))
			y, se = append(y, math.Abs(errs.Mean())), append(se, errs.SE())
		}
		lines = append(lines, lab.Pair(string(solver), x, y, se, exact)...)
	}
	l.Figure("linear-solvers", figure.Plot{
		Title:  "Samples with the exact score" + lab.Dashed,
		XLabel: "steps", YLabel: "relative error of the variance",
		LogX: true, LogY: true, Series: lines,
	})
	return nil
}

// sampledError is the relative error of the variance, averaged over the prior variances: by
// the recursion, and measured in samples.
func sampledError(
	latents []float32, solver diffusion.Solver, steps int,
) (law float64, measured lab.Sample) {
	var centre [len(spread)]float64
	for j, s := range spread {
		w := walk(lab.Process, solver, steps, axesMean, s)
		centre[j] = w.b
		law += (w.variance()/s - 1) / float64(len(spread))
	}
	found := deviationsOf(latents, centre)
	for j, s := range spread {
		share := make(lab.Sample, len(found.square[j]))
		for i, v := range found.square[j] {
			share[i] = (v/s - 1) / float64(len(spread))
		}
		measured = plus(measured, share)
	}
	return law, measured
}

// sampledLaw compares samples with the recursion.
func sampledLaw(l *lab.Lab, name string, latents []float32, solver diffusion.Solver, steps int) {
	var centre [len(spread)]float64
	for j, s := range spread {
		centre[j] = walk(lab.Process, solver, steps, axesMean, s).b
	}
	found := deviationsOf(latents, centre)
	for _, j := range []int{0, len(spread) - 1} {
		s := spread[j]
		law := walk(lab.Process, solver, steps, axesMean, s)
		of := fmt.Sprintf(" of samples, %s, s = %v", name, s)
		first, square := found.first[j], found.square[j]
		l.Estimate("mean"+of, law.b, law.b+first.Mean(), first.SE(), lab.Float32Error)
		l.EstimateMean("variance"+of, law.variance(), square, lab.Float32Error)
	}
}
