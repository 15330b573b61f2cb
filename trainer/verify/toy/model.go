package toy

import (
	"maps"
	"slices"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// toy is one training of the hierarchical model of ALGORITHM.md, section 8.1: x_d ~ N(theta, 1),
// y_d ~ N(x_d, 1), d = 1..D. The latents are the x_d, the decoder is the identity and theta the
// mean of the prior; or, with non-centred latents z_d = x_d - theta, theta is the decoder's offset.
type toy struct {
	method     string
	points     int // D, also M
	particles  int // N
	h          float64
	noncentred bool
	parts      int     // minibatches in an epoch, taken in turn; D is a multiple
	inner      int     // K moves for each step of theta
	dynamics   string  // of the particles
	friction   float64 // theirs, where they have velocities
	start      float64 // theta at the start

	// What the law must know of the method.
	follows bool    // theta learns from the state after the moves
	average bool    // from all K of them
	cold    bool    // particles start anew from N(0, 1) at each step
	heat    float64 // of theta's noise, 1 for ipla's
	drag    float64 // of theta's momentum
}

// rate is theta's learning rate: its step h against the sum over the D datapoints.
func (t toy) rate() float64 { return t.h * float64(t.points) }

// standard is the smallest interesting model.
func standard(h float64) toy {
	return toy{method: "pgd", points: 4, particles: 3, h: h, parts: 1, inner: 1, dynamics: "overdamped"}
}

// toyMean is the mean of y, the maximum-likelihood theta.
const toyMean = 5

// y is the data of one replicate.
func (t toy) y(i int) float64 { return toyMean + float64(2*i-(t.points-1))/2 }

// part is the datapoints of a minibatch.
func (t toy) part(b int) []int {
	n := t.points / t.parts
	return lab.All(t.points)[b*n : (b+1)*n]
}

// partMean is the mean of y in a minibatch.
func (t toy) partMean(b int) (mean float64) {
	part := t.part(b)
	for _, i := range part {
		mean += t.y(i) / float64(len(part))
	}
	return mean
}

// toyWidth is how many replicates one model holds as coordinates.
const toyWidth = 1024

// watch is the live arrays of a method.
type watch struct {
	method.Method
	theta, z, u []float32
}

// build makes a model of toyWidth replicates.
func (t toy) build(seed uint64, p *pool.Pool) (*watch, error) {
	o := lab.Plain(toyWidth, t.particles, t.h, t.rate())
	o.InnerSteps, o.Dynamics, o.ParamNoise, o.ParamDrag = t.inner, t.dynamics, t.heat, t.drag
	if t.friction > 0 {
		o.Friction = t.friction
	}
	train := data.Table{D: toyWidth}
	for i := range t.points * toyWidth {
		train.X = append(train.X, float32(t.y(i/toyWidth)))
	}
	m, err := method.New(t.method, method.Setup{
		Options: o, Train: train, Batch: t.points / t.parts, Tile: 16, Seed: seed, Pool: p,
		Decoder: exactnet.Diagonal{Width: toyWidth, Offset: t.noncentred}, Prior: prior.Gaussian{Latent: toyWidth, LearnMean: !t.noncentred},
	})
	if err != nil {
		return nil, err
	}
	w := &watch{Method: m, z: lab.Tensor(m, "cloud/z")}
	if t.noncentred {
		w.theta = lab.Tensor(m, "decoder/params")
	} else {
		w.theta = lab.Tensor(m, "prior/params")
	}
	if t.dynamics != "overdamped" {
		w.u = lab.Tensor(m, "cloud/u")
	}
	for i := range w.theta {
		w.theta[i] = float32(t.start)
	}
	m.Restored()
	return w, nil
}

// state is the numbers of the model's law for replicate j: theta; the mean latent of each part; and
// their mean velocities.
func (t toy) state(m *watch, j int, s []float64) {
	s[0] = float64(m.theta[j])
	t.means(m.z, j, s[1:1+t.parts])
	if m.u != nil {
		t.means(m.u, j, s[1+t.parts:])
	}
}

func (t toy) means(x []float32, j int, out []float64) {
	rows := t.points / t.parts * t.particles
	for b := range out {
		out[b] = 0
		for i := b * rows; i < (b+1)*rows; i++ {
			out[b] += float64(x[i*toyWidth+j]) / float64(rows)
		}
	}
}

// train makes steps of enough models for the replicates and adds what they show after each number
// of steps in found.
func (t toy) train(l *lab.Lab, replicates int, found map[int]*observed) error {
	at := slices.Sorted(maps.Keys(found))
	parts := make([]map[int]*observed, max(1, replicates/toyWidth))
	err := l.Models(len(parts), func(k int, p *pool.Pool) error {
		parts[k] = map[int]*observed{}
		for _, step := range at {
			parts[k][step] = observe(found[step].law, t.seen())
		}
		m, err := t.build(l.Seed(k), p)
		if err != nil {
			return err
		}
		return t.run(l, m, at[len(at)-1], parts[k])
	})
	for _, part := range parts {
		for _, k := range at {
			found[k].merge(part[k])
		}
	}
	return err
}

// run makes the steps of one model.
func (t toy) run(l *lab.Lab, m *watch, steps int, found map[int]*observed) error {
	s := make([]float64, t.seen())
	for i := 1; i <= steps; i++ {
		if _, err := l.Step(m, method.Minibatch{Index: t.part((i - 1) % t.parts), Number: uint32(i - 1)}); err != nil {
			return err
		}
		if o := found[i]; o != nil {
			for j := range toyWidth {
				t.state(m, j, s)
				o.add(s)
			}
		}
	}
	return nil
}
