package method

import (
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// observed is the datapoints of a minibatch, and how likely they are given latents. N is the number
// of latents of each, D the numbers of a datapoint, and B the datapoints of a minibatch.
type observed struct {
	likelihood likelihood.Likelihood
	absent     *data.Missing // what is missing of all datapoints; nil: nothing

	x       []float32 // of the minibatch, B x D
	missing []bool    // what is missing of it, B x D; nil: nothing
	loss    []float64 // -log p(x|z) of each row, B*N
	square  []float32 // squared error |E[x|z] - x|^2 of each row, B*N
}

// newObserved makes the arrays for minibatches with the given number of rows.
func (s *Setup) newObserved(a *memory.Arena, rows int) observed {
	dim := s.likelihood.Dim()
	o := observed{
		likelihood: s.likelihood, absent: data.MissingOf(s.Train),
		x:    a.Floats(memory.Activations, s.Batch, dim),
		loss: a.Float64s(memory.Activations, rows), square: a.Floats(memory.Activations, rows),
	}
	if o.absent != nil {
		o.missing = a.Bools(memory.Activations, s.Batch, dim)
	}
	return o
}

// observe gathers datapoints first to last of the minibatch index. Missing numbers become zeros,
// which is what an encoder reads of them.
func (o *observed) observe(train data.Dataset, index []int, first, last int) {
	lo, hi := first*o.likelihood.Dim(), last*o.likelihood.Dim()
	train.Gather(o.x[lo:hi], index[first:last])
	if o.absent == nil {
		return
	}
	o.absent.Gather(o.missing[lo:hi], index[first:last])
	for i, missing := range o.missing[lo:hi] {
		if missing {
			o.x[lo+i] = 0
		}
	}
}

// gradient computes the losses of rows, whose latents r holds, and their gradients by these.
func (o *observed) gradient(t *model.Tape, r likelihood.Rows) {
	r.X, r.Missing, r.Loss, r.Square = o.x, o.missing, o.loss, o.square
	o.likelihood.Gradient(t, r)
}
