package linear

import (
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// boundValue compares the prior's loss that a step reports, the mean of the bound l over the
// particles, with -log p of the same particles. They are N(0, I), since it is the first step.
func boundValue(l *lab.Lab) error {
	const points, particles = 8, 32
	const cutOff = 1e-3 * axesDim // nats, due to the finite range of noise levels
	n := l.N(768, 8192)
	exact, measured, gap := make(lab.Sample, n), make(lab.Sample, n), make(lab.Sample, n)
	err := l.Models(n, func(k int, p *pool.Pool) error {
		o := lab.Plain(axesDim, particles, 1e-3, 1e-3)
		prior := axesPrior(diffusion.Bound{Process: lab.Process, Draws: 1})
		m, err := method.New("pgd", method.Setup{
			Options: o, Train: data.Table{D: axesDim, X: make([]float32, points*axesDim)},
			Batch: points, Tile: 64, Seed: l.Seed(k), Pool: p,
			Decoder: exactnet.Diagonal{Width: axesDim}.Net(), Prior: prior,
		})
		if err != nil {
			return err
		}
		exact[k] = axesNegLog(lab.Tensor(m, "cloud/z")) / (points * particles)
		stats, err := l.Step(m, method.Minibatch{Index: data.Range(0, points)})
		measured[k] = stats.PriorLoss / stats.Rows
		gap[k] = measured[k] - exact[k]
		return err
	})
	if err != nil {
		return err
	}
	l.Estimate("mean of the bound on -log p(z), nats", exact.Mean(), measured.Mean(),
		gap.SE(), cutOff)
	return nil
}

// axesNegLog is the sum of -log p over the rows of z, where p is the law of axesPrior.
func axesNegLog(z []float32) (sum float64) {
	for i, v := range z {
		variance := spread[i%axesDim%len(spread)]
		d := float64(v) - axesMean
		sum += (d*d/variance + math.Log(2*math.Pi*variance)) / 2
	}
	return sum
}
