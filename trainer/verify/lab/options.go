package lab

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
)

// Process is the range of log-SNRs of Plain.
var Process = diffusion.Process{Min: -10, Max: 10}

// Float32Error bounds the rounding error of a drift of size one: a few units in the last place of
// its terms.
const Float32Error = 1e-5

// Plain returns the options of the plain flow: overdamped particles with step size h, gradient
// descent with learning rate lr, unit observation noise, no guards and no averages. The sizes of
// networks are the smallest valid ones and have no effect: the models bring networks of their own.
func Plain(latent, particles int, h, lr float64) config.Options {
	return config.Options{
		Precision: blas.Float32,
		Network:   config.MLP, Decoder: config.MLP, Score: config.ScoreMLP, Encoder: config.MLP,
		DecoderBlocks: 1, UNetBlocks: 1, CloudInit: config.FromNormal,
		Condition: config.Unconditional,
		Latent:    latent, ObsNoise: 1, Likelihood: config.GaussianLikelihood,
		ScoreWidth: 1, ScoreBlocks: 1, ScoreFeatures: 2,
		LambdaMin: Process.Min, LambdaMax: Process.Max,
		Particles: particles, Dynamics: particle.Overdamped,
		StepSize: h, StepSizeEnd: h, StepSchedule: optim.Constant, Friction: 1,
		BatchRepeats: 1, InnerSteps: 1, ScoreDraws: 1,
		PriorWeight: diffusion.ELBO, PriorDrift: diffusion.BoundDrift,
		PriorLevels: diffusion.Uniform,
		Optimizer:   optim.SGD, LR: lr, LREnd: 1, LRSchedule: optim.Constant, ScoreLR: 1,
	}
}

// Step makes one step of a method, unless the context has ended.
func (l *Lab) Step(m method.Method, b method.Minibatch) (method.Stats, error) {
	if err := l.ctx.Err(); err != nil {
		return method.Stats{}, err
	}
	return m.Step(b)
}

// StepAll makes step number i of a method on all of its datapoints, unless the context has ended.
func (l *Lab) StepAll(m method.Method, points, i int) (method.Stats, error) {
	return l.Step(m, method.Minibatch{Index: data.Range(0, points), Number: uint32(i)})
}

// Tensor returns the array that a method's checkpoints hold under that name, such as "prior/params"
// (theta), "decoder/params" (phi) and "cloud/z" (M x N x d): the live array, not a copy. Call the
// method's Restored after changing it.
func Tensor(m method.Method, name string) []float32 {
	for _, t := range m.Tensors() {
		if t.Name == name {
			return t.F32
		}
	}
	panic(errTensor + name)
}

const errTensor = "lab: the method has no tensor "
