package method

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
)

// The toy model of toy_test.go under the other particle methods. A step of each is affine in its
// state, so the law of (theta, mean X) at every step follows from the formula of the step.

// form is a linear combination of a step's state, the constant 1, and independent standard normals,
// by its coefficients: elements 0 to 4 are those of theta, mean X, momentum m, mean velocity U, and
// the constant.
type form [16]float64

const formOne = 4

var formTheta, formX, formM, formU = form{0: 1}, form{1: 1}, form{2: 1}, form{3: 1}

// noiseForm is the i-th normal of a step.
func noiseForm(i int) (f form) {
	f[formOne+1+i] = 1
	return f
}

func (f form) plus(a float64, g form) form {
	for i, v := range g {
		f[i] += a * v
	}
	return f
}

// toyStep is the new state of a step, as forms of the old one, and the parameter as a form.
type toyStep struct {
	next  [4]form
	shown form
}

// after returns the law of (the parameter, mean X) after k steps. theta and the momenta start at 0,
// each particle at a standard normal.
func (s toyStep) after(k, particles int) law {
	var mean [5]float64
	var cov [5][5]float64
	mean[formOne] = 1
	cov[1][1] = 1 / float64(toyPoints*particles)
	moments := func(f, g form) (m, c float64) {
		for i, a := range f {
			if i <= formOne {
				m += a * mean[i]
				for j := range mean {
					c += a * cov[i][j] * g[j]
				}
			} else {
				c += a * g[i]
			}
		}
		return m, c
	}
	for range k {
		var nextMean [5]float64
		var nextCov [5][5]float64
		nextMean[formOne] = 1
		for i, f := range s.next {
			for j, g := range s.next {
				nextMean[i], nextCov[i][j] = moments(f, g)
			}
		}
		mean, cov = nextMean, nextCov
	}
	var l law
	l.mean[0], l.cov[0] = moments(s.shown, s.shown)
	_, l.cov[1] = moments(s.shown, formX)
	l.mean[1], l.cov[2] = moments(formX, formX)
	return l
}

// toyRun is the options of a toy's training, and the factors that a mistake changes.
type toyRun struct {
	method    config.Method
	options   config.Options
	particles float64 // number by which a mistake divides the noise of a mean once more
	heat      float64 // factor on all noise
}

// moved is mean X after a move at theta, with the i-th noise.
func (r toyRun) moved(x, theta form, i int) form {
	h := r.options.StepSize
	drift := form{formOne: -toyMean}.plus(2, x).plus(-1, theta)
	return x.plus(-h, drift).plus(r.heat*math.Sqrt(2*h/r.rows()), noiseForm(i))
}

func (r toyRun) rows() float64 { return toyPoints * float64(r.options.Particles) * r.particles }

// learned is theta after a step against the mean gradient theta - X.
func (r toyRun) learned(x form) form {
	return formTheta.plus(r.options.LR, x).plus(-r.options.LR, formTheta)
}

// ipla: both move from the step's start, both with noise.
func (r toyRun) ipla(paramNoise float64) toyStep {
	theta := r.learned(formX).plus(paramNoise*r.heat*math.Sqrt(2*r.options.LR/r.rows()),
		noiseForm(1))
	return toyStep{next: [4]form{theta, r.moved(formX, formTheta, 0)}, shown: formTheta}
}

// chain is K moves from start, and theta from states first to K, the last of them at index K.
func (r toyRun) chain(start form, first int) toyStep {
	x, k := start, r.options.InnerSteps
	var mean form
	for i := 0; ; i++ {
		if i >= first {
			mean = mean.plus(1/float64(k-first+1), x)
		}
		if i == k {
			return toyStep{next: [4]form{r.learned(mean), x}, shown: formTheta}
		}
		x = r.moved(x, formTheta, i)
	}
}

// coldStart is the mean of fresh particles; its normal is not that of a move.
func (r toyRun) coldStart() form { return form{}.plus(1/math.Sqrt(r.rows()), noiseForm(10)) }

// mpgd is the step as in section 7 of ALGORITHM.md, for theta itself, with the gradient at the
// look-ahead point, which is the parameter. The noises follow from their covariance, that of z
// first. lr and drag determine gamma and the time of the parameters, as h and friction do for the
// particles.
func (r toyRun) mpgd(sameNoise bool) toyStep {
	o := r.options
	gamma, tau, s := transit(o.ParamDrag, o.LR)
	look := formTheta.plus((1-s)/gamma, formM)
	grad := look.plus(-1, formX)
	theta := look.plus(-(tau-(1-s)/gamma)/gamma, grad)
	m := form{}.plus(s, formM).plus(-(1-s)/gamma, grad)

	gamma, tau, s = transit(o.Friction, o.StepSize)
	szz := (2*tau - s*s/gamma + 4*s/gamma - 3/gamma) / gamma
	suu, szu := 1-s*s, (1-2*s+s*s)/gamma
	drift := form{formOne: -toyMean}.plus(2, formX).plus(-1, look)
	each := r.heat / math.Sqrt(r.rows())
	x := formX.plus((1-s)/gamma, formU).plus(-(tau-(1-s)/gamma)/gamma, drift)
	x = x.plus(each*math.Sqrt(szz), noiseForm(0))
	u := form{}.plus(s, formU).plus(-(1-s)/gamma, drift)
	if sameNoise {
		u = u.plus(each*math.Sqrt(suu), noiseForm(0))
	} else {
		u = u.plus(each*szu/math.Sqrt(szz), noiseForm(0))
		u = u.plus(each*math.Sqrt(suu-szu*szu/szz), noiseForm(1))
	}
	return toyStep{next: [4]form{theta, x, m, u}, shown: look}
}

// transit returns gamma, the time of a step, and exp(-gamma time) for a share lost per step and a
// step size.
func transit(lost, step float64) (gamma, tau, s float64) {
	gamma = lost / math.Sqrt(step)
	return gamma, -math.Log(1-lost) / gamma, 1 - lost
}

// toyRuns returns the methods with their steps, and the steps of plausible mistakes by name.
func toyRuns() map[string]func() (toyRun, toyStep, map[string]toyStep) {
	run := func(name config.Method, h float64, inner, particles int) toyRun {
		o := toyOptions(h)
		o.InnerSteps, o.Particles = inner, particles
		return toyRun{method: name, options: o, particles: 1, heat: 1}
	}
	with := func(r toyRun, particles, heat float64) toyRun {
		r.particles, r.heat = particles, heat
		return r
	}
	return map[string]func() (toyRun, toyStep, map[string]toyStep){
		"ipla": func() (toyRun, toyStep, map[string]toyStep) {
			r := run("ipla", 0.1, 1, toyParticles)
			r.options.ParamNoise = 1
			return r, r.ipla(1), map[string]toyStep{
				"no parameter noise":               r.ipla(0),
				"parameter noise over sqrt 2":      r.ipla(math.Sqrt(0.5)),
				"parameter noise without 1/N":      r.ipla(math.Sqrt(toyParticles)),
				"parameter noise without 1/M":      r.ipla(math.Sqrt(toyPoints)),
				"parameter noise without the root": r.ipla(math.Sqrt(2 * r.options.LR / r.rows())),
				"half the noise":                   with(r, 1, 0.5).ipla(1),
			}
		},
		"soul": func() (toyRun, toyStep, map[string]toyStep) {
			r := run("soul", 0.1, 3, 2)
			return r, r.chain(formX, 1), map[string]toyStep{
				"the last state":                r.chain(formX, 3),
				"the chain's start too":         r.chain(formX, 0),
				"the last two":                  r.chain(formX, 2),
				"a cold start":                  r.chain(r.coldStart(), 1),
				"noise shared by the particles": with(r, 0.5, 1).chain(formX, 1),
			}
		},
		"abp": func() (toyRun, toyStep, map[string]toyStep) {
			r := run("abp", 0.1, 3, 1)
			two := r
			two.options.InnerSteps = 2
			return r, r.chain(formX, 3), map[string]toyStep{
				"the average":       r.chain(formX, 1),
				"a cold start":      r.chain(r.coldStart(), 3),
				"two moves":         two.chain(formX, 2),
				"noise over sqrt 2": with(r, 1, math.Sqrt(0.5)).chain(formX, 3),
			}
		},
		"shortrun": func() (toyRun, toyStep, map[string]toyStep) {
			r := run("shortrun", 0.1, 3, 1)
			return r, r.chain(r.coldStart(), 3), map[string]toyStep{
				"a warm start":      r.chain(formX, 3),
				"the average":       r.chain(r.coldStart(), 1),
				"a start at 0":      r.chain(form{}, 3),
				"one start for all": r.chain(with(r, 0.25, 1).coldStart(), 3),
			}
		},
		"mpgd": func() (toyRun, toyStep, map[string]toyStep) {
			r := run("mpgd", 0.05, 1, toyParticles)
			r.options.Dynamics, r.options.Friction, r.options.ParamDrag = "exact", 0.8, 0.3
			slow := r
			slow.options.ParamDrag = 0.6
			return r, r.mpgd(false), map[string]toyStep{
				"one noise for z and u": r.mpgd(true),
				"noise over sqrt 2":     with(r, 1, math.Sqrt(0.5)).mpgd(false),
				"another drag":          slow.mpgd(false), "no momentum of theta": {
					next: [4]form{
						r.learned(formX), r.mpgd(false).next[1], {}, r.mpgd(false).next[3],
					},
					shown: formTheta,
				},
			}
		},
	}
}

// Each method has the law of its step at every k, within the standard errors of 16,000 replicates.
// The same test rejects the laws of plausible mistakes.
func TestToyModelOfParticleMethods(t *testing.T) {
	at := []int{0, 1, 2, 5, 20, 60}
	for name, build := range toyRuns() {
		r, right, wrong := build()
		found := trainToy(t, r.method, r.options, toyModels, at)
		most := func(s toyStep) (most float64) {
			for _, k := range at {
				for _, score := range found[k].scores(s.after(k, r.options.Particles)) {
					most = max(most, score)
				}
			}
			return most
		}
		for _, k := range at {
			for what, score := range found[k].scores(right.after(k, r.options.Particles)) {
				if !(score <= rejected) {
					t.Errorf("%s after %d steps: %s is %.1f standard errors off", name, k, what,
						score)
				}
			}
		}
		for mistake, s := range wrong {
			if m := most(s); m <= rejected {
				t.Errorf("%s: no power: %s is only %.1f standard errors off", name, mistake, m)
			}
		}
	}
}

// For small h theta of ipla tends to the law N(mean y, 2/(N D)) of ALGORITHM.md, section 8.1, with
// a bias of order h; soul, abp and mpgd tend to the maximum mean y.
func TestToyLimitOfParticleMethods(t *testing.T) {
	for name, build := range toyRuns() {
		r, _, _ := build()
		if name == "shortrun" {
			continue // its short chains are biased
		}
		for _, h := range []float64{4e-3, 2e-3} {
			r.options.StepSize, r.options.LR = h, h*toyPoints
			step := map[string]func() toyStep{
				"ipla": func() toyStep { return r.ipla(1) },
				"soul": func() toyStep { return r.chain(formX, 1) },
				"abp":  func() toyStep { return r.chain(formX, 3) },
				"mpgd": func() toyStep { return r.mpgd(false) },
			}[name]()
			l := step.after(int(60/h), r.options.Particles)
			if math.Abs(l.mean[0]-toyMean) > 1e-6 {
				t.Errorf("%s, h = %v: theta tends to %v, not to %v", name, h, l.mean[0], toyMean)
			}
			want := 2.0 / (toyParticles * toyPoints)
			if bias := l.cov[0]/want - 1; name == "ipla" && math.Abs(bias) > 5*h {
				t.Errorf("h = %v: variance %v, expected %v", h, l.cov[0], want)
			}
		}
	}
}
