// Package fit trains a network on rows by Adam (Training), with a learning rate that falls to 0
// along half a cosine: the small networks beside a model, such as classifiers. What the rows are,
// and what is to be small, the caller says (Problem).
//
// The same rows give the same bits at any number of workers; with a library for matrix products,
// whose sums show the cut of a batch into waves and tiles, for the same model.Size.
package fit

import (
	"context"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/pool"
)

// Problem is what a network is fitted to. Several goroutines call its functions.
type Problem struct {
	Rows int
	// Fill sets the inputs of a pass to the rows idx.
	Fill func(pass *model.Pass, idx []int)
	// Loss replaces the network's outputs for the rows idx by the gradients of their losses by
	// them.
	Loss func(out []float32, idx []int)
}

// Options say how long a network is trained, and how fast.
type Options struct {
	Seed     uint64  // of the order of the rows
	Epochs   int     // passes over the rows
	MinSteps int     // steps that are made even if that takes more passes
	MaxSteps int     // steps after which training ends, even within a pass; 0: no limit
	Batch    int     // rows of a step
	LR       float64 // Adam's first learning rate
}

// keptNumbers is the most numbers that a wave keeps for the gradients by the weights: 128 MiB.
const keptNumbers = 1 << 25

// Size is that of a training in batches of so many rows, of which one task takes tile.
func Size(net *model.Net, batch, tile, workers int) model.Size {
	wave := max(tile, keptNumbers/max(1, net.Kept()))
	return model.Size{Rows: batch, Wave: min(batch, wave), Tile: tile, Passes: workers}
}

// Training is a network in training.
type Training struct {
	G []float32 // gradient by the parameters of the last step

	p    []float32
	pool *pool.Pool
	tape *model.Tape
	size model.Size
	opt  *optim.Optimizer
}

// New prepares the training of a network with parameters p, from what they are.
func New(net *model.Net, p []float32, size model.Size, workers *pool.Pool) (*Training, error) {
	opt, err := optim.New(nil, optim.Adam, len(p), 0)
	if err != nil {
		return nil, err
	}
	t := &Training{
		G: kernel.Floats(len(p)), p: p, pool: workers, size: size, opt: opt,
		tape: net.NewTape(nil, p, size, model.Train),
	}
	workers.Run(pool.Group{N: t.tape.PackTasks(), Do: t.tape.Pack})
	return t, nil
}

// Run makes all steps. It calls started, unless nil, at the start of each pass over the rows with
// its number, from 1 on, and the number of all. It stops early, with ctx's error, when ctx ends.
func (t *Training) Run(
	ctx context.Context, rows Problem, o Options, started func(pass, passes int),
) error {
	batches := data.NewBatches(rows.Rows, o.Batch, o.Seed)
	n := batches.PerEpoch()
	steps := max(o.Epochs*n, o.MinSteps)
	if o.MaxSteps > 0 {
		steps = min(steps, o.MaxSteps)
	}
	for k := range steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if k%n == 0 && started != nil {
			started(k/n+1, pool.Pieces(steps, n))
		}
		done := float64(k) / float64(steps)
		t.Step(rows, batches.At(k/n, k%n), o.LR*(1+math.Cos(math.Pi*done))/2)
	}
	return nil
}

// Step makes one step of Adam on the mean loss of the rows idx. Its phases, for each wave: run the
// rows forward and backward; compute the gradients by the weights, and with the last wave update
// these.
func (t *Training) Step(rows Problem, idx []int, lr float64) {
	waves := pool.Pieces(len(idx), t.size.Wave)
	for w := range waves {
		lo, hi := pool.Span(len(idx), waves, w)
		t.tape.Begin(lo)
		t.tiles(rows, idx, lo, hi)
		t.tape.Reduce(layer.Wave{
			Rows: hi - lo, First: w == 0, Last: w == waves-1,
			Scale: float32(1 / float64(len(idx))), Grad: t.G,
		})
		learn := t.tape.Grad
		if w == waves-1 {
			t.opt.Begin(lr)
			learn = t.learn
		}
		t.pool.Run(pool.Group{N: t.tape.GradTasks(), Do: learn})
	}
}

// learn computes some blocks of the gradient, and updates the weights of these.
func (t *Training) learn(task int) {
	t.tape.Grad(task)
	for _, b := range t.tape.Writes(task) {
		t.opt.Apply(t.p, t.G, b)
	}
	t.tape.Updated(task)
}

// tiles runs rows lo to hi of the batch idx forward and backward.
func (t *Training) tiles(rows Problem, idx []int, lo, hi int) {
	n := pool.Pieces(hi-lo, t.size.Tile)
	t.pool.Run(pool.Group{N: n, Do: func(i int) {
		first, last := pool.Span(hi-lo, n, i)
		first, last = lo+first, lo+last
		pass := t.tape.Take(first, last)
		defer pass.Release()
		rows.Fill(pass, idx[first:last])
		pass.Forward()
		copy(pass.DOut(), pass.Out())
		rows.Loss(pass.DOut(), idx[first:last])
		pass.Backward(nil)
	}})
}
