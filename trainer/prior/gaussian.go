package prior

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
)

// Gaussian is the prior N(mean, I) over Latent dimensions. The mean is 0 or learned.
type Gaussian struct {
	Latent    int
	LearnMean bool
}

// Layout implements Prior.
func (p Gaussian) Layout() *model.Layout {
	l := &model.Layout{}
	if p.LearnMean {
		l.Add("mean", 0, p.Latent)
	}
	return l
}

// Closed implements Prior.
func (p Gaussian) Closed() bool { return true }

// Standardise implements Prior.
func (p Gaussian) Standardise([]float32, []float64, []float64) {}

// Steady implements Prior.
func (p Gaussian) Steady() Prior { return p }

// PackTasks implements model.Packer. There is nothing to pack.
func (p Gaussian) PackTasks() int { return 0 }

// Pack implements model.Packer.
func (p Gaussian) Pack(int) {}

// CutFree implements model.Packer.
func (p Gaussian) CutFree() bool { return true }

// TileRows implements Prior. There is no network, and any number would do.
func (p Gaussian) TileRows() int { return 1 << 16 }

// Kept implements Prior.
func (p Gaussian) Kept() int { return p.Latent }

// gaussianTape keeps the drift z - mean of the wave. Minus its mean over the rows of the batch is
// the gradient by mean.
type gaussianTape struct {
	Gaussian
	mean, drift []float32
	first       int // row of the wave
	wave        layer.Wave
	whole       []memory.Block // mean
}

// NewTape implements Prior.
func (p Gaussian) NewTape(a *memory.Arena, params []float32, size model.Size, _ model.Use) Tape {
	return &gaussianTape{
		Gaussian: p, mean: params, drift: a.Floats(memory.Activations, size.Rows, p.Latent),
		whole: []memory.Block{memory.Span(0, p.Latent)},
	}
}

func (t *gaussianTape) Draws() int { return 1 }

func (t *gaussianTape) Begin(int, kernel.Key, kernel.Key, ...diffusion.Lane) {}

func (t *gaussianTape) Evaluate(r diffusion.Rows) {
	defer r.Clock.Enter(phase.Prior).End()
	drift := t.drift[(r.Lo-t.first)*t.Latent : (r.Hi-t.first)*t.Latent]
	copy(drift, r.Z)
	if t.LearnMean {
		for i := range drift {
			drift[i] -= t.mean[i%t.Latent]
		}
	}
	copy(r.G, drift)
	diffusion.NegLogNormal(r.Loss, drift, t.Latent)
}

func (t *gaussianTape) Levels(int, int) diffusion.Levels { return diffusion.Levels{} }

func (t *gaussianTape) Work() float64 { return 0 }

func (t *gaussianTape) Wave(first int) { t.first = first }

func (t *gaussianTape) Reduce(w layer.Wave) { t.wave = w }

func (t *gaussianTape) GradTasks() int {
	if t.LearnMean {
		return 1
	}
	return 0
}

func (t *gaussianTape) Grad(int) {
	w := &t.wave
	w.Sum(w.Grad, -w.Scale, func(sum []float32, lo, hi int) {
		kernel.ColSumAdd(sum, t.drift[lo*t.Latent:hi*t.Latent], t.Latent)
	})
}

func (t *gaussianTape) GradPieces() int { return t.GradTasks() }

func (t *gaussianTape) GradPiece(task int) (of int, done bool) {
	t.Grad(task)
	return task, true
}

func (t *gaussianTape) Writes(int) []memory.Block { return t.whole }

func (t *gaussianTape) Updated(int) {}

func (t *gaussianTape) Visit(func(model.Values)) {}

func (t *gaussianTape) Gradients() []model.Values { return nil }

// NewSampler implements Prior.
func (p Gaussian) NewSampler(_ *memory.Arena, params []float32, _ model.Size) Sampler {
	return gaussianSampler{Gaussian: p, mean: params}
}

type gaussianSampler struct {
	Gaussian
	mean []float32
}

func (s gaussianSampler) Sample(z []float32, _ []uint64, _ SampleSpec) {
	for d := s.Latent; s.LearnMean && len(z) > 0; z = z[d:] {
		kernel.Add(z[:d], s.mean)
	}
}
