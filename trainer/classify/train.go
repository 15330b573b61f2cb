package classify

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/pool"
)

// tileRows is the number of images that one task runs through the networks. The bits depend on it
// with a BLAS whose sums do.
const tileRows = 25

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
// over the images with its number, from 1 on. It stops early, with ctx's error, when ctx ends.
func Train(
	ctx context.Context, ds data.Dataset, o Options, p *pool.Pool, started func(pass int),
) (*Classifier, error) {
	train, test, classes, err := split(ds, o.Holdout, o.Seed)
	if err != nil {
		return nil, err
	}
	c := &Classifier{Options: o, Classes: classes, Tested: len(test.class)}
	c.build(ds.Shape().Dim())
	t, err := newTraining(c, min(o.Batch, len(train.class)), p)
	if err != nil {
		return nil, err
	}
	batches := data.NewBatches(len(train.class), o.Batch, o.Seed)
	steps := o.Epochs * batches.PerEpoch()
	for epoch := range o.Epochs {
		if started != nil {
			started(epoch + 1)
		}
		for k := range batches.PerEpoch() {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			done := float64(epoch*batches.PerEpoch()+k) / float64(steps)
			t.step(train, batches.At(epoch, k), o.LR*(1+math.Cos(math.Pi*done))/2)
		}
	}
	if !kernel.AllFinite(c.p) {
		return nil, errors.New("classify: the training diverged: the weights are not finite; " +
			"are the pixels far outside [-1, 1]?")
	}
	c.Accuracy, err = c.accuracy(ctx, test, p)
	return c, err
}

// training is a Classifier in training.
type training struct {
	*Classifier
	pool  *pool.Pool
	tape  *model.Tape
	g     []float32 // gradient by the parameters
	opt   *optim.Optimizer
	class []int // of the batch
}

func newTraining(c *Classifier, batch int, p *pool.Pool) (*training, error) {
	opt, err := optim.New(nil, optim.Adam, len(c.p), 0)
	if err != nil {
		return nil, err
	}
	size := model.Size{Rows: batch, Tile: tileRows, Passes: p.Workers()}
	return &training{
		Classifier: c, pool: p, class: make([]int, batch), g: kernel.Floats(len(c.p)), opt: opt,
		tape: c.net.NewTape(nil, c.p, size, model.Train),
	}, nil
}

// step makes one step of Adam on the mean cross-entropy of the images idx of ds. Its phases: lay
// the weights out for products, run the rows forward and backward, compute the gradients by the
// weights, update the weights.
func (t *training) step(ds labelled, idx []int, lr float64) {
	t.pool.Run(pool.Group{N: t.tape.PackTasks(), Do: t.tape.Pack})
	n := pool.Pieces(len(idx), tileRows)
	t.pool.Run(pool.Group{N: n, Do: func(i int) {
		lo, hi := pool.Span(len(idx), n, i)
		t.rows(ds, idx[lo:hi], lo, hi)
	}})
	t.tape.Reduce(layer.Wave{
		Rows: len(idx), First: true, Last: true, Scale: float32(1 / float64(len(idx))), Grad: t.g,
	})
	t.pool.Run(pool.Group{N: t.tape.GradTasks(), Do: t.tape.Grad})
	t.opt.Begin(lr)
	chunks := pool.Pieces(len(t.p), optim.Chunk)
	t.pool.Run(pool.Group{N: chunks, Do: func(i int) {
		lo, hi := pool.Span(len(t.p), chunks, i)
		t.opt.Apply(t.p, t.g, lo, hi)
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
