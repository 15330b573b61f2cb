package method

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/model"
)

// Prior is p_theta(z), as particles and theta feel it.
type Prior interface {
	// Layout is where theta lies; its size is 0 for a prior without parameters.
	Layout() *model.Layout
	// NewTape binds the prior to parameters and to memory for a batch of rows.
	NewTape(p []float32, rows int) PriorTape
	// NewSampler binds the prior to parameters and to memory for drawing rows.
	NewSampler(p []float32, rows int) PriorSampler
	// TapeBytes and SamplerBytes are the memory of such a tape and of such a sampler, without that of
	// the packed parameters: PackedBytes, and without backward, of a sampler's alone.
	TapeBytes(rows int) int64
	SamplerBytes(rows int) int64
	PackedBytes(backward bool) int64
}

// Packer lays parameters out for products; all of its tasks come before its other methods when the
// parameters are new. They are independent of each other.
type Packer interface {
	PackTasks(backward bool) int // without backward, for sampling and decoding alone
	Pack(task int)
}

// PriorTape evaluates the prior on a batch; ranges of rows are independent of each other.
type PriorTape interface {
	Packer
	// Begin draws what the rows of a batch share. level and noise are keys of the noise stream.
	Begin(rows int, level, noise kernel.Key)
	// Rows takes rows lo to hi of z, addressed by ids, and writes -grad log p(z), or that of its
	// bound, into g and the bound on -log p(z) into loss (nats, one a row). For train it prepares
	// Grad; without it g may be nil, and then only the loss is wanted.
	Rows(lo, hi int, z []float32, ids []uint64, g, loss []float32, train bool)
	// Grad writes a task's part of the gradient of the mean loss over rows 0 to rows.
	GradTasks() int
	Grad(task int, grad []float32, rows int)
}

// PriorSampler draws latents; ranges of rows are independent of each other.
type PriorSampler interface {
	Packer
	// Sample turns rows lo to hi of z, which are N(0, I), into samples of the prior.
	Sample(lo, hi int, z []float32, ids []uint64, how SampleSpec)
}

// SampleSpec says how a diffusion prior is sampled.
type SampleSpec struct {
	Solver diffusion.Solver
	Steps  int
	Seed   uint64

	stop func() bool // asked before each step whether to end early; nil: no
}

// DiffusionPrior is the diffusion with a learned residual score.
type DiffusionPrior struct {
	Bound diffusion.Bound
	Score model.ScoreNet
}

// NewDiffusionPrior is the prior that the options describe.
func NewDiffusionPrior(o config.Options) *DiffusionPrior {
	return &DiffusionPrior{Bound: NewBound(o), Score: model.NewResidualScore(o.Latent, o.ScoreWidth, o.ScoreBlocks, o.ScoreFeatures)}
}

// NewBound is the bound that the options describe.
func NewBound(o config.Options) diffusion.Bound {
	b := diffusion.Bound{
		Process:        diffusion.Process{Min: o.LambdaMin, Max: o.LambdaMax},
		Draws:          o.ScoreDraws,
		ControlVariate: o.ControlVariate,
		ScoreDrift:     o.PriorDrift == "score",
	}
	if o.PriorWeight == "simple" {
		b.Weight = diffusion.Simple
	}
	return b
}

// Layout implements Prior.
func (d *DiffusionPrior) Layout() *model.Layout { return d.Score.Layout() }

type diffusionTape struct {
	*diffusion.BoundTape
	score model.ScoreTape
}

// NewTape implements Prior.
func (d *DiffusionPrior) NewTape(p []float32, rows int) PriorTape {
	score := d.Score.NewScoreTape(p, rows*d.Bound.Draws)
	return diffusionTape{BoundTape: d.Bound.NewTape(score, d.Score.In(), rows), score: score}
}

// Activations implements model.Traced, as far as the score network does.
func (t diffusionTape) Activations() []model.Values { return activations(t.score) }

// Gradients implements model.Traced, as far as the score network does.
func (t diffusionTape) Gradients() []model.Values { return gradients(t.score) }

func (t diffusionTape) PackTasks(backward bool) int { return t.score.PackTasks(backward) }
func (t diffusionTape) Pack(task int)               { t.score.Pack(task) }

func (t diffusionTape) GradTasks() int { return t.score.GradTasks() }

func (t diffusionTape) Grad(task int, grad []float32, rows int) {
	n := rows * t.Draws
	t.score.Grad(task, grad, n, float32(1/float64(n)))
}

type diffusionSampler struct {
	*DiffusionPrior
	score   model.ScoreTape
	scratch []float32
}

// NewSampler implements Prior.
func (d *DiffusionPrior) NewSampler(p []float32, rows int) PriorSampler {
	return &diffusionSampler{
		DiffusionPrior: d,
		score:          d.Score.NewScoreTape(p, rows),
		scratch:        kernel.Floats(3 * rows * d.Score.In()),
	}
}

func (s *diffusionSampler) PackTasks(backward bool) int { return s.score.PackTasks(backward) }
func (s *diffusionSampler) Pack(task int)               { s.score.Pack(task) }

// Sample implements PriorSampler.
func (s *diffusionSampler) Sample(lo, hi int, z []float32, ids []uint64, how SampleSpec) {
	d := s.Score.In()
	w := diffusion.Walk{
		Process: s.Bound.Process, Solver: how.Solver, Steps: how.Steps, D: d,
		Noise: kernel.Key{Seed: how.Seed, Stream: kernel.StreamSampleNoise},
		Eps:   func(eps, z []float32, lambda float64) { s.eps(lo, hi, eps, z, lambda) },
		Stop:  how.stop,
	}
	w.Run(z, ids, s.scratch[3*lo*d:3*hi*d])
}

// eps is eps_theta = sigma z + r.
func (s *diffusionSampler) eps(lo, hi int, eps, z []float32, lambda float64) {
	copy(s.score.In(lo, hi), z)
	s.score.ForwardAt(lo, hi, float32(lambda))
	copy(eps, s.score.Out(lo, hi))
	kernel.Combine(eps, 1, z, float32(diffusion.Sigma(lambda)), nil, 0)
}

// Gaussian is the prior N(mean, I) over Latent dimensions: mean 0, or a learned one.
type Gaussian struct {
	Latent    int
	LearnMean bool
}

// Layout implements Prior.
func (p Gaussian) Layout() *model.Layout {
	l := &model.Layout{}
	if p.LearnMean {
		l.AddParam("mean", p.Latent)
	}
	return l
}

// PackTasks implements Packer: there are no products.
func (p Gaussian) PackTasks(bool) int { return 0 }

// Pack implements Packer.
func (p Gaussian) Pack(int) {}

// gaussianTape keeps the drift z - mean of the batch, whose mean is minus the gradient by mean.
type gaussianTape struct {
	Gaussian
	mean, drift []float32
}

// NewTape implements Prior.
func (p Gaussian) NewTape(params []float32, rows int) PriorTape {
	return &gaussianTape{Gaussian: p, mean: params, drift: kernel.Floats(rows * p.Latent)}
}

func (t *gaussianTape) Begin(int, kernel.Key, kernel.Key) {}

func (t *gaussianTape) Rows(lo, hi int, z []float32, _ []uint64, g, loss []float32, _ bool) {
	drift := t.drift[lo*t.Latent : hi*t.Latent]
	copy(drift, z)
	if t.LearnMean {
		for i := range drift {
			drift[i] -= t.mean[i%t.Latent]
		}
	}
	copy(g, drift)
	diffusion.NegLogNormal(loss, drift, t.Latent)
}

func (t *gaussianTape) GradTasks() int {
	if t.LearnMean {
		return 1
	}
	return 0
}

func (t *gaussianTape) Grad(_ int, grad []float32, rows int) {
	kernel.ColSum(grad, t.drift[:rows*t.Latent], t.Latent, float32(-1/float64(rows)))
}

// NewSampler implements Prior.
func (p Gaussian) NewSampler(params []float32, _ int) PriorSampler {
	return gaussianSampler{Gaussian: p, mean: params}
}

type gaussianSampler struct {
	Gaussian
	mean []float32
}

func (s gaussianSampler) Sample(_, _ int, z []float32, _ []uint64, _ SampleSpec) {
	if s.LearnMean {
		kernel.AddBias(z, s.mean)
	}
}
