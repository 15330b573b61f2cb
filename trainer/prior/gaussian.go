package prior

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
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

// gaussianTape keeps the drift z - mean of the batch. Minus its mean over the rows is the gradient
// by mean.
type gaussianTape struct {
	Gaussian
	mean, drift []float32
}

// NewTape implements Prior.
func (p Gaussian) NewTape(a *memory.Arena, params []float32, rows int, _ model.Use) Tape {
	return &gaussianTape{
		Gaussian: p, mean: params, drift: a.Floats(memory.Activations, rows, p.Latent),
	}
}

func (t *gaussianTape) Draws() int { return 1 }

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
func (p Gaussian) NewSampler(_ *memory.Arena, params []float32, _ int) Sampler {
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
