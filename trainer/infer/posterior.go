// Package infer draws latents from the posterior p(z|x) of a trained model, for images that need
// not be those of its training, nor known in all their pixels (Posterior), and estimates log p(x)
// (Posterior.Marginals, with the density Joint).
package infer

import (
	"context"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Posterior draws from p(z|x) by Langevin moves of particles, with the fixed parameters of a
// trained model. For a diffusion prior, exp(-l_theta) takes the place of its density, as in
// training.
type Posterior struct {
	setup      Setup
	likelihood likelihood.Likelihood

	cloud   *particle.Cloud // z and velocities of the images that are held, N x d each
	batch   *particle.Batch // of the particles that move together, B*N x d
	decoder *model.Tape
	prior   prior.Tape

	x       []float32 // images of the batch, B x D
	given   []float32 // their conditions, B x K; nil: none
	missing []bool    // what is missing of them, B x D; nil: nothing
	square  []float32 // squared error |E[x|z] - x|^2 of each row, B*N
	data    []float64 // -log p(x|z) of each row, B*N
	nll     []float32 // prior loss of each row, B*N
	clip    []int     // rows of each image of the batch that the last move clipped

	now   pass
	tasks tasks  // made once so that a move does not allocate
	moves uint32 // made so far, by the particles of each image

	first   int // number of the first image that is held
	images  []Inferred
	clipped float64
}

// Inferred is the averages over the kept moves of one image's particles.
type Inferred struct {
	Mean, Var   []float64 // d, of the positions
	Cov         []float64 // d x d, of the positions, over their number; nil unless asked for
	SquareError float64   // |E[x|z] - x|^2, of the pixels that are known
	DataLoss    float64   // -log p(x|z), nats, of the pixels that are known
	PriorLoss   float64   // l_theta(z), nats

	Moves int // that were made, all in all
	// ESS is how many independent draws the kept positions are worth for the mean of the squared
	// error: N s^2 / V, at most their number, where s^2 is its variance over all of them and V that
	// of the means of the N chains. NaN for a single chain.
	ESS float64
	// Settled is set by Settle if the energy had stopped falling before positions were kept.
	Settled bool
	// Decoded is set by Settle if asked for.
	Decoded *Decoded
}

// Energy is -log p(x|z) - log p(z), or its bound, in nats.
func (r Inferred) Energy() float64 { return r.DataLoss + r.PriorLoss }

// Moves says how many moves Run makes, and what it averages.
type Moves struct {
	Burn int  // burn-in: moves before averages are taken, 0 or more
	Keep int  // moves over which averages are taken, 1 or more
	Cov  bool // average covariances too
}

// New prepares the inference of the images of s with model m, whose likelihood must be set, and
// holds the first of them. It panics unless m.PriorP has as many parameters as the prior.
func New(m generate.Model, s Setup) *Posterior {
	m.Check()
	return build(nil, m, s)
}

// Bytes is the memory that a Posterior needs for its arrays, besides what it infers of the images
// that are held.
func Bytes(m generate.Model, s Setup) int64 {
	a := memory.Counting()
	build(a, m, s)
	return a.Total()
}

// build makes the arrays of a Posterior from the arena, or counts them.
func build(a *memory.Arena, m generate.Model, s Setup) *Posterior {
	if s.Hold == 0 {
		s.Hold = s.Images.Len()
	}
	s.Hold = min(s.Hold, s.Images.Len())
	s.Batch = min(s.Batch, s.Hold)
	s.Tile = min(s.Tile, m.Decoder.TileRows(), m.Prior.TileRows())
	rows, dim := s.Batch*s.Particles, m.Likelihood.Dim()
	size := model.Size{Rows: rows, Tile: max(s.Tile, s.Particles), Passes: s.Pool.Workers()}
	p := &Posterior{
		setup:      s,
		likelihood: m.Likelihood,
		cloud:      particle.NewCloud(a, 0, s.Hold, s.Particles, m.Decoder.In(), true, s.Seed),
		decoder:    m.Decoder.NewTape(a, m.DecoderP, size, model.Differentiate),
		prior:      m.Prior.NewTape(a, m.PriorP, size, model.Differentiate),
		x:          a.Floats(memory.Activations, s.Batch, dim),
		square:     a.Floats(memory.Activations, rows),
		data:       a.Float64s(memory.Activations, rows),
		nll:        a.Floats(memory.Activations, rows),
		clip:       make([]int, s.Batch), images: make([]Inferred, s.Hold),
	}
	if s.Conditions != nil {
		p.given = make([]float32, s.Batch*m.Conditions())
	}
	if s.Missing != nil {
		p.missing = make([]bool, s.Batch*dim)
	}
	p.batch = p.cloud.NewBatch(a, rows)
	p.tasks = tasks{p.gatherTile, p.priorTile, p.decoderTile, p.moveTile}
	return p
}

// Hold makes images lo to hi-1, at most Setup.Hold of them, those that are held: those that Run and
// Settle infer. Their particles start at N(0, I). What is inferred of an image depends on those
// that are held with it, and not on others.
func (p *Posterior) Hold(lo, hi int) {
	if lo < 0 || hi > p.setup.Images.Len() || hi-lo < 1 || hi-lo > p.setup.Hold {
		panic("infer: Hold needs 1 to Setup.Hold images that exist")
	}
	p.first, p.moves = lo, 0
	p.images = p.images[:hi-lo]
	clear(p.images)
	p.cloud.Begin(lo, p.setup.Seed)
}

// Latents returns the particles' positions, of N x d numbers for each image that is held. It is not
// a copy: positions written there before Run or Settle are where the particles start.
func (p *Posterior) Latents() []float32 {
	return p.cloud.Z[:len(p.images)*p.cloud.N*p.cloud.D]
}

// Velocities returns the particles' velocities, as Latents returns their positions. Hold makes them
// 0.
func (p *Posterior) Velocities() []float32 {
	return p.cloud.U[:len(p.images)*p.cloud.N*p.cloud.D]
}

// Images returns the averages of the last Run or Settle, one for each image that is held.
func (p *Posterior) Images() []Inferred { return p.images }

// Clipped returns the share of the kept moves of the last Run or Settle that were clipped. Above a
// few per cent, the step size is too large for the decoder, and the particles are no samples.
func (p *Posterior) Clipped() float64 { return p.clipped }

// Run moves the particles of all images that are held, batch by batch, and takes the averages.
// Another Run continues where it ended. Moves out of range are an error. Run stops early, with
// ctx's error, when ctx ends.
func (p *Posterior) Run(ctx context.Context, m Moves) error {
	if m.Keep < 1 {
		return fmt.Errorf("moves to keep: %d: expected 1 or more, to take averages over", m.Keep)
	}
	if m.Burn < 0 {
		return fmt.Errorf("moves of the burn-in: %d: expected 0 or more", m.Burn)
	}
	p.pack()
	first, clipped := p.moves, 0
	for lo := 0; lo < len(p.images); lo += p.setup.Batch {
		p.moves = first // an image's noise does not depend on the number of images before it
		n, err := p.run(ctx, data.Range(lo, min(lo+p.setup.Batch, len(p.images))), m)
		if err != nil {
			return err
		}
		clipped += n
	}
	p.clipped = float64(clipped) / float64(m.Keep*len(p.images)*p.cloud.N)
	return nil
}

// run makes all moves of the particles of the images index, and returns how many of the kept moves
// were clipped. The averages are over the states before each kept move.
func (p *Posterior) run(ctx context.Context, index []int, m Moves) (clipped int, err error) {
	s := &p.setup
	kept := make([]*sums, len(index))
	for i := range kept {
		kept[i] = newSums(p.cloud.N, p.cloud.D, m.Cov)
	}
	add := pool.Group{N: len(index), Do: func(i int) { kept[i].add(p.of(i)) }}
	p.begin(index)
	for k := range m.Burn + m.Keep {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		p.say(k, m)
		done := min(1, float64(k)/float64(max(1, m.Burn)))
		p.batch.SetSteps(s.StepSize*math.Pow(s.StepSizeEnd/s.StepSize, done), 0, 0)
		p.drift()
		if k >= m.Burn {
			s.Pool.Run(add)
		}
		p.move()
		for _, n := range p.clip[:len(index)] {
			if k >= m.Burn {
				clipped += n
			}
		}
	}
	for i, k := range index {
		p.images[k] = kept[i].inferred()
		p.images[k].Moves = m.Burn + m.Keep
	}
	return clipped, nil
}

// say reports how many moves of the images are made.
func (p *Posterior) say(moves int, m Moves) {
	if p.setup.Progress == nil {
		return
	}
	at := fmt.Sprintf("move %d of %d", moves, m.Burn+m.Keep)
	if all := p.setup.Images.Len(); len(p.now.index) < all {
		first := p.now.rows[0]
		at = fmt.Sprintf("rows %d to %d of %d, %s", first+1, first+len(p.now.index), all, at)
	}
	p.setup.Progress(at)
}

// pack lays the parameters out for products.
func (p *Posterior) pack() { p.setup.Pool.Run(pack(p.decoder), pack(p.prior)) }

// pack returns the tasks that lay parameters out for products.
func pack(t model.Packer) pool.Group {
	return pool.Group{N: t.PackTasks(), Do: func(i int) {
		phase.Pack.Enter()
		t.Pack(i)
	}}
}
