package linear

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// learning is a training of axesDim one-dimensional models x = w z + noise side by side.
type learning struct {
	h, lr, friction float64
	dynamics        particle.Dynamics
	points, copies  int  // M, N
	w, s            bool // which are learned
	name            string
}

const (
	learnNoise = 0.5 // sigma_x
	learnGain  = 1.2 // the true w
)

// learner is a training under way, with its live arrays.
type learner struct {
	learning
	method.Method
	table data.Table
	w, z  []float32
	logS  []float32 // nil with the fixed prior N(0, 1), under pgd
}

// start builds the training on a pool; k numbers its seed.
func (c learning) start(l *lab.Lab, p *pool.Pool, k int) (*learner, error) {
	o := lab.Plain(axesDim, c.copies, c.h, c.lr)
	o.ObsNoise, o.Dynamics, o.Friction = learnNoise, c.dynamics, c.friction
	r := rand.New(rand.NewPCG(l.Seed(k), 2))
	train := data.Table{D: axesDim, X: make([]float32, c.points*axesDim)}
	for i := range train.X {
		train.X[i] = float32(math.Sqrt(learnGain*learnGain+learnNoise*learnNoise) * r.NormFloat64())
	}
	setup := method.Setup{
		Options: o, Train: train, Batch: c.points, Tile: 64, Seed: l.Seed(k), Pool: p,
		Decoder: exactnet.Diagonal{Width: axesDim, Scale: c.w}.Net(),
	}
	name := config.PGD
	if c.s {
		name = "ipld"
		score := exactnet.Score(exactnet.NewAxes(axesDim))
		setup.Prior = &prior.Diffusion{Bound: prior.NewBound(o), Score: score}
	}
	m, err := method.New(name, setup)
	if err != nil {
		return nil, err
	}
	t := &learner{learning: c, Method: m, table: train, z: lab.Tensor(m, "cloud/z")}
	if c.w {
		t.w = lab.Tensor(m, "decoder/params")
		for j := range t.w {
			t.w[j] = 0.6
		}
	}
	if c.s {
		t.logS = lab.Tensor(m, "prior/params")[axesDim:]
	}
	return t, nil
}

// train makes steps and calls seen with i after at[i] of them; at ascends.
func (t *learner) train(l *lab.Lab, at []int, seen func(i int)) error {
	t.Restored()
	done := 0
	for i, until := range at {
		for ; done < until; done++ {
			if _, err := l.StepAll(t.Method, t.points, done); err != nil {
				return err
			}
		}
		seen(i)
	}
	return nil
}

// now returns w and s of column j.
func (t *learner) now(j int) (w, s float64) {
	w, s = 1, 1
	if t.w != nil {
		w = float64(t.w[j])
	}
	if t.logS != nil {
		s = math.Exp(float64(t.logS[j]))
	}
	return w, s
}

// marginal is the model's variance of x in column j.
func (t *learner) marginal(j int) float64 {
	w, s := t.now(j)
	return w*w*s + learnNoise*learnNoise
}

// field is the mean-field limit of column j, from its present state.
func (t *learner) field(j int) *meanField {
	w, s := t.now(j)
	return &meanField{
		w: w, s: s, moments: momentsOf(t.z, t.table, j),
		mover: moverOf(t.dynamics, t.h, t.friction), lr: t.lr, noise: learnNoise,
		prior:  priorDrift{bound: t.learning.s, process: lab.Process},
		learnW: t.learning.w, learnS: t.learning.s,
	}
}

// learnedSteps: with w, s or both learned, the marginal variance after k steps equals the
// mean-field recursion's at every k, which measures the error of the discretised flow in k.
func learnedSteps(l *lab.Lab) error {
	at := make([]int, l.N(21, 41))
	for i := range at {
		at[i] = 10 * i
	}
	var lines []figure.Series
	for k, c := range []learning{
		{name: "W learned (pgd)", dynamics: particle.Overdamped, w: true},
		{name: "W learned (pgd), underdamped", dynamics: particle.Underdamped, w: true},
		{name: "S learned", dynamics: particle.Overdamped, s: true},
		{name: "W and S learned", dynamics: particle.Overdamped, w: true, s: true},
		{name: "W and S learned, underdamped", dynamics: particle.Underdamped, w: true, s: true},
		{name: "W and S learned, exact transition", dynamics: particle.Exact, w: true, s: true},
	} {
		c.h, c.lr, c.friction, c.points, c.copies = 0.02, 0.03, 1, 256, 4
		if c.dynamics != particle.Overdamped {
			c.friction = 0.3
		}
		line, err := c.compare(l, k, at)
		if err != nil {
			return err
		}
		lines = append(lines, line...)
	}
	l.Figure("linear-learned", figure.Plot{
		Title:  "Learned models" + lab.Dashed,
		XLabel: "steps k", YLabel: "marginal variance of x", Series: lines,
	})
	return nil
}

// path is the marginal variances and the prior variances s of the columns, after some numbers of
// steps.
type path struct{ marginal, s []lab.Sample }

func (p *path) add(now func(j int) (marginal, s float64)) {
	marginal, prior := make(lab.Sample, axesDim), make(lab.Sample, axesDim)
	for j := range axesDim {
		marginal[j], prior[j] = now(j)
	}
	p.marginal, p.s = append(p.marginal, marginal), append(p.s, prior)
}

// limit is the path of each column's mean-field limit, from the present state of the training.
func (t *learner) limit(at []int) (exact path) {
	fields := make([]*meanField, axesDim)
	for j := range fields {
		fields[j] = t.field(j)
	}
	done := 0
	for _, until := range at {
		for ; done < until; done++ {
			for _, f := range fields {
				f.step()
			}
		}
		exact.add(func(j int) (float64, float64) { return fields[j].marginal(), fields[j].s })
	}
	return exact
}

// compare trains, and compares the path with its mean-field limit.
func (c learning) compare(l *lab.Lab, k int, at []int) ([]figure.Series, error) {
	t, err := c.start(l, l.Pool, k)
	if err != nil {
		return nil, err
	}
	exact, found := t.limit(at), path{}
	err = t.train(l, at, func(int) {
		found.add(func(j int) (float64, float64) {
			_, s := t.now(j)
			return t.marginal(j), s
		})
	})
	if err != nil {
		return nil, err
	}
	var x, y, se, want []float64
	for i, steps := range at {
		law, errs := exact.marginal[i].Mean(), minus(found.marginal[i], exact.marginal[i])
		x, want = append(x, float64(steps)), append(want, law)
		y, se = append(y, law+errs.Mean()), append(se, errs.SE())
		if steps == 10 || steps == 30 || steps == 100 || i == len(at)-1 {
			name := fmt.Sprintf("marginal variance after %d steps, %s", steps, c.name)
			l.Estimate(name, law, y[i], se[i], law*cloudAllowance(c))
		}
	}
	if last := len(at) - 1; c.w && c.s {
		// The likelihood does not depend on the scale of the latents: the particles' bias inflates
		// it.
		s, errs := exact.s[last].Mean(), minus(found.s[last], exact.s[last])
		name := fmt.Sprintf("prior variance s after %d steps, %s", at[last], c.name)
		l.Estimate(name, s, s+errs.Mean(), errs.SE(), s*cloudAllowance(c))
	}
	return lab.Pair(c.name, x, y, se, want), nil
}

// minus returns the differences of two samples of the same length.
func minus(x, y lab.Sample) lab.Sample {
	d := make(lab.Sample, len(x))
	for i, v := range y {
		d[i] = x[i] - v
	}
	return d
}
