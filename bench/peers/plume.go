package main

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/particle"
)

const (
	width     = 32     // numbers in a row of a kernel that has rows
	stepSize  = 1e-3   // of the Langevin moves
	noiseSize = 0.0447 // sqrt(2 stepSize)
)

// plumeKernel returns a kernel over n elements, on the path that PLUME_KERNEL selects.
func plumeKernel(name string, n int) func() {
	switch name {
	case "langevin":
		m := newMove(n)
		return func() { kernel.Overdamped(m) }
	case "underdamped":
		m := newMove(n)
		m.U, m.Friction = noise(n, 4), 0.3
		return func() { kernel.Underdamped(m) }
	case "normals":
		x := make([]float32, n)
		return func() { kernel.Normal(x, kernel.Key{Seed: 1, Stream: 1}, 0) }
	case "silu":
		y, x := make([]float32, n), noise(n, 1)
		return func() { kernel.SiLU(y, x) }
	case "silu-backward":
		dx, s, dy := make([]float32, n), noise(n, 1), noise(n, 2)
		return func() { kernel.SiLUBackward(dx, s, dy) }
	case "score-residual":
		rows := n / width
		e, sq := make([]float32, n), make([]float32, rows)
		zl, r, eps, sigma := noise(n, 1), noise(n, 2), noise(n, 3), noise(rows, 4)
		return func() { kernel.ScoreResidual(e, sq, zl, r, eps, sigma, width) }
	case "sinusoids":
		dst, freq := make([]float32, n), noise(width, 1)
		lambda := noise(n/(2*width), 2)
		kernel.Scale(lambda, 5)
		return func() { kernel.Sinusoids(dst, lambda, freq) }
	case "u8-to-f32":
		dst, src := make([]float32, n), make([]uint8, n)
		for i := range src {
			src[i] = uint8(i * 37)
		}
		return func() { kernel.U8ToF32(dst, src) }
	}
	return plumeOptimizer(name, n)
}

// adamRates are those of a first step.
var adamRates = kernel.AdamRates{
	LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, C1: 1 / 0.9, C2: 1 / 0.99,
}

func plumeOptimizer(name string, n int) func() {
	switch name {
	case "adam":
		p, m, v, g := noise(n, 1), make([]float32, n), make([]float32, n), noise(n, 2)
		return func() { kernel.AdamStep(p, m, v, g, adamRates) }
	case "sgd":
		p, g := noise(n, 1), noise(n, 2)
		return func() { kernel.SGDStep(p, g, 1e-3) }
	case "ema":
		avg, p := noise(n, 1), noise(n, 2)
		return func() { kernel.EMAStep(avg, p, 1e-3) }
	case "axpy":
		y, x := noise(n, 1), noise(n, 2)
		return func() { kernel.Axpy(y, 1e-3, x) }
	}
	return nil
}

// newMove is a move of n numbers whose drift clip is never reached, as in most steps of a training.
func newMove(n int) *kernel.Move {
	m := &kernel.Move{
		Z: noise(n, 1), G: noise(n, 2), P: noise(n, 3),
		H: make([]float32, n/width), IDs: make([]uint64, n/width),
		Anchor: 0.25, Clip: 1, D: width, Key: kernel.Key{Seed: 1, Stream: particle.StreamMove},
	}
	for i := range m.H {
		m.H[i], m.IDs[i] = stepSize, uint64(i)
	}
	return m
}
