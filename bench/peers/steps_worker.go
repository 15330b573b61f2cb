package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/machine"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// turn is the least time for which a side is measured in a round.
const turn = 500 * time.Millisecond // TURN of steps_common.py

// stepWorker is plume's side of the comparison of steps. It answers "time WORK WAY" like the
// scripts (steps_common.py), where WAY is a precision, and "peak" by the floating-point operations
// per second that its threads reach with multiply-adds alone.
type stepWorker struct {
	threads int
	images  map[string]data.Dataset // by data set
	ready   map[string]*repeated    // by work and way
}

// repeated is a work to be timed in groups of runs.
type repeated struct {
	run   func() error
	group int
}

// newStepWorker returns the worker "steps/BLAS/THREADS".
func newStepWorker(kind string) (answerer, error) {
	words := strings.Split(kind, "/")
	if len(words) != 3 || words[0] != "steps" {
		return nil, fmt.Errorf("no worker %q", kind)
	}
	threads, err := strconv.Atoi(words[2])
	if err != nil || threads < 1 {
		return nil, fmt.Errorf("worker %q: want a number of threads, 1 or more", kind)
	}
	if err := blas.Use(words[1]); err != nil {
		return nil, err
	}
	if words[1] == "openblas" { // as the command does
		pool.SpareProcessors()
	}
	w := &stepWorker{
		threads: threads, images: map[string]data.Dataset{}, ready: map[string]*repeated{},
	}
	return w.answer, nil
}

func (w *stepWorker) answer(line string) (string, error) {
	words := strings.Fields(line)
	switch {
	case len(words) == 2 && words[0] == "about":
		info := blas.Info()
		return strings.TrimSpace(info.Library + " " + info.Core), nil
	case line == "peak":
		rate, err := machine.FMAPeak(context.Background(), w.threads, machine.Options{})
		return strconv.FormatFloat(rate, 'g', 6, 64), err
	case len(words) == 3 && words[0] == "time":
		r, err := w.prepare(words[1], way(words[2]))
		if err != nil {
			return "", err
		}
		ms, err := r.time(turn)
		return strconv.FormatFloat(ms, 'g', 6, 64), err
	}
	return "", fmt.Errorf(`want "about 0", "peak" or "time WORK WAY"`)
}

func (w *stepWorker) prepare(name string, in way) (r *repeated, err error) {
	key := name + " " + string(in)
	if r := w.ready[key]; r != nil {
		return r, nil
	}
	for _, work := range works() {
		if work.name == name {
			w.ready[key], err = w.start(work.in(in))
			return w.ready[key], err
		}
	}
	return nil, fmt.Errorf("no work %q", name)
}

func (w *stepWorker) start(work work) (*repeated, error) {
	images, err := w.images[work.config.Data], error(nil)
	if images == nil {
		if images, err = work.open(); err != nil {
			return nil, err
		}
		w.images[work.config.Data] = images
	}
	t, err := work.training(images, pool.New(w.threads))
	if err != nil {
		return nil, err
	}
	return t.repeated(), nil
}

// repeated makes steps on one minibatch after the other, each repeated as in a run, or samples.
func (t *training) repeated() *repeated {
	if t.images > 0 {
		g := t.Generator(true)
		pixels := make([]float32, t.images*g.Dim())
		return &repeated{func() error {
			spec := generate.Spec{Solver: diffusion.DDIM, Steps: t.solverSteps(), Seed: seed}
			return g.Sample(context.Background(), pixels, t.images, spec)
		}, 1}
	}
	batches, k, repeats := t.minibatches(), 0, t.config.BatchRepeats
	return &repeated{func() error {
		number := k / repeats
		_, err := t.Step(method.Minibatch{
			Index: batches[number%len(batches)], Number: uint32(number), Repeat: k % repeats,
		})
		k++
		return err
	}, repeats}
}

// time runs once untimed, to replace what others left in the caches, and then whole groups until
// the time is over. It returns the milliseconds of a run.
func (r *repeated) time(least time.Duration) (float64, error) {
	if err := r.run(); err != nil {
		return 0, err
	}
	start := time.Now()
	for n := 1; ; n++ {
		for range r.group {
			if err := r.run(); err != nil {
				return 0, err
			}
		}
		if took := time.Since(start); took >= least {
			return took.Seconds() * 1e3 / float64(n*r.group), nil
		}
	}
}
