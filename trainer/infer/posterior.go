// Package infer draws latents from the posterior p(z|x) of a trained model, for images that need
// not be those of its training (Posterior), and estimates log p(x) (Posterior.Marginals, with the
// density Joint).
package infer

import (
	"context"
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Setup is what a Posterior is built from, besides the model.
type Setup struct {
	Images data.Rows // M rows of D numbers
	// Conditions are what the networks read of the images, M rows; nil: no conditions.
	Conditions data.Rows
	ObsNoise   float64 // sigma_x, standard deviation of a pixel given its latent

	Particles int // chains N for each image
	Batch     int // largest number of images whose particles move together
	Tile      int // rows of one task; the bits depend on it
	Seed      uint64
	Pool      *pool.Pool
	// Progress is called with how far Run and Marginals have come: "move 120 of 600"; nil: not.
	Progress func(at string)

	// The moves are underdamped. Their step size falls geometrically from StepSize to StepSizeEnd
	// during the burn-in and then stays there.
	StepSize, StepSizeEnd float64

	Friction float64 // share of the velocity lost per move
	Clip     float64 // largest root mean square of h*drift over a particle; 0: no limit
}

// Posterior draws from p(z|x) by Langevin moves of particles, with the fixed parameters of a
// trained model. For a diffusion prior, exp(-l_theta) takes the place of its density, as in
// training.
type Posterior struct {
	setup      Setup
	likelihood likelihood.Gaussian

	cloud   *particle.Cloud // z and velocities, M*N x d
	batch   *particle.Batch // of the particles that move together, B*N x d
	decoder *model.Tape
	prior   prior.Tape

	x      []float32 // images of the batch, B x D
	given  []float32 // their conditions, B x K; nil: none
	square []float32 // squared error |g(z) - x|^2 of each row, B*N
	nll    []float32 // prior loss of each row, B*N
	clip   []int     // rows of each tile that the last move clipped

	now   pass
	tasks tasks  // made once so that a move does not allocate
	moves uint32 // made so far, by the particles of each image

	images  []Inferred
	clipped float64
}

// tasks are the tasks of a pass by their numbers, one for each tile, or image for the sums.
type tasks struct{ gather, priorRows, decoderRows, move, sum func(task int) }

// pass says which images' particles move.
type pass struct {
	index []int      // B of the M images
	tiles pool.Tiles // of their B*N rows
	key   kernel.Key // of the move's noise
	sums  *chainSums
}

// Inferred is the averages over the kept moves of one image's particles.
type Inferred struct {
	Mean        []float64 // d, of the positions
	Cov         []float64 // d x d, of the positions, over their number; nil without Moves.Cov
	SquareError float64   // |g(z) - x|^2
	DataLoss    float64   // -log p(x|z), nats
	PriorLoss   float64   // l_theta(z), nats
}

// Moves says how many moves Run makes, and what it averages.
type Moves struct {
	Burn int  // burn-in: moves before averages are taken, 0 or more
	Keep int  // moves over which averages are taken, 1 or more
	Cov  bool // average covariances too
}

// New prepares the inference of the images of s with model m. The particles start at N(0, I). It
// panics unless m.PriorP has as many parameters as the prior.
func New(m generate.Model, s Setup) *Posterior {
	m.Check()
	images, rows := s.Images.Len(), s.Batch*s.Particles
	s.Tile = min(s.Tile, m.Decoder.TileRows(), m.Prior.TileRows())
	size := model.Size{Rows: rows, Tile: max(s.Tile, s.Particles), Passes: s.Pool.Workers()}
	p := &Posterior{
		setup:      s,
		likelihood: likelihood.Gaussian{Sigma: s.ObsNoise, Dim: m.Decoder.Out()},
		cloud:      particle.NewCloud(nil, images, s.Particles, m.Decoder.In(), true, s.Seed),
		decoder:    m.Decoder.NewTape(nil, m.DecoderP, size, model.Differentiate),
		prior:      m.Prior.NewTape(nil, m.PriorP, size, model.Differentiate),
		x:          kernel.Floats(s.Batch * m.Decoder.Out()),
		square:     kernel.Floats(rows), nll: kernel.Floats(rows),
		clip: make([]int, s.Batch), images: make([]Inferred, images),
	}
	if s.Conditions != nil {
		p.given = make([]float32, s.Batch*m.Conditions())
	}
	p.batch = p.cloud.NewBatch(nil, rows)
	p.tasks = tasks{p.gatherTile, p.priorTile, p.decoderTile, p.moveTile, p.sumImage}
	return p
}

// Latents returns the particles' positions, M*N x d: first the N of the first image. It is not a
// copy: positions written there before Run are where the particles start.
func (p *Posterior) Latents() []float32 { return p.cloud.Z }

// Images returns the averages of the last Run, one for each image.
func (p *Posterior) Images() []Inferred { return p.images }

// Clipped returns the share of the kept moves of the last Run that were clipped. Above a few per
// cent, the step size is too large for the decoder, and the particles are no samples.
func (p *Posterior) Clipped() float64 { return p.clipped }

// Run moves the particles of all images, batch by batch, and takes the averages. Another Run
// continues where it ended. Moves out of range are an error. Run stops early, with ctx's error,
// when ctx ends.
func (p *Posterior) Run(ctx context.Context, m Moves) error {
	if m.Keep < 1 {
		return fmt.Errorf("moves to keep: %d: expected 1 or more, to take averages over", m.Keep)
	}
	if m.Burn < 0 {
		return fmt.Errorf("moves of the burn-in: %d: expected 0 or more", m.Burn)
	}
	p.setup.Pool.Run(pack(p.decoder), pack(p.prior))
	first, clipped := p.moves, 0
	for lo := 0; lo < p.cloud.M; lo += p.setup.Batch {
		p.moves = first // an image's noise does not depend on the number of images before it
		n, err := p.move(ctx, data.Range(lo, min(lo+p.setup.Batch, p.cloud.M)), m)
		if err != nil {
			return err
		}
		clipped += n
	}
	p.clipped = float64(clipped) / float64(m.Keep*p.cloud.M*p.cloud.N)
	return nil
}

// pack returns the tasks that lay parameters out for products.
func pack(t model.Packer) pool.Group {
	return pool.Group{N: t.PackTasks(), Do: func(i int) {
		phase.Pack.Enter()
		t.Pack(i)
	}}
}

// move makes all moves of the particles of the images index, and returns how many of the kept moves
// were clipped. The averages are over the states before each kept move.
func (p *Posterior) move(ctx context.Context, index []int, m Moves) (clipped int, err error) {
	s, rows := &p.setup, len(index)*p.cloud.N
	free := p.decoder.CutFree() && p.prior.CutFree()
	p.now = pass{
		index: index, tiles: s.Pool.Tiles(len(index), s.Particles, s.Tile, free),
		sums: newChainSums(len(index), p.cloud.N, p.cloud.D, m.Cov),
	}
	p.batch.Select(index)
	s.Pool.Run(p.group(p.tasks.gather))
	sums := p.now.sums
	for k := range m.Burn + m.Keep {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		p.say(k, m)
		done := min(1, float64(k)/float64(max(1, m.Burn)))
		p.batch.SetSteps(s.StepSize*math.Pow(s.StepSizeEnd/s.StepSize, done), 0, 0)
		p.prior.Begin(rows, p.key(diffusion.StreamLambda), p.key(diffusion.StreamScoreNoise))
		s.Pool.Run(p.group(p.tasks.priorRows), p.group(p.tasks.decoderRows))
		if k >= m.Burn {
			sums.moves++
			s.Pool.Run(pool.Group{N: len(index), Do: p.tasks.sum})
		}
		p.now.key = p.key(particle.StreamMove)
		s.Pool.Run(p.group(p.tasks.move))
		p.moves++
		for _, n := range p.clip[:p.now.tiles.Count] {
			if k >= m.Burn {
				clipped += n
			}
		}
	}
	for i, m := range index {
		p.images[m] = sums.image(i, p.likelihood)
	}
	return clipped, nil
}

// say reports how many moves of the images are made.
func (p *Posterior) say(moves int, m Moves) {
	if p.setup.Progress == nil {
		return
	}
	at := fmt.Sprintf("move %d of %d", moves, m.Burn+m.Keep)
	if all := len(p.images); len(p.now.index) < all {
		first := p.now.index[0]
		at = fmt.Sprintf("images %d to %d of %d, %s", first+1, first+len(p.now.index), all, at)
	}
	p.setup.Progress(at)
}

// group returns a task for each tile of the pass.
func (p *Posterior) group(task func(tile int)) pool.Group {
	return pool.Group{N: p.now.tiles.Count, Do: task}
}

func (p *Posterior) gatherTile(i int) {
	phase.Gather.Enter()
	p.batch.Gather(p.now.tiles.Rows(i))
	first, last := p.now.tiles.Points(i)
	dim := p.likelihood.Dim
	p.setup.Images.Gather(p.x[first*dim:last*dim], p.now.index[first:last])
	if k := len(p.given) / p.setup.Batch; k > 0 {
		p.setup.Conditions.Gather(p.given[first*k:last*k], p.now.index[first:last])
	}
}

func (p *Posterior) priorTile(i int) {
	phase.Prior.Enter()
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
		Square: p.square, G: p.batch.Rows(p.batch.G, lo, hi), Condition: p.given,
	})
}

func (p *Posterior) moveTile(i int) {
	phase.Move.Enter()
	lo, hi := p.now.tiles.Rows(i)
	p.clip[i], _ = p.batch.Move(lo, hi, particle.Langevin{
		Friction: float32(p.setup.Friction), Clip: float32(p.setup.Clip), Key: p.now.key,
	})
}

func (p *Posterior) sumImage(i int) {
	rows := len(p.now.index) * p.cloud.N
	p.now.sums.add(i, p.batch.Rows(p.batch.Z, 0, rows), p.square, p.nll)
}

// key is the key of stream s for the current move.
func (p *Posterior) key(s kernel.Stream) kernel.Key {
	return kernel.Key{Seed: p.setup.Seed, Step: p.moves, Stream: s}
}
