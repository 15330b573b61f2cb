package trainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/run"
)

// Follow serves the leader of a training (Lead) as another of its ranks, and returns the exit code
// with which the leader says that this process should end. When ctx ends, it tells the leader,
// which saves a checkpoint and ends the training. An error means that the ranks can do no more
// together. every is that of Lead.
func Follow(ctx context.Context, c comm.Comm, every time.Duration) (code int, err error) {
	return (&follower{ctx: ctx, comm: c, every: every, files: file.OS}).serve()
}

// serve obeys until the end.
func (f *follower) serve() (code int, err error) {
	defer func() { err = errors.Join(err, f.close()) }()
	for {
		o, err := comm.Share(f.comm, order{}, 0)
		if err != nil {
			return 0, err
		}
		if o.Do == toEnd {
			return o.Code, f.comm.Barrier()
		}
		if err := f.obey(o); err != nil {
			return 0, fmt.Errorf("%s: %w", o.Do, err)
		}
	}
}

// follower is a rank that is not the first.
type follower struct {
	ctx   context.Context
	comm  comm.Comm
	every time.Duration
	files file.System
	own   ownShard

	t    *Trainer        // of which it has the data, the workers and the method; nil: not yet
	rows *data.Unsettled // that stay in their file; nil: none
}

func (f *follower) close() (err error) {
	f.own.drop()
	if f.rows != nil {
		err = f.rows.Close()
	}
	if f.t == nil {
		return err
	}
	if f.t.method != nil {
		err = errors.Join(err, f.t.method.Close())
	}
	if f.t.pool != nil {
		f.t.pool.Close()
	}
	return err
}

// obey does what the leader wants. Its error is that of an exchange: those that the leader hears of
// are its to deal with.
func (f *follower) obey(o order) error {
	switch o.Do {
	case toWait:
		return nil
	case toSurvey:
		return f.survey(o)
	case toBuild:
		return f.build(o.Build)
	}
	if f.t == nil || f.t.method == nil {
		return errors.New("there is no training yet")
	}
	switch o.Do {
	case toStep:
		return f.step(o)
	case toSlow:
		f.t.method.Slow(o.Factor)
	case toDiagnose:
		f.t.method.Diagnose(o.Progress)
	case toLatents:
		f.t.method.Latents(nil, make([]float32, len(o.Index)*f.t.cfg.Latent), o.Index)
	case toCheck:
		return f.together(func() error { return data.Err(f.t.data.points) })
	case toSave:
		return f.together(func() error { return f.write(o.Dir) })
	case toStore:
		f.own.store()
	case toGather:
		_, _, broken := gather(f.comm, f.every, &f.own)
		return broken
	case toRestore:
		return f.together(func() error {
			_, err := checkpoint.LoadSome(o.Dir, f.t.method.Tensors())
			f.t.method.Restored()
			return err
		})
	default:
		return fmt.Errorf("an order that this version does not know")
	}
	return nil
}

// together does a part that takes longer on some ranks than on others.
func (f *follower) together(part func() error) error {
	_, broken := comm.Together(f.comm, f.every/2, part)
	return broken
}

// build reads the data, unless they have been, and makes the method in its initial state.
func (f *follower) build(p *plan) error {
	failed, broken := comm.Together(f.comm, f.every/2, func() error { return f.prepare(p) })
	if broken != nil || failed != nil { // of which the leader hears
		return broken
	}
	_ = f.t.build(f.ctx) // likewise
	return nil
}

// survey tells the leader of this rank's part of the rows.
func (f *follower) survey(o order) error {
	var own share
	failed, broken := comm.Together(f.comm, f.every/2, func() (err error) {
		own, err = f.surveyOwn(o)
		return err
	})
	if broken != nil || failed != nil {
		return broken
	}
	_, err := shareAll(f.comm, own)
	return err
}

// surveyOwn opens the file of the rows, unless it is open, and makes this rank's share of a survey.
func (f *follower) surveyOwn(o order) (s share, err error) {
	if f.rows == nil {
		if err := f.begin(o.Build); err != nil {
			return s, err
		}
		found, err := data.Find(f.ctx, f.t.cfg.Data, f.t.cfg.DataOptions(nil, nil))
		if err != nil {
			return s, err
		}
		if !found.CanStay() {
			return s, fmt.Errorf("data: %s is %s, and on rank 0 holds %s", f.t.cfg.Data,
				found.Summary.Format, o.Rows)
		}
		found.Stay(nil)
		if f.rows, err = found.Open(f.ctx); err != nil {
			return s, err
		}
		if here := f.rows.String(); here != o.Rows {
			return s, fmt.Errorf("data: %s holds %s, and on rank 0 %s", f.t.cfg.Data, here, o.Rows)
		}
	}
	if ends := o.Build.Ends; ends != nil {
		if _, err := f.rows.Settle(f.ctx, *ends); err != nil {
			return s, err
		}
	}
	return f.t.surveyOwn(f.ctx, f.rows)
}

// begin makes the trainer of a plan, which has no data yet.
func (f *follower) begin(p *plan) error {
	if here := run.Version(); here != p.Version {
		return fmt.Errorf("this is plume %s, and rank 0 is plume %s: start the same on all ranks",
			here, p.Version)
	}
	if here := blas.Info().Backend; string(here) != p.Backend {
		return fmt.Errorf("the products are those of %s, and on rank 0 of %s", here, p.Backend)
	}
	if err := kernel.Err(); err != nil {
		return err
	}
	if info, err := os.Stat(p.RunDir); err != nil || !info.IsDir() {
		return fmt.Errorf("%s, the directory of the run, is not there: it must be on a file "+
			"system that all ranks share", p.RunDir)
	}
	cfg, err := config.ParseWhole("the configuration of rank 0", []byte(p.Config))
	if err != nil {
		return err
	}
	if f.t == nil {
		f.t = &Trainer{
			writer: run.Writer{Dir: p.RunDir, Files: file.OS}, ranks: f.comm, follows: true,
		}
	}
	f.t.cfg = cfg
	return nil
}

// prepare reads the data and makes the workers.
func (f *follower) prepare(p *plan) error {
	if err := f.begin(p); err != nil {
		return err
	}
	if f.t.method != nil { // the run begins again
		err := f.t.method.Close()
		f.t.method = nil
		return err
	}
	if err := f.t.readAs(f.ctx, p, f.rows); err != nil {
		return err
	}
	f.t.pool = pool.New(f.t.cfg.Threads)
	return nil
}

// readAs reads the data, which must be those of the plan, unless rows has them (nil: not).
func (t *Trainer) readAs(ctx context.Context, p *plan, rows *data.Unsettled) (err error) {
	if rows != nil {
		t.data.fingerprint = p.Fingerprint // of all ranks
		all, err := rows.Settle(ctx, *p.Ends)
		if err != nil {
			return err
		}
		return t.divide(all)
	}
	o := t.cfg.DataOptions(nil, nil)
	if p.Schema != "" {
		if o.TableSchema, err = columns.ParseSchema([]byte(p.Schema)); err != nil {
			return err
		}
	}
	all, err := data.Open(ctx, t.cfg.Data, o)
	if err != nil {
		return err
	}
	if t.data.fingerprint, err = data.FingerprintLike(ctx, all, p.Fingerprint); err != nil {
		return err
	}
	if t.data.fingerprint != p.Fingerprint {
		return fmt.Errorf("%s has other data (fingerprint %s) than on rank 0 (%s)", t.cfg.Data,
			t.data.fingerprint, p.Fingerprint)
	}
	return t.divide(all)
}

func (f *follower) step(o order) error {
	perEpoch := uint32(f.t.data.batches.PerEpoch())
	_, err := f.t.method.Step(method.Minibatch{
		Index:  f.t.data.batches.At(int(o.Number/perEpoch), int(o.Number%perEpoch)),
		Number: o.Number, Repeat: o.Repeat, Progress: o.Progress,
	})
	if err != nil && !errors.Is(err, ErrDiverged) {
		return nil // the leader has it, too
	}
	own := said{stops: f.ctx.Err() != nil, stored: f.own.isStored()}
	_, _, broken := afterStep(f.comm, own, data.Err(f.t.data.points))
	return broken // of the rest the leader hears
}
