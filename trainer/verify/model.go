package verify

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
)

type table = data.Table

// plain are options of the plain flow: overdamped particles with steps of h, gradient descent with
// learning rate lr, unit observation noise, nothing that guards or averages. The sizes of the
// networks are those of none: models bring their own.
func plain(latent, particles int, h, lr float64) config.Options {
	return config.Options{
		Latent: latent, ObsNoise: 1, ScoreWidth: 1, ScoreBlocks: 1, ScoreFeatures: 2, LambdaMin: -10, LambdaMax: 10,
		Particles: particles, Dynamics: "overdamped", StepSize: h, StepSizeEnd: h, StepSchedule: "constant",
		Friction: 1, BatchRepeats: 1, InnerSteps: 1, ScoreDraws: 1, PriorWeight: "elbo", PriorDrift: "bound",
		Optimizer: "sgd", LR: lr, LREnd: 1, LRSchedule: "constant", ScoreLR: 1,
	}
}

// step makes one step of a method, unless the context has ended.
func (l *lab) step(m method.Method, b method.Minibatch) (method.Stats, error) {
	if err := l.ctx.Err(); err != nil {
		return method.Stats{}, err
	}
	return m.Step(b)
}

// tensor is the live array of a method of the given name in a checkpoint, such as "prior/params"
// (theta), "decoder/params" (phi) and "cloud/z" (M x N x d). Whoever changes one calls Restored.
func tensor(m method.Method, name string) []float32 {
	for _, t := range m.Tensors() {
		if t.Name == name {
			return t.F32
		}
	}
	panic(errTensor + name)
}

const errTensor = "verify: the method has no tensor "

// all are the numbers 0 to n-1: the minibatch of all datapoints.
func all(n int) []int {
	idx := make([]int, n)
	for i := range idx {
		idx[i] = i
	}
	return idx
}
