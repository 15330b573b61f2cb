package linear

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// posterior is a training with fixed diagonal W and S: its cloud samples the posteriors of 32
// independent coordinates, 8 of each prior variance.
type posterior struct {
	h, friction float64
	dynamics    particle.Dynamics
	draws       int
	score       bool // the drift is the score at lambda_max, without noise
	cv          bool // with the control variate
}

const (
	posteriorNoise  = 0.5 // sigma_x
	posteriorData   = 1.0 // every element of every datapoint
	posteriorPoints = 128 // M
	posteriorCloud  = 4   // N
	posteriorMoves  = 10  // in a step
)

// posteriorGain is the diagonal of W, by prior variances. The posterior precisions are from 4.25
// to 10.
var posteriorGain = [...]float64{1, 1.5, 1.2, 1}

func (c posterior) options() config.Options {
	o := lab.Plain(axesDim, posteriorCloud, c.h, 1)
	o.ObsNoise = posteriorNoise
	o.Dynamics, o.Friction, o.InnerSteps = c.dynamics, c.friction, posteriorMoves
	o.ScoreDraws, o.ControlVariate = c.draws, c.cv
	if c.score {
		o.PriorDrift = diffusion.ScoreDrift
	}
	return o
}

// chainOf is the exact law of a coordinate of prior variance spread[j].
func (c posterior) chainOf(j int) chain {
	own := drift1{lab.Process, axesMean, spread[j], c.cv}
	prior := own.mean
	if c.score {
		prior = scoreDrift(lab.Process, axesMean, spread[j])
	}
	w, precision := posteriorGain[j], math.Pow(posteriorNoise, -2)
	p := w*w*precision + prior(1) - prior(0)
	k := chain{
		mover: moverOf(c.dynamics, c.h, c.friction),
		p:     p, centre: (w*precision*posteriorData - prior(0)) / p,
	}
	if !c.score {
		v := func(z float64) float64 { return own.variance(z) / float64(c.draws) }
		k.v0, k.v1, k.v2 = v(0), (v(1)-v(-1))/2, (v(1)+v(-1))/2-v(0)
	}
	return k
}

// scoreDrift is -s(z, lambda_max) of N(m, s).
func scoreDrift(p diffusion.Process, m, s float64) func(float64) float64 {
	alpha, sigma := diffusion.Alpha(p.Max), diffusion.Sigma(p.Max)
	return func(z float64) float64 { return (z - alpha*m) / (alpha*alpha*s + sigma*sigma) }
}

// start builds the training; k numbers the seed.
func (c posterior) start(l *lab.Lab, k int) (method.Method, error) {
	o := c.options()
	decoder := model.NewMLP(l.Products, axesDim, axesDim)
	w := make([]float32, decoder.Layout().Size())
	for j := range axesDim {
		w[j*axesDim+j] = float32(posteriorGain[j%len(spread)])
	}
	data := data.Table{D: axesDim, X: make([]float32, posteriorPoints*axesDim)}
	for i := range data.X {
		data.X[i] = posteriorData
	}
	return method.New("ipld", method.Setup{
		Options: o, Train: data, Batch: posteriorPoints, Tile: 64, Seed: l.Seed(k), Pool: l.Pool,
		Decoder: decoder.Frozen(w), Prior: axesPrior(prior.NewBound(o)),
	})
}

// deviations is, for each prior variance, the first two moments of the cloud about a centre. The
// sample has one number for each particle, the mean over its replicates.
type deviations struct{ first, square [len(spread)]lab.Sample }

func deviationsOf(z []float32, centre [len(spread)]float64) (d deviations) {
	const copies = axesDim / len(spread)
	for i := 0; i < len(z); i += axesDim {
		for j := range spread {
			var first, square float64
			for k := j; k < axesDim; k += len(spread) {
				e := float64(z[i+k]) - centre[j]
				first += e / float64(copies)
				square += e * e / float64(copies)
			}
			d.first[j] = append(d.first[j], first)
			d.square[j] = append(d.square[j], square)
		}
	}
	return d
}

func (d *deviations) add(e deviations, scale float64) {
	for j := range spread {
		if d.first[j] == nil {
			d.first[j] = make(lab.Sample, len(e.first[j]))
			d.square[j] = make(lab.Sample, len(e.first[j]))
		}
		for i := range e.first[j] {
			d.first[j][i] += scale * e.first[j][i]
			d.square[j][i] += scale * e.square[j][i]
		}
	}
}

// settled averages over time the stationary deviations from the exact mean. Their scatter over the
// particles, which are independent, gives standard errors whatever the correlation in time. heat
// is the temperature that training itself reports, at each of those times.
func (c posterior) settled(l *lab.Lab, k int) (found deviations, heat lab.Sample, err error) {
	m, err := c.start(l, k)
	if err != nil {
		return found, heat, err
	}
	var centre [len(spread)]float64
	slowest := math.Inf(1)
	for j := range spread {
		law := c.chainOf(j)
		centre[j] = law.stationary().z
		slowest = min(slowest, law.p*c.h)
	}
	burn := int(math.Ceil(1.5/slowest)) + 2 // steps, which leave e^-15 or less of the start
	snapshots := l.N(20, 200)
	for i := range burn + snapshots {
		if _, err := l.StepAll(m, posteriorPoints, i); err != nil {
			return found, heat, err
		}
		if i >= burn {
			found.add(deviationsOf(lab.Tensor(m, "cloud/z"), centre), 1/float64(snapshots))
			heat = append(heat, m.Diagnose(0).ExtraTemperature)
		}
	}
	return found, heat, nil
}

func (c posterior) name() string {
	text := fmt.Sprintf("%s, h = %v", c.dynamics, c.h)
	if c.score {
		return text + ", score drift"
	}
	text += mark(c.cv, ", control variate")
	return text + mark(c.draws > 1, fmt.Sprintf(", %d draws", c.draws))
}

// posteriorVariances: the stationary variance is 1/(p (1 - h p/2)), and its relative bias is of
// first order in h.
func posteriorVariances(l *lab.Lab) error {
	steps := []float64{0.02, 0.04, 0.08, 0.12}
	var bias, se [len(spread)][]float64
	for k, h := range steps {
		c := posterior{h: h, friction: 1, dynamics: particle.Overdamped, draws: 1, score: true}
		found, _, err := c.settled(l, k)
		if err != nil {
			return err
		}
		for j := range spread {
			p, v := c.chainOf(j).p, found.square[j]
			name := fmt.Sprintf("p = %.4g, h = %v", p, h)
			if k == len(steps)-1 {
				l.EstimateMean("stationary variance of z, "+name, 1/(p*(1-h*p/2)), v,
					lab.Float32Error)
			}
			bias[j] = append(bias[j], 1-1/(p*v.Mean())) // h p/2
			se[j] = append(se[j], v.SE()/(p*v.Mean()*v.Mean()))
		}
	}
	var lines []figure.Series
	for j := range spread {
		p := posterior{h: 1, friction: 1, dynamics: particle.Overdamped, score: true}.chainOf(j).p
		exact := make([]float64, len(steps))
		for i, h := range steps {
			exact[i] = h * p / 2
		}
		l.Slope(fmt.Sprintf("1 - 1/(p Var z) against h, p = %.4g", p), 1, steps, bias[j], se[j], 0)
		lines = append(lines, lab.Pair(fmt.Sprintf("p = %.4g", p), steps, bias[j], se[j], exact)...)
	}
	l.Figure("linear-step", figure.Plot{
		Title:  "Bias of the stationary variance" + lab.Dashed,
		XLabel: "step size h", YLabel: "1 - 1/(p Var z)", LogX: true, LogY: true, Series: lines,
	})
	return nil
}

// momentumVariances: the stationary variances with velocities are those of the discrete dynamics,
// which solve their Lyapunov equation.
func momentumVariances(l *lab.Lab) error {
	for k, c := range []posterior{
		{h: 0.02, friction: 0.3, dynamics: particle.Underdamped, draws: 1, score: true},
		{h: 0.08, friction: 0.3, dynamics: particle.Underdamped, draws: 1, score: true},
		{h: 0.08, friction: 0.7, dynamics: particle.Underdamped, draws: 1, score: true},
		{h: 0.02, friction: 0.3, dynamics: particle.Underdamped, draws: 1},
		{h: 0.005, friction: 0.3, dynamics: particle.Exact, draws: 1, score: true},
		{h: 0.02, friction: 0.3, dynamics: particle.Exact, draws: 1, score: true},
		{h: 0.08, friction: 0.7, dynamics: particle.Exact, draws: 1, score: true},
		{h: 0.02, friction: 0.3, dynamics: particle.Exact, draws: 1},
	} {
		found, _, err := c.settled(l, k)
		if err != nil {
			return err
		}
		for _, j := range []int{0, 1} { // the largest v, the largest p
			law := c.chainOf(j)
			const quantity = "stationary variance of z, %s, friction %v, p = %.4g"
			name := fmt.Sprintf(quantity, c.name(), c.friction, law.p)
			l.EstimateMean(name, law.stationary().zz, found.square[j], lab.Float32Error)
		}
	}
	return nil
}
