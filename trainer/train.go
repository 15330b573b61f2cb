package trainer

import (
	"context"
	"errors"
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/run"
)

// Model is a trained model in memory. Its methods must not be called concurrently.
type Model struct {
	cfg        config.Config
	datapoints int // number of images that it was trained on, with their mirror images
	pool       *pool.Pool
	method     method.Method
	generator  *generate.Generator
	closed     bool
}

var errClosed = errors.New("the model is closed")

// Train trains a model on all of the images, in memory. It reads and writes no files, unless the
// configuration keeps the particles in one, and measures nothing: for a run with records,
// checkpoints, held-out images and reports see New. It ignores the keys of data, but not flip, and
// the keys of reports.
//
// The training is that of a run with holdout = 0 on the same images, bit for bit. If it diverges,
// Train does not try smaller steps as a run does: it returns an error that wraps ErrDiverged. When
// ctx ends, it returns ctx's error after the step under way. Hooks are called at every step and
// epoch, and with warnings.
func Train(
	ctx context.Context, cfg config.Config, images data.Dataset, opts ...Option,
) (*Model, error) {
	err := method.Validate(cfg)
	if err == nil {
		err = method.CheckUnread(cfg)
	}
	if err := errors.Join(err, checkImages(images), kernel.Err()); err != nil {
		return nil, err
	}
	if cfg, err = method.Resolve(cfg, images.Shape(), nil); err != nil {
		return nil, err
	}
	t := &Trainer{cfg: cfg, writer: run.Writer{Dir: "."}, pool: pool.New(cfg.Threads)}
	for _, o := range opts {
		o(t)
	}
	t.data.train = images
	m := &Model{cfg: cfg, pool: t.pool}
	if err = t.setDatapoints(); err == nil {
		m.datapoints = t.data.points.Len()
		err = withDiskRemedy(t.build(ctx))
	}
	m.method = t.method
	if err == nil {
		err = t.steps(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	m.generator = m.method.Generator(true)
	return m, nil
}

// checkImages reports data that cannot be trained on.
func checkImages(images data.Dataset) error {
	if table, ok := images.(data.Table); ok {
		if err := table.Validate(); err != nil {
			return err
		}
	}
	if images.Len() == 0 {
		return errors.New("no images: expected at least one to train on")
	}
	if images.Shape().Dim() < 1 {
		return fmt.Errorf("images of %v: expected at least one number in each", images.Shape())
	}
	return nil
}

// steps trains to the end of the last epoch, and writes nothing.
func (t *Trainer) steps(ctx context.Context) error {
	for t.next.epoch < t.cfg.Epochs {
		for ; t.next.batch < t.data.batches.PerEpoch(); t.next.batch++ {
			for t.next.repeat = 0; t.next.repeat < t.cfg.BatchRepeats; t.next.repeat++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := t.oneStep(); errors.Is(err, ErrDiverged) {
					return fmt.Errorf("step %d: %w", t.diagnosis(err).Step, err)
				} else if err != nil {
					return err
				}
			}
		}
		if len(t.hooks) > 0 {
			e := t.record()
			t.judge(e)
			t.reportEpoch(e)
		}
		t.next = place{epoch: t.next.epoch + 1}
		t.sums, t.speed = method.Stats{}, speed{}
	}
	return t.method.Err()
}

// Sample draws n images, n x D, with the solver of the configuration. Pixels are meant for [-1, 1]
// but not clamped to it. Sample stops early, with ctx's error, when ctx ends.
func (m *Model) Sample(ctx context.Context, n int, seed uint64) ([]float32, error) {
	if m.closed {
		return nil, errClosed
	}
	if n < 0 {
		return nil, fmt.Errorf("%d samples: expected 0 or more", n)
	}
	x := make([]float32, n*m.generator.Dim())
	err := m.generator.Sample(ctx, x, n, m.cfg.Solver, m.cfg.SolverSteps, seed)
	return x, err
}

// Latents returns a latent of each training image, M x d, in the order of the images: the first of
// its particles, or the mean of the encoder. With flip, those of the mirror images follow.
func (m *Model) Latents() ([]float32, error) {
	if m.closed {
		return nil, errClosed
	}
	z := make([]float32, m.datapoints*m.cfg.Latent)
	m.method.Latents(m.generator, z, data.Range(0, m.datapoints))
	return z, m.method.Err()
}

// Decode returns the images of latents: n x D from n x d.
func (m *Model) Decode(z []float32) ([]float32, error) {
	if m.closed {
		return nil, errClosed
	}
	if len(z)%m.cfg.Latent != 0 {
		return nil, fmt.Errorf("%d numbers: expected whole latents of %d", len(z), m.cfg.Latent)
	}
	x := make([]float32, len(z)/m.cfg.Latent*m.generator.Dim())
	m.generator.Decode(x, z)
	return x, nil
}

// Close ends the workers, and removes the file of particles if there is one. A closed model gives
// errors; closing it again does nothing.
func (m *Model) Close() error {
	if m.closed {
		return nil
	}
	m.closed = true
	m.pool.Close()
	if m.method == nil {
		return nil
	}
	return m.method.Close()
}
