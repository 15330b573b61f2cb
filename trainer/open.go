package trainer

import (
	"context"
	"errors"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

// WithLock gives the trainer the lock of its run's directory (run.Acquire). The trainer releases it
// when it is closed, or cannot be made. Without WithLock the trainer acquires the lock itself.
func WithLock(l *run.Lock) Option { return func(t *Trainer) { t.writer.Lock = l } }

// begin returns a trainer that holds the lock of its run's directory.
func begin(cfg config.Config, runDir string, opts []Option) (*Trainer, error) {
	t := &Trainer{
		cfg: cfg, writer: run.Writer{Dir: runDir, Files: file.OS}, data: images{given: cfg.Data},
	}
	t.saving.retryAfter, t.saving.pauses = retryAfter, lastPauses
	for _, o := range opts {
		o(t)
	}
	t.saving.writer = checkpoint.Writer{
		Files: t.writer.Files, RunDir: runDir, Keep: cfg.KeepCheckpoints,
	}
	if t.writer.Lock == nil {
		lock, err := run.Acquire(runDir)
		if err != nil {
			return nil, err
		}
		t.writer.Lock = lock
	}
	if t.writer.Lock.Warning != "" {
		t.warn(t.writer.Lock.Warning)
		return t, nil
	}
	t.writer.RemoveStale()
	return t, nil
}

// prepare reads the data and builds the method. If stored is not nil, the data must be those that
// the stored run was trained on.
func (t *Trainer) prepare(ctx context.Context, stored *run.Run) error {
	if err := errors.Join(method.Validate(t.cfg), kernel.Err(), t.checkTeam()); err != nil {
		return err
	}
	if stored != nil {
		var err error
		if t.data.schema, err = stored.Schema(); err != nil {
			return err
		}
	}
	all, err := t.readSlowly(ctx)
	if err != nil {
		return err
	}
	if err := t.identify(ctx, all, stored); err != nil {
		return err
	}
	if stored != nil {
		if err := stored.CheckData(t.data.given, t.data.read, t.data.fingerprint); err != nil {
			return err
		}
	}
	t.warnOfIdle()
	t.keepPaths(all)
	if err := errors.Join(t.divide(all), t.checkEarly()); err != nil {
		return err
	}
	if stored != nil {
		if _, err := stored.Classes(all); err != nil {
			return err
		}
	}
	t.pool = pool.New(t.cfg.Threads)
	return withDiskRemedy(t.build(ctx))
}

// identify sets the fingerprint of the data, in the form of the stored run's.
func (t *Trainer) identify(ctx context.Context, all data.Dataset, stored *run.Run) error {
	reporter := progress.Reporter{Report: t.message, After: t.reports.after}
	return reporter.Reading(t.cfg.Data, func(*progress.Task) (err error) {
		if stored == nil {
			t.data.fingerprint, err = data.Fingerprint(ctx, all)
		} else {
			t.data.fingerprint, err = stored.Fingerprint(ctx, all)
		}
		return err
	})
}

// build makes the method in its initial state. It stops early, with ctx's error, when ctx ends.
func (t *Trainer) build(ctx context.Context) error {
	err := t.assemble(func() error {
		m, err := method.New(t.cfg.Method, method.Setup{
			Options: t.cfg.Options, Train: t.data.points,
			Batch: min(t.cfg.Batch, t.data.points.Len()),
			Tile:  t.cfg.Tile, Wave: t.cfg.Wave, Lanes: t.cfg.Lanes, Comm: t.ranks,
			Seed: t.cfg.Seed, Steps: t.total(), Pool: t.pool, Clock: &t.clock,
			CloudDir: cloudDir(t.cfg, t.writer.Dir), Ctx: ctx,
			Classes: t.data.classes, Conditions: t.like,
			Placed: func(c *method.Components) { t.start = c },
		})
		if err != nil {
			return err // and m may be a nil pointer in an interface that is not nil
		}
		t.method = m
		return nil
	})
	if err != nil {
		return err
	}
	if t.team != nil {
		t.method = &led{t.method, t.team, t.data.points}
	}
	if t.follows {
		return nil
	}
	t.followHeldOut()
	return ctx.Err() // before anything is written
}

// open stores the configuration and opens the log, without records beyond the given step.
func (t *Trainer) open(step int) (err error) {
	if err := t.writer.StoreConfig(t.cfg); err != nil {
		return err
	}
	if t.data.schema != nil {
		if err := t.writer.StoreSchema(t.data.schema); err != nil {
			return err
		}
	}
	if t.start != nil {
		if err := t.writer.StoreStart(t.start); err != nil {
			return err
		}
	}
	t.log, err = t.writer.OpenLog(step)
	return err
}

// store writes the files that a new run has before its first step.
func (t *Trainer) store() error {
	err := t.open(0)
	if err == nil {
		err = t.writer.StoreInfo(t.info())
	}
	if err == nil {
		err = t.writer.StoreRows(t.data.points, t.data.held)
	}
	return err
}

// info describes the run as of this session.
func (t *Trainer) info() run.Info {
	info := run.NewInfo(t.cfg, t.data.fingerprint, t.data.train.Shape())
	info.Memory, info.Read = &t.memory.Memory, &t.data.read
	if t.data.classes.Len() > 0 {
		info.Classes = &t.data.classes
	}
	if t.data.given != t.cfg.Data {
		info.DataAsTyped = t.data.given
	}
	return info
}

// restoreRows writes the table of rows if it was lost.
func (t *Trainer) restoreRows() error {
	if has, err := run.HasRows(t.writer.Dir); err != nil || has {
		return err
	}
	return t.writer.StoreRows(t.data.points, t.data.held)
}
