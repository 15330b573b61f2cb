package method

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// The tasks of a step's phases, by their numbers.

// tile is the rows of tile i, and the datapoints of the minibatch that they belong to.
func (v *Variational) tile(i int) (lo, hi, first, last int) {
	first, last = pool.Span(len(v.index), v.tiles, i)
	return first * v.Particles, last * v.Particles, first, last
}

// rows is rows lo to hi of an array as wide as a latent.
func (v *Variational) rows(x []float32, lo, hi int) []float32 { return x[lo*v.Latent : hi*v.Latent] }

// prepare is a part of the packing, or the gathering of a tile.
func (v *Variational) prepare(i int) {
	if i >= v.packs {
		phase.Gather.Enter()
		_, _, first, last := v.tile(i - v.packs)
		dim := v.Decoder.Out()
		v.Train.Gather(v.x[first*dim:last*dim], v.index[first:last])
		return
	}
	phase.Pack.Enter()
	encoder, decoder := v.encoderTape.PackTasks(true), v.decoderTape.PackTasks(true)
	switch {
	case i < encoder:
		v.encoderTape.Pack(i)
	case i < encoder+decoder:
		v.decoderTape.Pack(i - encoder)
	default:
		v.priorTape.Pack(i - encoder - decoder)
	}
}

// encode is the encoder forward on tile i, the latents drawn from what it says, and its entropy.
func (v *Variational) encode(i int) {
	phase.EncoderForward.Enter()
	lo, hi, first, last := v.tile(i)
	dim, t := v.Decoder.Out(), v.encoderTape
	copy(t.In(first, last), v.x[first*dim:last*dim])
	t.Forward(first, last)
	kernel.NormalRows(v.rows(v.noise, lo, hi), v.ids[lo:hi], v.Latent, v.key)
	for m := first; m < last; m++ {
		v.reparametrise(m)
	}
}

// reparametrise makes the N latents of a datapoint, z = mean + exp(logvar/2) eps, where noise holds eps.
func (v *Variational) reparametrise(m int) {
	d, out := v.Latent, v.encoderTape.Out(m, m+1)
	mean, logvar := v.rows(v.mean, m, m+1), out[d:]
	copy(mean, out)
	entropy := float64(d) / 2 * (1 + math.Log(2*math.Pi))
	for j, l := range logvar {
		entropy += float64(l) / 2
		std := float32(math.Exp(float64(l) / 2))
		for k := m*v.Particles*d + j; k < (m+1)*v.Particles*d; k += d {
			v.noise[k] *= std
			v.z[k] = mean[j] + v.noise[k]
		}
	}
	v.entropy[m] = float32(entropy)
}

// gradient is the prior on tile i, or the decoder on tile i - tiles.
func (v *Variational) gradient(i int) {
	if i < v.tiles {
		v.priorGradient(i)
		return
	}
	lo, hi, _, _ := v.tile(i - v.tiles)
	v.dataGradient(v.decoderTape, lo, hi, v.rows(v.z, lo, hi), v.x, v.square, v.rows(v.g, lo, hi))
}

func (v *Variational) priorGradient(i int) {
	phase.Prior.Enter()
	lo, hi, first, last := v.tile(i)
	if v.closed {
		v.closedGradient(first, last)
		return
	}
	v.priorTape.Rows(lo, hi, v.rows(v.z, lo, hi), v.ids[lo:hi], v.rows(v.p, lo, hi), v.nll[lo:hi], true)
}

// closedGradient is the cross-entropy of q with a Gaussian prior of covariance I, a row for each datapoint:
// E -log p(z) is -log p(mean) + sum of exp(logvar)/2.
func (v *Variational) closedGradient(first, last int) {
	mean, g, loss := v.rows(v.mean, first, last), v.rows(v.p, first, last), v.nll[first:last]
	if v.held {
		copy(g, mean)
		diffusion.NegLogNormal(loss, mean, v.Latent)
	} else {
		v.priorTape.Rows(first, last, mean, v.ids[first:last], g, loss, true)
	}
	for m := range loss {
		var variance float64
		for _, l := range v.encoderTape.Out(first+m, first+m+1)[v.Latent:] {
			variance += math.Exp(float64(l))
		}
		loss[m] += float32(variance / 2)
	}
}

// backward is the encoder backward on tile i. With g the gradient by z of decoder and prior, averaged
// over a datapoint's draws,
//
//	by mean: g;   by logvar: g (z - mean)/2 - 1/2,
//
// where -1/2 is the gradient of log q, minus the entropy: it widens q. In closed form the prior's part
// is its gradient at the mean, and exp(logvar)/2.
func (v *Variational) backward(i int) {
	phase.EncoderBackward.Enter()
	_, _, first, last := v.tile(i)
	for m := first; m < last; m++ {
		v.throughDraws(m)
	}
	v.encoderTape.Backward(first, last, nil)
}

// throughDraws replaces the encoder's output for a datapoint by the gradient by it.
func (v *Variational) throughDraws(m int) {
	d, out := v.Latent, v.encoderTape.Out(m, m+1)
	share := 1 / float32(v.Particles)
	for j := range d {
		var byMean, byLogvar float32
		for k := m*v.Particles*d + j; k < (m+1)*v.Particles*d; k += d {
			g := v.g[k]
			if !v.closed {
				g += v.p[k]
			}
			byMean += g
			byLogvar += float32(g * v.noise[k])
		}
		byMean *= share
		byLogvar = float32(byLogvar*share)/2 - 0.5
		if v.closed {
			byMean += v.p[m*d+j]
			byLogvar += float32(math.Exp(float64(out[d+j])) / 2)
		}
		out[j], out[d+j] = byMean, byLogvar
	}
}

func (v *Variational) weight(i int) {
	phase.Reduce.Enter()
	points, rows := len(v.index), len(v.ids)
	encoder, decoder := v.encoderTape.GradTasks(), v.decoderTape.GradTasks()
	switch {
	case i < encoder:
		v.encoderTape.Grad(i, v.encoder.g, points, float32(1/float64(points)))
	case i < encoder+decoder:
		v.decoderTape.Grad(i-encoder, v.decoder.g, rows, float32(1/float64(rows)))
	case v.held:
	case v.closed:
		v.priorTape.Grad(i-encoder-decoder, v.prior.g, points)
	default:
		v.priorTape.Grad(i-encoder-decoder, v.prior.g, rows)
	}
}

// update is a part of the encoder's update, then the decoder's, then the prior's.
func (v *Variational) update(i int) {
	phase.Optimizer.Enter()
	encoder, decoder := v.encoder.updateTasks(), v.decoder.updateTasks()
	switch {
	case i < encoder:
		v.encoder.update(i, 0)
	case i < encoder+decoder:
		v.decoder.update(i-encoder, 0)
	default:
		v.prior.update(i-encoder-decoder, 0)
	}
}
