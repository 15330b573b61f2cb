package evaluate

import (
	"cmp"
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

// subject is a stored run with its data and its model.
type subject struct {
	dir       string
	config    config.Config
	own       run.Data
	meta      checkpoint.Meta
	pool      *pool.Pool
	generator *generate.Generator
	schema    *columns.Schema // of a table; nil: the data are none
}

// open reads a run's checkpoint and its data, which must be those it was trained on.
func open(ctx context.Context, runDir string, o Options) (_ *subject, err error) {
	stored, err := run.Open(runDir)
	if err != nil {
		return nil, err
	}
	stored.From, stored.Keep = o.From, cmp.Or(o.keep, data.MostKept())
	s := &subject{dir: stored.Dir, config: stored.Config}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	report := progress.Reporter{Report: o.Progress, After: o.after}
	if s.own, err = stored.ReadData(ctx, o.Data, report, o.Warn); err != nil {
		return nil, err
	}
	if o.Data != "" {
		s.config.Data = o.Data
	}
	s.schema = data.SchemaOf(s.own.All)
	dir, err := stored.Checkpoint()
	if err != nil {
		return nil, err
	}
	s.pool = pool.New(o.Threads)
	s.generator, s.meta, err = stored.Load(dir, s.own.All.Shape(), !o.Raw, s.pool)
	if err != nil {
		return nil, err
	}
	// The run.json and the checkpoint of different runs do not go together.
	if s.own.Fingerprint != s.meta.Fingerprint {
		return nil, fmt.Errorf(
			"%s: was trained on other data than %s (fingerprint %s, expected %s)",
			dir, stored.Config.Data, s.meta.Fingerprint, s.own.Fingerprint)
	}
	return s, nil
}

func (s *subject) close() {
	if s.pool != nil {
		s.pool.Close()
	}
	_ = data.Close(s.own.All) // which was only read
}

// conditions returns the conditions of images; nil for a model without.
func (s *subject) conditions(images data.Dataset) data.Rows {
	if s.own.Classes.Len() == 0 {
		return nil
	}
	return s.own.Classes.Conditions(images, s.generator.Conditions())
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
	if e.own.Held.Len() >= minHeldOut {
		return true
	}
	e.note("no %s: it needs %d or more images held out of training, there are %d (holdout = %v)",
		what, minHeldOut, e.own.Held.Len(), e.config.Holdout)
	return false
}
