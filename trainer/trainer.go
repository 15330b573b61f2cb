// Package trainer is the loop that trains a model: it deals minibatches to a method, reports,
// samples, checkpoints and resumes. What it puts together lives in its sub-packages, each
// usable on its own.
package trainer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pool"
)

// ErrInterrupted is what Run returns when its context ended and a checkpoint was saved.
var ErrInterrupted = errors.New("interrupted after saving a checkpoint")

// ErrDiverged is wrapped by the error of a run whose numbers are no longer finite.
var ErrDiverged = method.ErrDiverged

// place is the next step: of which epoch, minibatch and repeat, all from 0.
type place struct{ epoch, batch, repeat int }

// Trainer is one run.
type Trainer struct {
	cfg    Config
	runDir string
	hooks  []Hook

	pool        *pool.Pool
	train, held data.Dataset
	fingerprint string
	batches     *data.Batches
	method      method.Method
	log         *metric.Log

	next   place
	step   int          // parameter steps taken
	sums   method.Stats // of the epoch under way
	busy   float64      // seconds spent in the steps of the epoch under way, in this session
	rows   float64      // rows moved in that time
	before float64      // seconds of earlier sessions
	start  time.Time    // of Run

	pca      *metric.PCA // of the training images, fitted when first needed
	pcaTried bool
	last     metric.Epoch
	pictures pictures

	clipNoted, redrawnNoted bool // the warning was given
}

// New prepares a fresh run in runDir, which exists and holds no run, and stores the
// configuration there.
func New(cfg Config, runDir string, opts ...Option) (*Trainer, error) {
	t, err := prepare(cfg, runDir, opts)
	if err != nil {
		return nil, err
	}
	if err := t.open(0); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	if err := StoreRunInfo(runDir, NewRunInfo(cfg, t.fingerprint, t.train.Shape())); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// Resume prepares a run to go on from its newest checkpoint; cfg must be the configuration
// stored with it but for the keys that may change (Config.CheckResume). A run interrupted
// before its first checkpoint cannot be resumed.
func Resume(runDir string, cfg Config, opts ...Option) (*Trainer, error) {
	stored, err := LoadRun(runDir)
	if err == nil {
		err = stored.CheckResume(cfg)
	}
	if err != nil {
		return nil, err
	}
	t, err := prepare(cfg, runDir, opts)
	if err != nil {
		return nil, err
	}
	if err := t.restore(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	if err := errors.Join(t.open(t.step), MarkFinished(runDir, false)); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// prepare opens the data and builds the method.
func prepare(cfg Config, runDir string, opts []Option) (*Trainer, error) {
	if err := errors.Join(cfg.Validate(), kernel.Err()); err != nil {
		return nil, err
	}
	t := &Trainer{cfg: cfg, runDir: runDir}
	for _, o := range opts {
		o(t)
	}
	all, err := data.Open(cfg.Data, data.Options{Size: cfg.Size, Gray: cfg.Gray, Warn: t.message})
	if err != nil {
		return nil, err
	}
	t.fingerprint = data.Fingerprint(all)
	if t.train, t.held, err = data.Split(all, cfg.Holdout, cfg.Seed); err != nil {
		return nil, err
	}
	t.batches = data.NewBatches(t.train.Len(), cfg.Batch, cfg.Seed)
	t.pool = pool.New(cfg.Threads)
	t.method, err = method.New(cfg.Method, method.Setup{
		Options: cfg.Options, Train: t.train, Batch: min(cfg.Batch, t.train.Len()),
		Tile: cfg.Tile, Seed: cfg.Seed, Pool: t.pool,
	})
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// open stores the configuration and opens the metrics, without records beyond the given step.
func (t *Trainer) open(step int) (err error) {
	if err := StoreConfig(t.runDir, t.cfg); err != nil {
		return err
	}
	t.log, err = metric.OpenLog(filepath.Join(t.runDir, metricsFile), step)
	return err
}

// Close ends the workers and closes the files. The trainer is of no use afterwards.
func (t *Trainer) Close() error {
	if t.pool != nil {
		t.pool.Close()
		t.pool = nil
	}
	if t.log == nil {
		return nil
	}
	err := t.log.Close()
	t.log = nil
	return err
}

// tensors are the method's state and the trainer's own.
func (t *Trainer) tensors(sums []float64) []checkpoint.Tensor {
	return append(t.method.Tensors(), checkpoint.Tensor{Name: "epoch/sums", Shape: []int{len(sums)}, F64: sums})
}

// save writes a checkpoint of the state between two steps, unless it is no longer finite.
func (t *Trainer) save() error {
	text, err := t.cfg.TOML()
	if err != nil {
		return err
	}
	var sums []float64
	for _, v := range t.sums.Values() {
		sums = append(sums, *v)
	}
	meta := checkpoint.Meta{
		Method: t.cfg.Method, Step: t.step, Epoch: t.next.epoch, Batch: t.next.batch, Repeat: t.next.repeat,
		Seconds: t.seconds(), Seed: t.cfg.Seed, Data: t.cfg.Data, Fingerprint: t.fingerprint,
		Version: Version(), Config: string(text),
	}
	tensors := t.tensors(sums)
	for _, x := range tensors {
		if !kernel.AllFinite(x.F32) {
			return fmt.Errorf("%w at step %d: %s has values that are not finite; the last checkpoint stays", ErrDiverged, t.step, x.Name)
		}
	}
	_, err = checkpoint.Save(t.runDir, meta, tensors, t.cfg.KeepCheckpoints)
	return err
}

// restore reads the newest checkpoint.
func (t *Trainer) restore() error {
	dir, err := checkpoint.Latest(t.runDir)
	if err != nil {
		return err
	}
	sums := make([]float64, len(t.sums.Values()))
	meta, err := checkpoint.Load(dir, t.tensors(sums))
	if err != nil {
		return err
	}
	if meta.Fingerprint != t.fingerprint {
		return fmt.Errorf("%s: the data %q are not those the run was trained on (fingerprint %s, expected %s)",
			dir, t.cfg.Data, t.fingerprint, meta.Fingerprint)
	}
	for i, v := range t.sums.Values() {
		*v = sums[i]
	}
	t.next = place{meta.Epoch, meta.Batch, meta.Repeat}
	t.step, t.before = meta.Step, meta.Seconds
	t.method.Restored()
	return nil
}

// seconds is the wall time of the run so far.
func (t *Trainer) seconds() float64 {
	if t.start.IsZero() {
		return t.before
	}
	return t.before + time.Since(t.start).Seconds()
}

// Run trains to the last epoch. When ctx ends, it saves a checkpoint at the next step boundary
// and returns an error that wraps ErrInterrupted; a run that diverged returns one that wraps
// ErrDiverged, and its last checkpoint stays what it was.
func (t *Trainer) Run(ctx context.Context) error {
	t.start = time.Now()
	if t.next.epoch >= t.cfg.Epochs {
		if err := t.reportAgain(); err != nil {
			return err
		}
	}
	for t.next.epoch < t.cfg.Epochs {
		if err := t.epoch(ctx); err != nil {
			return err
		}
	}
	return t.end()
}

// epoch trains from the present position to the end of its epoch.
func (t *Trainer) epoch(ctx context.Context) error {
	for ; t.next.batch < t.batches.PerEpoch(); t.next.batch++ {
		for ; t.next.repeat < t.cfg.BatchRepeats; t.next.repeat++ {
			if ctx.Err() != nil {
				if err := t.save(); err != nil {
					return fmt.Errorf("interrupted, and no checkpoint could be saved: %w", err)
				}
				return ErrInterrupted
			}
			if err := t.oneStep(); err != nil {
				return err
			}
		}
		t.next.repeat = 0
	}
	t.next = place{epoch: t.next.epoch + 1}
	return t.endEpoch()
}

// total is the number of parameter steps in the whole run.
func (t *Trainer) total() int {
	return t.cfg.Epochs * t.batches.PerEpoch() * t.cfg.BatchRepeats
}

func (t *Trainer) oneStep() error {
	began := time.Now()
	stats, err := t.method.Step(method.Minibatch{
		Index:    t.batches.At(t.next.epoch, t.next.batch),
		Number:   uint32(t.next.epoch*t.batches.PerEpoch() + t.next.batch),
		Repeat:   t.next.repeat,
		Progress: float64(t.step) / float64(t.total()),
	})
	if err != nil {
		return err
	}
	t.step++
	t.sums.Add(stats)
	t.busy += time.Since(began).Seconds()
	t.rows += stats.Moved
	t.reportStep(stats)
	return nil
}

// endEpoch writes the epoch's record, and evaluates and checkpoints when it is time.
func (t *Trainer) endEpoch() error {
	done, last := t.next.epoch, t.next.epoch == t.cfg.Epochs
	e := t.record()
	if last || t.cfg.EvalEvery > 0 && done%t.cfg.EvalEvery == 0 {
		if err := t.evaluate(&e); err != nil {
			return err
		}
	}
	t.last = e
	if err := errors.Join(t.log.Write(e), t.judge(e)); err != nil {
		return err
	}
	for _, h := range t.hooks {
		if h.OnEpoch != nil {
			h.OnEpoch(e)
		}
	}
	t.sums, t.busy, t.rows = method.Stats{}, 0, 0
	if last || t.cfg.CheckpointEvery > 0 && done%t.cfg.CheckpointEvery == 0 {
		return t.save()
	}
	return nil
}

// end marks the run as finished and reports what it reached.
func (t *Trainer) end() error {
	if err := MarkFinished(t.runDir, true); err != nil {
		return err
	}
	s := Summary{
		Seconds: t.seconds(), Steps: t.step, Final: t.last,
		SamplePath: t.pictures.samples, ReconPath: t.pictures.recon, RealFloor: t.realFloor(),
	}
	for _, h := range t.hooks {
		if h.OnEnd != nil {
			h.OnEnd(s)
		}
	}
	return nil
}
