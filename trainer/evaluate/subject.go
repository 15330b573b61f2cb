package evaluate

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

// subject is a stored run with its data and its model.
type subject struct {
	dir         string
	config      config.Config
	all         data.Dataset
	train, held data.Dataset
	classes     data.Classes // that are conditions; none for a model without
	points      data.Dataset // what the run trained on: train and, with flip, its mirror images
	fingerprint string
	meta        checkpoint.Meta
	pool        *pool.Pool
	generator   *generate.Generator
}

// open reads a run's newest checkpoint and its data, which must be those it was trained on.
func open(ctx context.Context, runDir string, o Options) (*subject, error) {
	stored, err := run.Open(runDir)
	if err != nil {
		return nil, err
	}
	s := &subject{dir: stored.Dir, config: stored.Config}
	if err := s.readData(ctx, stored, o); err != nil {
		return nil, err
	}
	dir, err := stored.Checkpoint()
	if err != nil {
		return nil, err
	}
	s.pool = pool.New(o.Threads)
	s.generator, s.meta, err = stored.Load(dir, s.all.Shape(), !o.Raw, s.pool)
	if err != nil {
		s.pool.Close()
		return nil, err
	}
	if s.fingerprint != s.meta.Fingerprint { // run.json and the checkpoint belong to different runs
		s.pool.Close()
		return nil, fmt.Errorf(
			"%s: was trained on other images than %s (fingerprint %s, expected %s)",
			dir, stored.Config.Data, s.meta.Fingerprint, s.fingerprint)
	}
	return s, nil
}

// readData reads the data, which must be those that the run was trained on.
func (s *subject) readData(ctx context.Context, stored *run.Run, o Options) error {
	c := &s.config
	if o.Data != "" {
		c.Data = o.Data
	} else if err := stored.CheckDataPath(); err != nil {
		return err
	}
	var read data.Summary
	reporter := progress.Reporter{Report: o.Progress, After: o.after}
	err := reporter.Reading(c.Data, func(t *progress.Task) error {
		warn := func(text string) { t.Do(func() { o.Warn(text) }) }
		images, err := data.Find(ctx, c.Data, c.DataOptions(warn, t.At))
		if err != nil {
			return err
		}
		if s.all, err = images.Read(ctx); err != nil {
			return err
		}
		read = images.Summary
		s.fingerprint, err = data.Fingerprint(ctx, s.all)
		return err
	})
	if err != nil {
		return err
	}
	if err := stored.CheckData(c.Data, read, s.fingerprint); err != nil {
		return err
	}
	if s.classes, err = stored.Classes(s.all); err != nil {
		return err
	}
	if s.train, s.held, err = data.Split(s.all, c.Holdout, c.Seed); err != nil {
		return err
	}
	s.points, err = c.Datapoints(s.train)
	return err
}

func (s *subject) close() { s.pool.Close() }

// conditions returns the conditions of images; nil for a model without.
func (s *subject) conditions(images data.Dataset) data.Rows {
	if s.classes.Len() == 0 {
		return nil
	}
	return s.classes.Conditions(images, s.generator.Conditions())
}

// conditionsOf returns the conditions of some images.
func (s *subject) conditionsOf(images data.Dataset, idx []int) []float32 {
	rows := s.conditions(images)
	if rows == nil {
		return nil
	}
	return gather(rows, idx, s.generator.Conditions())
}

// minHeldOut is the number of held-out images that an interval needs.
const minHeldOut = 2

// hasHeldOut reports whether enough images were held out of training to measure what; if not, the
// report gets a note.
func (e *evaluation) hasHeldOut(what string) bool {
	if e.held.Len() >= minHeldOut {
		return true
	}
	e.note("no %s: it needs %d or more images held out of training, there are %d (holdout = %v)",
		what, minHeldOut, e.held.Len(), e.config.Holdout)
	return false
}
