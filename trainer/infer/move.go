package infer

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// tasks are the tasks of a pass by the number of a tile.
type tasks struct{ gather, priorRows, decoderRows, move func(tile int) }

// pass says which images' particles move.
type pass struct {
	index []int      // of the images that are held
	rows  []int      // their numbers among all images
	tiles pool.Tiles // of their B*N rows
	key   kernel.Key // of the move's noise
}

// begin makes the images index of those held the ones whose particles move.
func (p *Posterior) begin(index []int) {
	s := &p.setup
	free := p.decoder.CutFree() && p.prior.CutFree()
	p.now.index, p.now.rows = index, p.now.rows[:0]
	for _, i := range index {
		p.now.rows = append(p.now.rows, p.first+i)
	}
	p.now.tiles = s.Pool.Tiles(len(index), s.Particles, s.Tile, free)
	p.batch.Select(index)
	s.Pool.Run(p.group(p.tasks.gather))
}

// drift computes the drifts of the particles, and their losses.
func (p *Posterior) drift() {
	rows := len(p.now.index) * p.cloud.N
	p.prior.Begin(rows, p.key(diffusion.StreamLambda), p.key(diffusion.StreamScoreNoise))
	p.setup.Pool.Run(p.group(p.tasks.priorRows), p.group(p.tasks.decoderRows))
}

// move moves the particles by their drifts.
func (p *Posterior) move() {
	p.now.key = p.key(particle.StreamMove)
	p.setup.Pool.Run(p.group(p.tasks.move))
	p.moves++
}

// group returns a task for each tile of the pass.
func (p *Posterior) group(task func(tile int)) pool.Group {
	return pool.Group{N: p.now.tiles.Count, Do: task}
}

func (p *Posterior) gatherTile(i int) {
	phase.Gather.Enter()
	p.batch.Gather(p.now.tiles.Rows(i))
	first, last := p.now.tiles.Points(i)
	dim, rows := p.likelihood.Dim(), p.now.rows[first:last]
	p.setup.Images.Gather(p.x[first*dim:last*dim], rows)
	if k := len(p.given) / p.setup.Batch; k > 0 {
		p.setup.Conditions.Gather(p.given[first*k:last*k], rows)
	}
	if p.missing != nil {
		p.setup.Missing.Gather(p.missing[first*dim:last*dim], rows)
	}
}

func (p *Posterior) priorTile(i int) {
	lo, hi := p.now.tiles.Rows(i)
	p.prior.Evaluate(diffusion.Rows{
		Lo: lo, Hi: hi, Z: p.batch.Rows(p.batch.Z, lo, hi), IDs: p.batch.IDs[lo:hi],
		G: p.batch.Rows(p.batch.P, lo, hi), Loss: p.nll[lo:hi],
		Condition: p.given, Particles: p.cloud.N,
	})
}

func (p *Posterior) decoderTile(i int) {
	lo, hi := p.now.tiles.Rows(i)
	p.likelihood.Gradient(p.decoder, likelihood.Rows{
		Lo: lo, Hi: hi, Particles: p.cloud.N, Z: p.batch.Rows(p.batch.Z, lo, hi), X: p.x,
		Missing: p.missing, Loss: p.data, Square: p.square, G: p.batch.Rows(p.batch.G, lo, hi),
		Condition: p.given,
	})
}

func (p *Posterior) moveTile(i int) {
	phase.Move.Enter()
	first, last := p.now.tiles.Points(i)
	for image := first; image < last; image++ {
		lo, hi := p.rows(image)
		p.clip[image], _ = p.batch.Move(lo, hi, particle.Langevin{
			Friction: float32(p.setup.Friction), Clip: float32(p.setup.Clip), Key: p.now.key,
		})
	}
}

// rows is the rows of the particles of image i of the batch.
func (p *Posterior) rows(i int) (lo, hi int) { return i * p.cloud.N, (i + 1) * p.cloud.N }

// state is the positions of the particles of an image (N x d), their squared errors, and their
// losses of the prior and of the data (N each).
type state struct {
	z, square, nll []float32
	data           []float64
}

// of returns the state of image i of the batch.
func (p *Posterior) of(i int) state {
	lo, hi := p.rows(i)
	return state{p.batch.Rows(p.batch.Z, lo, hi), p.square[lo:hi], p.nll[lo:hi], p.data[lo:hi]}
}

// key is the key of stream s for the current move.
func (p *Posterior) key(s kernel.Stream) kernel.Key {
	return kernel.Key{Seed: p.setup.Seed, Step: p.moves, Stream: s}
}
