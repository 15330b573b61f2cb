// Package toy has the experiments on models of single numbers: the hierarchical model of
// ALGORITHM.md, section 8.1, and the learned scale of section 8.4. Coordinates of one model are
// its replicates.
package toy

import (
	"maps"
	"slices"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// toy is one training of the hierarchical model: x_d ~ N(theta, 1), y_d ~ N(x_d, 1), d = 1..D. The
// latents are the x_d, the decoder is the identity and theta the mean of the prior. With
// non-centred latents z_d = x_d - theta, theta is the offset of the decoder.
type toy struct {
	method     config.Method
	points     int // D, also M
	particles  int // N
	h          float64
	noncentred bool
	parts      int               // minibatches in an epoch, taken in turn; a divisor of D
	inner      int               // K moves for each step of theta
	dynamics   particle.Dynamics // of the particles
	friction   float64           // of particles with velocities
	start      float64           // theta at the start

	// The following state for the law what is particular to a method.
	follows bool    // theta learns from the state after the moves
	average bool    // from the states after each of the K moves
	cold    bool    // particles restart from N(0, 1) at each step
	heat    float64 // of theta's noise, 1 for ipla's
	drag    float64 // of theta's momentum
}

// rate is theta's learning rate: a step size of h for the sum over the D datapoints, not the mean.
func (t toy) rate() float64 { return t.h * float64(t.points) }

// standard is the model that most experiments vary.
func standard(h float64) toy {
	return toy{
		method: config.PGD, points: 4, particles: 3, h: h, parts: 1, inner: 1,
		dynamics: particle.Overdamped,
	}
}

// dataMean is the mean of y, the maximum-likelihood theta.
const dataMean = 5

// y is the data of one replicate.
func (t toy) y(i int) float64 { return dataMean + float64(2*i-(t.points-1))/2 }

// part returns the datapoints of a minibatch.
func (t toy) part(b int) []int {
	n := t.points / t.parts
	return data.Range(0, t.points)[b*n : (b+1)*n]
}

// partMean is the mean of y in a minibatch.
func (t toy) partMean(b int) (mean float64) {
	part := t.part(b)
	for _, i := range part {
		mean += t.y(i) / float64(len(part))
	}
	return mean
}

// modelWidth is how many replicates one model has as coordinates.
const modelWidth = 1024

// watch is a method and its live arrays.
type watch struct {
	method.Method
	theta, z, u []float32
}

// build returns a model of modelWidth replicates.
func (t toy) build(seed uint64, p *pool.Pool) (*watch, error) {
	o := lab.Plain(modelWidth, t.particles, t.h, t.rate())
	o.InnerSteps, o.Dynamics, o.ParamNoise, o.ParamDrag = t.inner, t.dynamics, t.heat, t.drag
	if t.friction > 0 {
		o.Friction = t.friction
	}
	train := data.Table{D: modelWidth}
	for i := range t.points * modelWidth {
		train.X = append(train.X, float32(t.y(i/modelWidth)))
	}
	m, err := method.New(t.method, method.Setup{
		Options: o, Train: train, Batch: t.points / t.parts, Tile: 16, Seed: seed, Pool: p,
		Decoder: exactnet.Diagonal{Width: modelWidth, Offset: t.noncentred}.Net(),
		Prior:   prior.Gaussian{Latent: modelWidth, LearnMean: !t.noncentred},
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
	if t.dynamics != particle.Overdamped {
		w.u = lab.Tensor(m, "cloud/u")
	}
	for i := range w.theta {
		w.theta[i] = float32(t.start)
	}
	m.Restored()
	return w, nil
}

// state writes the numbers of the law for replicate j into s: theta, the mean latent of each part,
// and their mean velocities.
func (t toy) state(m *watch, j int, s []float64) {
	s[0] = float64(m.theta[j])
	t.means(m.z, j, s[1:1+t.parts])
	if m.u != nil {
		t.means(m.u, j, s[1+t.parts:])
	}
}

// means writes the mean of x in each part for replicate j.
func (t toy) means(x []float32, j int, out []float64) {
	rows := t.points / t.parts * t.particles
	for b := range out {
		out[b] = 0
		for i := b * rows; i < (b+1)*rows; i++ {
			out[b] += float64(x[i*modelWidth+j]) / float64(rows)
		}
	}
}

// train trains enough models for the replicates, and adds their states after each number of steps
// in found to the observations there.
func (t toy) train(l *lab.Lab, replicates int, found map[int]*observed) error {
	at := slices.Sorted(maps.Keys(found))
	parts := make([]map[int]*observed, max(1, replicates/modelWidth))
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
		b := method.Minibatch{Index: t.part((i - 1) % t.parts), Number: uint32(i - 1)}
		if _, err := l.Step(m, b); err != nil {
			return err
		}
		if o := found[i]; o != nil {
			for j := range modelWidth {
				t.state(m, j, s)
				o.add(s)
			}
		}
	}
	return nil
}
