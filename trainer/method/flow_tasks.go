package method

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/phase"
)

// The tasks of a step's phases, by their numbers.

// prepare is a part of the packing, or the gathering of a tile.
func (f *Flow) prepare(i int) {
	if i >= f.packs {
		f.gather(i - f.packs)
		return
	}
	phase.Pack.Enter()
	if n := f.decoderTape.PackTasks(true); i < n {
		f.decoderTape.Pack(i)
	} else {
		f.priorTape.Pack(i - n)
	}
}

func (f *Flow) gather(i int) {
	phase.Gather.Enter()
	lo, hi, first, last := f.tile(i)
	f.batch.Gather(lo, hi)
	if f.restart {
		f.batch.Restart(lo, hi, f.key(kernel.StreamCold))
	}
	dim := f.Decoder.Out()
	f.Train.Gather(f.x[first*dim:last*dim], f.index[first:last])
}

// gradient is the prior on tile i, or the decoder on tile i - tiles.
func (f *Flow) gradient(i int) {
	if i < f.tiles {
		f.priorGradient(i)
	} else {
		f.decoderGradient(i - f.tiles)
	}
}

func (f *Flow) priorGradient(i int) {
	phase.Prior.Enter()
	lo, hi, _, _ := f.tile(i)
	z, g, loss := f.batch.Rows(f.batch.Z, lo, hi), f.batch.Rows(f.batch.P, lo, hi), f.nll[lo:hi]
	if f.held {
		copy(g, z)
		diffusion.NegLogNormal(loss, z, f.Latent)
		return
	}
	f.priorTape.Rows(lo, hi, z, f.batch.IDs[lo:hi], g, loss, f.train)
}

func (f *Flow) decoderGradient(i int) {
	lo, hi, _, _ := f.tile(i)
	f.dataGradient(f.decoderTape, lo, hi, f.batch.Rows(f.batch.Z, lo, hi), f.x, f.square, f.batch.Rows(f.batch.G, lo, hi))
}

func (f *Flow) weight(i int) {
	phase.Reduce.Enter()
	rows := len(f.batch.IDs)
	if n := f.decoderTape.GradTasks(); i < n {
		f.decoderTape.Grad(i, f.decoder.g, rows, float32(1/float64(rows)))
	} else if !f.held {
		f.priorTape.Grad(i-n, f.prior.g, rows)
	}
}

// update is the move of tile i, or after those a part of the decoder's update, then the prior's.
func (f *Flow) update(i int) {
	if f.moves {
		if i < f.tiles {
			f.move(i)
			return
		}
		i -= f.tiles
	}
	phase.Optimizer.Enter()
	n := f.decoder
	if tasks := n.updateTasks(); i >= tasks {
		n, i = f.prior, i-tasks
	}
	if f.last {
		n.update(i, f.summed)
	} else {
		n.accumulate(i, f.summed)
	}
}

func (f *Flow) move(i int) {
	phase.Move.Enter()
	lo, hi, _, _ := f.tile(i)
	f.clip[i], f.redrawn[i] = f.batch.Move(lo, hi, f.langevin)
}
