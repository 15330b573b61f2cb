package classify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/fit"
	"github.com/plume-ml/plume/trainer/model"
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
	batch := min(o.Batch, len(train.class))
	t, err := fit.New(c.net, c.p, fit.Size(c.net, batch, c.tileRows(), p.Workers()), p)
	if err != nil {
		return nil, err
	}
	if err := t.Run(ctx, c.problem(train), o.fitting(), started); err != nil {
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

// fitting is how the network is fitted.
func (o Options) fitting() fit.Options {
	return fit.Options{
		Seed: o.Seed, Epochs: o.Epochs, MinSteps: o.MinSteps, MaxSteps: o.MaxSteps,
		Batch: o.Batch, LR: o.LR,
	}
}

// problem is the classes of images, with the cross-entropy as loss.
func (c *Classifier) problem(ds labelled) fit.Problem {
	return fit.Problem{
		Rows: len(ds.class),
		Fill: func(pass *model.Pass, idx []int) { ds.images.Gather(pass.In(0), idx) },
		Loss: func(out []float32, idx []int) {
			class := make([]int, len(idx))
			for i, k := range idx {
				class[i] = ds.class[k]
			}
			crossEntropy(out, class, c.Smoothing)
		},
	}
}
