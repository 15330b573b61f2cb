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
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/run"
)

// Model is a trained model in memory. Its methods must not be called concurrently.
type Model struct {
	cfg        config.Config
	datapoints int // number of images that it was trained on, with their mirror images
	pool       *pool.Pool
	method     method.Method
	start      *method.Components // where its particles started; nil: at N(0, I)
	generator  *generate.Generator
	closed     bool
}

var errClosed = errors.New("the model is closed")

// Train trains a model on all of the images, in memory. It reads and writes no files, unless the
// configuration keeps the particles in one, and measures nothing: for a run with records,
// checkpoints, held-out images and reports see New. It ignores the keys of data, but not flip, and
// the keys of reports. Where convolutions suit the images, as they suit colour pictures, keys with
// the method's defaults take those of convolutions (method.Resolve), unless Given says otherwise.
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
	t := &Trainer{writer: run.Writer{Dir: "."}}
	for _, o := range opts {
		o(t)
	}
	classes, _ := data.ClassesOf(images) // none without labels
	cfg = cfg.On(data.KindOf(images), data.LikelihoodOf(images))
	if t.cfg, err = method.Resolve(cfg, images.Shape(), t.given); err == nil && t.like == nil {
		t.cfg, err = method.ResolveClasses(t.cfg, classes.Len())
	}
	if err != nil {
		return nil, err
	}
	if advice := method.Advice(cfg, t.cfg, images.Shape()); advice != "" {
		t.warn(advice)
	}
	t.cfg = method.Suited(t.cfg, cfg, images.Len(), t.given)
	t.data.train, t.pool = images, pool.New(t.cfg.Threads)
	m := &Model{cfg: t.cfg, pool: t.pool}
	if err = errors.Join(t.setDatapoints(), t.setConditions(images)); err == nil {
		m.datapoints = t.data.points.Len()
		err = withDiskRemedy(t.build(ctx))
	}
	m.method, m.start = t.method, t.start
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
	err := m.generator.Sample(ctx, x, n, m.spec(seed))
	return x, err
}

func (m *Model) spec(seed uint64) generate.Spec {
	return generate.Spec{Solver: m.cfg.Solver, Steps: m.cfg.SolverSteps, Seed: seed}
}

// SampleLike is Sample with conditions, one image for each: rows of Classes numbers as the networks
// read them, for classes a 1 at the class. guidance, 0 or more, makes images more typical of their
// condition and less various (generate.Spec).
func (m *Model) SampleLike(
	ctx context.Context, conditions []float32, guidance float64, seed uint64,
) ([]float32, error) {
	n, err := m.countConditions(conditions)
	if err != nil {
		return nil, err
	}
	x, spec := make([]float32, n*m.generator.Dim()), m.spec(seed)
	spec.Condition, spec.Guidance = conditions, guidance
	err = m.generator.Sample(ctx, x, n, spec)
	return x, err
}

// countConditions returns the number of conditions.
func (m *Model) countConditions(conditions []float32) (int, error) {
	if m.closed {
		return 0, errClosed
	}
	k := m.generator.Conditions()
	if k == 0 {
		return 0, errors.New("the model has no conditions: set the configuration's Condition")
	}
	if len(conditions)%k != 0 {
		return 0, fmt.Errorf("%d numbers: expected whole conditions of %d", len(conditions), k)
	}
	return len(conditions) / k, nil
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
func (m *Model) Decode(z []float32) ([]float32, error) { return m.decode(z, nil) }

// DecodeLike is Decode with conditions as in SampleLike, for a decoder that reads them.
func (m *Model) DecodeLike(z, conditions []float32) ([]float32, error) {
	n, err := m.countConditions(conditions)
	if err == nil && n*m.cfg.Latent != len(z) {
		err = fmt.Errorf("%d conditions of latents of %d numbers in all, expected %d", n, len(z),
			n*m.cfg.Latent)
	}
	if err != nil {
		return nil, err
	}
	return m.decode(z, conditions)
}

func (m *Model) decode(z, conditions []float32) ([]float32, error) {
	if m.closed {
		return nil, errClosed
	}
	if len(z)%m.cfg.Latent != 0 {
		return nil, fmt.Errorf("%d numbers: expected whole latents of %d", len(z), m.cfg.Latent)
	}
	x := make([]float32, len(z)/m.cfg.Latent*m.generator.Dim())
	m.generator.Decode(x, z, conditions)
	return x, nil
}

// Query returns what answers questions about rows of data, those of the training or others: their
// latents, reconstructions, missing values and likelihoods (package query). It works until Close.
func (m *Model) Query() (*query.Model, error) {
	if m.closed {
		return nil, errClosed
	}
	asked := query.New(m.generator, m.cfg, m.pool)
	asked.UseComponents(m.start)
	return asked, nil
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
