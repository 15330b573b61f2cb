package main

import (
	"context"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pca"
	"github.com/plume-ml/plume/trainer/record"
)

// The data, and how trainings are measured: as in the reports of a run.
const (
	dataset    = "fashion10k"
	components = 64
	samples    = 2000
)

// rows are the data of a seed: those that are trained on, and their principal components. Every
// seed holds out others, as a run does.
type rows struct {
	train data.Dataset
	pca   *pca.PCA
}

// measurer reads the data, and measures samples.
type measurer struct {
	threads int
	all     data.Dataset
	seeds   map[uint64]rows
}

func newMeasurer(ctx context.Context, threads int) (*measurer, error) {
	all, err := data.Open(ctx, dataset, data.Options{})
	return &measurer{threads: threads, all: all, seeds: map[uint64]rows{}}, err
}

// rows returns the data of a seed.
func (m *measurer) rows(ctx context.Context, seed uint64) (rows, error) {
	if r, ok := m.seeds[seed]; ok {
		return r, nil
	}
	train, _, err := data.Split(m.all, method.Default().Holdout, seed)
	if err != nil {
		return rows{}, err
	}
	p, err := pca.Fit(ctx, train, train.Shape().Dim(), components, pca.Options{})
	if err != nil {
		return rows{}, err
	}
	m.seeds[seed] = rows{train, p}
	return m.seeds[seed], nil
}

// distance is the PCA-64 FD of samples to the training rows of a seed.
func (m *measurer) distance(ctx context.Context, x []float32, seed uint64) (float64, error) {
	r, err := m.rows(ctx, seed)
	if err != nil {
		return 0, err
	}
	return r.pca.Distance(ctx, data.Table{D: r.train.Shape().Dim(), X: x}, nil)
}

// native is a method of plume with its defaults.
type native struct {
	*measurer
	method    config.Method
	precision blas.Precision
}

func (n native) name() string { return string(n.method) }

// config is the configuration of a training.
func (n native) config(epochs int, seed uint64) (config.Config, error) {
	c, err := method.DefaultFor(n.method)
	c.Epochs, c.Seed, c.Threads, c.Precision = epochs, seed, n.threads, n.precision
	return c, err
}

// resolved is the configuration with the choices that it leaves to the data.
func (n native) resolved(epochs int, seed uint64) (config.Config, error) {
	c, err := n.config(epochs, seed)
	if err != nil {
		return c, err
	}
	usual, err := method.DefaultOn(n.method, n.all.Shape())
	usual.Epochs, usual.Seed, usual.Threads = c.Epochs, c.Seed, c.Threads
	usual.Precision = c.Precision
	return usual.On(data.KindOf(n.all), data.LikelihoodOf(n.all)), err
}

func (n native) train(ctx context.Context, epochs int, seed uint64) (o outcome, err error) {
	c, err := n.config(epochs, seed)
	if err != nil {
		return o, err
	}
	r, err := n.rows(ctx, seed)
	if err != nil {
		return o, err
	}
	m, err := trainer.Train(ctx, c, r.train, trainer.WithHook(trainer.Hook{
		OnEpoch: func(e record.Epoch) { o.Seconds = float64(e.StepSeconds) },
	}))
	if err != nil {
		return o, err
	}
	defer m.Close()
	x, err := m.Sample(ctx, samples, seed)
	if err != nil {
		return o, err
	}
	o.FD, err = n.distance(ctx, x, seed)
	return o, err
}
