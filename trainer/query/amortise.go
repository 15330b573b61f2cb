package query

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/fit"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
)

// Amortised is the parameters of a network that guesses the latents of a row, so that inference
// need not begin at N(0, I): an encoder to a mean and a log-variance of each latent dimension.
type Amortised struct {
	net *model.Net
	p   []float32
}

// How a guess is fitted: at 50 rows a step, in a few passes if there are many rows, and in many if
// there are few.
var amortising = fit.Options{
	Seed: 1, Epochs: 5, MinSteps: 2000, MaxSteps: 10000, Batch: 50, LR: 1e-3,
}

// leastLogVar is the least log-variance of a guess that counts: below a standard deviation of 0.02
// nothing is won.
const leastLogVar = -8

// newAmortised makes an encoder of the model's sizes, which guesses nothing yet.
func (m *Model) newAmortised(shape data.Shape) (*Amortised, error) {
	net, err := method.NewEncoder(m.config.Options, shape)
	if err != nil {
		return nil, err
	}
	const number = 2 // of an encoder's initial weights
	a := &Amortised{net, make([]float32, net.Layout().Size())}
	net.Layout().Init(a.p, m.config.Seed, number)
	return a, nil
}

// Amortise fits a network to the particles of rows of the given shape, N of d numbers each: it
// maximises their mean log-density under N(mean, exp(logvar)) of its two outputs. The result is for
// Use. started is as in fit.Training.Run. It stops early, with ctx's error, when ctx ends.
func (m *Model) Amortise(
	ctx context.Context, r Rows, shape data.Shape, z []float32, started func(pass, passes int),
) (*Amortised, error) {
	n, d := r.Images.Len(), m.generator.Latent()
	if len(z) == 0 || len(z)%(n*d) != 0 {
		return nil, fmt.Errorf("particles of %d numbers: expected whole latents of %d numbers for "+
			"each of %d rows", len(z), d, n)
	}
	a, err := m.newAmortised(shape)
	if err != nil {
		return nil, err
	}
	const tile = 25
	o := amortising
	o.Batch = min(o.Batch, n)
	size := fit.Size(a.net, o.Batch, min(tile, a.net.TileRows()), m.pool.Workers())
	t, err := fit.New(a.net, a.p, size, m.pool)
	if err != nil {
		return nil, err
	}
	each := len(z) / n
	problem := fit.Problem{
		Rows: n,
		Fill: func(pass *model.Pass, idx []int) {
			r.Images.Gather(pass.In(0), idx)
			pass.SetCondition(m.conditionsOf(r, idx), 0, 1)
		},
		Loss: func(out []float32, idx []int) {
			for i, row := range idx {
				guessLoss(out[i*2*d:(i+1)*2*d], z[row*each:(row+1)*each])
			}
		},
	}
	if err := t.Run(ctx, problem, o, started); err != nil {
		return nil, err
	}
	if !kernel.AllFinite(a.p) {
		return nil, errors.New("the start could not be amortised: the weights are not finite; " +
			"expected rows within the range of the training's")
	}
	return a, nil
}

// conditionsOf returns the conditions of some rows; nil for a model without.
func (m *Model) conditionsOf(r Rows, idx []int) []float32 {
	k := m.generator.Conditions()
	if k == 0 {
		return nil
	}
	conditions := make([]float32, len(idx)*k)
	if r.Conditions != nil {
		r.Conditions.Gather(conditions, idx)
	}
	return conditions
}

// guessLoss replaces a mean and a log-variance (d numbers each) by the gradients of
// -log N(z; mean, exp(logvar)) by them, in the mean over the particles z (N x d).
func guessLoss(out, z []float32) {
	d := len(out) / 2
	n := float64(len(z) / d)
	for j := range d {
		mean, logvar := float64(out[j]), float64(out[d+j])
		var first, square float64
		for i := j; i < len(z); i += d {
			e := mean - float64(z[i])
			first, square = first+e/n, square+e*e/n
		}
		variance := math.Exp(max(leastLogVar, logvar))
		out[j] = float32(first / variance)
		out[d+j] = float32((1 - square/variance) / 2)
	}
}

// Use makes StartAmortised begin at draws from the guess.
func (m *Model) Use(a *Amortised) {
	guessing := m.generator.Model()
	guessing.Encoder, guessing.EncoderP = a.net, a.p
	m.guess = generate.New(nil, guessing, m.pool.Workers(), m.pool)
}
