package classify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/pool"
)

// labelled is images and the class of each, numbered from 0.
type labelled struct {
	images data.Dataset
	class  []int
}

// split divides the labelled images at random into a part to train on and a part to test on.
// classes are the labels that occur, ascending.
func split(ds data.Dataset, holdout float64, seed uint64) (
	train, test labelled, classes []int, err error,
) {
	known, err := data.ClassesOf(ds)
	if err != nil {
		return train, test, nil, fmt.Errorf("classify: %w", err)
	}
	classes = known.Labels
	of := known.Of(ds)
	var index []int
	for i, class := range of {
		if class >= 0 {
			index = append(index, i)
		}
	}
	held := int(math.Round(holdout * float64(len(index))))
	if len(classes) < 2 || held < 1 || len(index)-held < 2 {
		return train, test, nil, fmt.Errorf("classify: %d labelled images of %d classes, expected "+
			"2 classes or more, and images of them to train on and to test", len(index),
			len(classes))
	}
	order := make([]int, len(index))
	kernel.Perm(order, kernel.Key{Seed: seed, Stream: data.StreamSplit})
	part := func(order []int) labelled {
		chosen, class := make([]int, len(order)), make([]int, len(order))
		for i, k := range order {
			chosen[i], class[i] = index[k], int(of[index[k]])
		}
		return labelled{data.Subset(ds, chosen), class}
	}
	return part(order[held:]), part(order[:held]), classes, nil
}

// Train trains a classifier on the labels of ds. It ignores images without labels; if no image has
// one, the error wraps data.ErrNoLabels. It calls started, unless nil, at the start of each pass
// over the images with its number, from 1 on, and the number of all. It stops early, with ctx's
// error, when ctx ends.
func Train(
	ctx context.Context, ds data.Dataset, o Options, p *pool.Pool, started func(pass, passes int),
) (*Classifier, error) {
	train, test, classes, err := split(ds, o.Holdout, o.Seed)
	if err != nil {
		return nil, err
	}
	if o.Flip {
		if train, err = train.flipped(); err != nil {
			return nil, fmt.Errorf("classify: %w", err)
		}
	}
	c := &Classifier{Options: o, Classes: classes, Tested: len(test.class)}
	if err := c.build(ds.Shape()); err != nil {
		return nil, err
	}
	t, err := newTraining(c, c.trainingSize(min(o.Batch, len(train.class)), p.Workers()), p)
	if err != nil {
		return nil, err
	}
	if err := t.run(ctx, train, started); err != nil {
		return nil, err
	}
	if !kernel.AllFinite(c.p) {
		return nil, errors.New("classify: the training diverged: the weights are not finite; " +
			"are the pixels far outside [-1, 1]?")
	}
	c.Accuracy, err = c.accuracy(ctx, test, p)
	return c, err
}

// flipped is the images followed by their mirror images.
func (l labelled) flipped() (labelled, error) {
	both, err := data.Flipped(l.images)
	return labelled{both, append(slices.Clone(l.class), l.class...)}, err
}

// training is a Classifier in training.
type training struct {
	*Classifier
	pool  *pool.Pool
	tape  *model.Tape
	size  model.Size
	g     []float32 // gradient by the parameters
	opt   *optim.Optimizer
	class []int // of the batch
}

// keptNumbers is the most numbers that a wave keeps for the gradients by the weights: 128 MiB.
const keptNumbers = 1 << 25

// trainingSize is that of a tape for batches of so many images.
func (c *Classifier) trainingSize(batch, workers int) model.Size {
	tile := c.tileRows()
	wave := max(tile, keptNumbers/max(1, c.net.Kept()))
	return model.Size{Rows: batch, Wave: min(batch, wave), Tile: tile, Passes: workers}
}

func newTraining(c *Classifier, size model.Size, p *pool.Pool) (*training, error) {
	opt, err := optim.New(nil, optim.Adam, len(c.p), 0)
	if err != nil {
		return nil, err
	}
	t := &training{
		Classifier: c, pool: p, size: size, class: make([]int, size.Rows), opt: opt,
		g: kernel.Floats(len(c.p)), tape: c.net.NewTape(nil, c.p, size, model.Train),
	}
	p.Run(pool.Group{N: t.tape.PackTasks(), Do: t.tape.Pack})
	return t, nil
}

// run makes all steps.
func (t *training) run(
	ctx context.Context, ds labelled, started func(pass, passes int),
) error {
	batches := data.NewBatches(len(ds.class), t.Batch, t.Seed)
	n := batches.PerEpoch()
	steps := max(t.Epochs*n, t.MinSteps)
	if t.MaxSteps > 0 {
		steps = min(steps, t.MaxSteps)
	}
	for k := range steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if k%n == 0 && started != nil {
			started(k/n+1, pool.Pieces(steps, n))
		}
		done := float64(k) / float64(steps)
		t.step(ds, batches.At(k/n, k%n), t.LR*(1+math.Cos(math.Pi*done))/2)
	}
	return nil
}

// step makes one step of Adam on the mean cross-entropy of the images idx of ds. Its phases, for
// each wave: run the rows forward and backward; compute the gradients by the weights, and with the
// last wave update these.
func (t *training) step(ds labelled, idx []int, lr float64) {
	waves := pool.Pieces(len(idx), t.size.Wave)
	for w := range waves {
		lo, hi := pool.Span(len(idx), waves, w)
		t.tape.Begin(lo)
		t.tiles(ds, idx, lo, hi)
		t.tape.Reduce(layer.Wave{
			Rows: hi - lo, First: w == 0, Last: w == waves-1,
			Scale: float32(1 / float64(len(idx))), Grad: t.g,
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
func (t *training) learn(task int) {
	t.tape.Grad(task)
	for _, b := range t.tape.Writes(task) {
		t.opt.Apply(t.p, t.g, b)
	}
	t.tape.Updated(task)
}

// tiles runs rows lo to hi of the batch idx forward and backward.
func (t *training) tiles(ds labelled, idx []int, lo, hi int) {
	n := pool.Pieces(hi-lo, t.size.Tile)
	t.pool.Run(pool.Group{N: n, Do: func(i int) {
		first, last := pool.Span(hi-lo, n, i)
		first, last = lo+first, lo+last
		t.rows(ds, idx[first:last], first, last)
	}})
}

// rows runs the images idx forward and backward as rows lo to hi of the batch.
func (t *training) rows(ds labelled, idx []int, lo, hi int) {
	for i, k := range idx {
		t.class[lo+i] = ds.class[k]
	}
	pass := t.tape.Take(lo, hi)
	defer pass.Release()
	ds.images.Gather(pass.In(0), idx)
	pass.Forward()
	copy(pass.DOut(), pass.Out())
	crossEntropy(pass.DOut(), t.class[lo:hi], t.Smoothing)
	pass.Backward(nil)
}
