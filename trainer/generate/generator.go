// Package generate makes images with a trained model, and encodes images if the model has an
// encoder. New makes a Generator from a Model; Sample draws images, Decode decodes latents, and
// Encode encodes images.
package generate

import (
	"context"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

const panicEncoder = "generate: Encode needs an encoder"

// Model is a trained model: its networks and their parameters.
type Model struct {
	Decoder *model.Net // from d numbers to the likelihood's outputs
	Prior   prior.Prior
	Encoder *model.Net // from D numbers to 2 d, the mean and the log-variance of q(z|x); nil: none

	// Likelihood says what the decoder's outputs mean; nil: they are the D numbers of an image.
	Likelihood likelihood.Likelihood

	DecoderP, PriorP, EncoderP []float32

	// Classes counts the training datapoints of each class and, after them, those of none. nil: the
	// networks have no conditions.
	Classes []uint32
}

const panicPrior = "generate: the prior's parameters are not those of Model.PriorP"

// Check panics unless PriorP has as many parameters as the prior.
func (m Model) Check() {
	if m.Prior.Layout().Size() != len(m.PriorP) {
		panic(panicPrior)
	}
}

// Generator makes images with a model, and encodes images if the model has an encoder. Its methods
// must not be called concurrently. The model's parameters may change between calls.
type Generator struct {
	model   Model
	pool    *pool.Pool
	decoder *model.Tape
	encoder *model.Tape // nil: no encoder
	sampler prior.Sampler

	decoding, encoding, sampling model.Size // of the three
}

// A task processes a tile of tileRows rows, or of as many as suit the network, if these are fewer.
// The tapes have memory for one tile per worker, or for fewer if these would have more than
// tileNumbers pixels together.
const tileRows, tileNumbers = 64, 1 << 24

// Tiles returns the number of tiles that a generator of images of dim numbers has memory for.
func Tiles(workers, dim int) int {
	return max(1, min(workers, tileNumbers/tileRows/dim))
}

// New makes a generator of m with arrays from the arena. It runs on p, a pool with the given number
// of workers; p may be nil if the arena only counts. New panics unless PriorP has as many
// parameters as the prior.
func New(a *memory.Arena, m Model, workers int, p *pool.Pool) *Generator {
	if !a.Counts() {
		m.Check()
	}
	if m.Likelihood == nil {
		m.Likelihood = likelihood.Gaussian{D: m.Decoder.Out()}
	}
	passes := Tiles(workers, m.Decoder.Out())
	size := func(rows int) model.Size {
		rows = min(tileRows, rows)
		return model.Size{Rows: rows, Tile: rows, Passes: passes}
	}
	g := &Generator{
		model: m, pool: p, decoding: size(m.Decoder.TileRows()), sampling: size(m.Prior.TileRows()),
	}
	g.decoder = m.Decoder.NewTape(a, m.DecoderP, g.decoding, model.Evaluate)
	g.sampler = m.Prior.NewSampler(a, m.PriorP, g.sampling)
	if m.Encoder != nil {
		g.encoding = size(m.Encoder.TileRows())
		g.encoder = m.Encoder.NewTape(a, m.EncoderP, g.encoding, model.Evaluate)
	}
	return g
}

// Model returns the generator's model.
func (g *Generator) Model() Model { return g.model }

// Latent returns the latent dimension d.
func (g *Generator) Latent() int { return g.model.Decoder.In() }

// Dim returns the number D of values in an image.
func (g *Generator) Dim() int { return g.model.Likelihood.Dim() }

// Sample draws n images into dst (n x D), not clamped: their means given their latents, or draws
// given these, as suits the model (likelihood.Likelihood.Noisy). A spec out of range is an error.
// Sample stops early, with ctx's error, when ctx ends.
func (g *Generator) Sample(ctx context.Context, dst []float32, n int, spec Spec) error {
	if spec.Condition == nil {
		spec.Condition = g.Condition(n, spec)
	}
	z := make([]float32, n*g.Latent())
	if err := g.SampleLatents(ctx, z, n, spec); err != nil {
		return err
	}
	use := g.means(dst)
	if g.model.Likelihood.Noisy() {
		use = g.draws(dst, spec)
	}
	g.decode(z, spec.Condition, g.cut(g.decoding, spec), ended(ctx), use)
	return ctx.Err()
}

// ended returns a function that reports whether ctx has ended.
func ended(ctx context.Context) func() bool { return func() bool { return ctx.Err() != nil } }

// SampleLatents draws n latents into z (n x d), as Sample does.
func (g *Generator) SampleLatents(ctx context.Context, z []float32, n int, spec Spec) error {
	spec.check(n)
	sampling, err := spec.sampling()
	if err != nil {
		return err
	}
	conditions := spec.Condition
	if conditions == nil {
		conditions = g.Condition(n, spec)
	}
	g.checkCondition(conditions, n)
	sampling.Stop = ended(ctx)
	d := g.Latent()
	key := kernel.Key{Seed: spec.Seed, Stream: diffusion.StreamSamplePrior}
	g.pack(g.sampler)
	g.tiles(n, g.cut(g.sampling, spec), func(lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		phase.Sample.Enter()
		ids, rows := spec.ids(lo, hi), z[lo*d:hi*d]
		diffusion.NormalRows(rows, ids, spec.seeds(lo, hi), d, key)
		of := sampling
		of.Seeds = spec.seeds(lo, hi)
		of.Condition = g.rows(conditions, lo, hi)
		g.sampler.Sample(rows, ids, of)
	})
	return ctx.Err()
}

// rows returns the conditions of rows lo to hi.
func (g *Generator) rows(conditions []float32, lo, hi int) []float32 {
	if conditions == nil {
		return nil
	}
	return conditions[lo*g.Conditions() : hi*g.Conditions()]
}

func (g *Generator) checkCondition(conditions []float32, n int) {
	if conditions != nil && len(conditions) != n*g.Conditions() {
		panic("generate: conditions need n x Conditions() numbers")
	}
}

// Decode writes E[x|z], the images (n x D) of the latents z (n x d), into dst. conditions is what
// they are to be like, n x Conditions() numbers; nil: none.
func (g *Generator) Decode(dst, z, conditions []float32) {
	g.decode(z, conditions, g.decoding.Tile, func() bool { return false }, g.means(dst))
}

// Draw is Decode, but draws x from p(x|z). The first of the latents is number first among those of
// the seed.
func (g *Generator) Draw(dst, z, conditions []float32, seed uint64, first int) {
	spec := Spec{Seed: seed, First: first}
	g.decode(z, conditions, g.decoding.Tile, func() bool { return false }, g.draws(dst, spec))
}

// means returns the use of the decoder's outputs for rows from lo on that sets dst to their means.
func (g *Generator) means(dst []float32) func(out []float32, lo, hi int) {
	dim := g.Dim()
	return func(out []float32, lo, hi int) {
		g.model.Likelihood.Mean(dst[lo*dim:hi*dim], out)
	}
}

// draws is means for draws from p(x|z).
func (g *Generator) draws(dst []float32, spec Spec) func(out []float32, lo, hi int) {
	dim, key := g.Dim(), kernel.Key{Seed: spec.Seed, Stream: streamObserved}
	return func(out []float32, lo, hi int) {
		normal := make([]float32, (hi-lo)*dim)
		diffusion.NormalRows(normal, spec.ids(lo, hi), spec.seeds(lo, hi), dim, key)
		g.model.Likelihood.Draw(dst[lo*dim:hi*dim], out, normal)
	}
}

// decode passes the decoder's outputs for the latents to use, in tiles of the given number of rows,
// but skips the remaining ones once stop returns true.
func (g *Generator) decode(
	z, conditions []float32, tile int, stop func() bool, use func(out []float32, lo, hi int),
) {
	d := g.Latent()
	g.checkCondition(conditions, len(z)/d)
	g.pack(g.decoder)
	g.tiles(len(z)/d, tile, func(lo, hi int) {
		if stop() {
			return
		}
		phase.Decode.Enter()
		pass := g.decoder.Take(0, hi-lo)
		defer pass.Release()
		copy(pass.In(0), z[lo*d:])
		pass.SetCondition(conditions, lo, 1)
		pass.Forward()
		use(pass.Out(), lo, hi)
	})
}

// Encodes reports whether the generator has an encoder.
func (g *Generator) Encodes() bool { return g.model.Encoder != nil }

// Encode writes the mean and the log-variance of q(z|x), n x d each, for the images x (n x D) with
// conditions as in Decode. It panics if the model has no encoder.
func (g *Generator) Encode(mean, logvar, x, conditions []float32) {
	if g.model.Encoder == nil {
		panic(panicEncoder)
	}
	d, dim := g.Latent(), g.Dim()
	g.checkCondition(conditions, len(x)/dim)
	g.pack(g.encoder)
	g.tiles(len(x)/dim, g.encoding.Tile, func(lo, hi int) {
		phase.EncoderForward.Enter()
		pass := g.encoder.Take(0, hi-lo)
		defer pass.Release()
		copy(pass.In(0), x[lo*dim:])
		pass.SetCondition(conditions, lo, 1)
		pass.Forward()
		for i, out := lo, pass.Out(); i < hi; i, out = i+1, out[2*d:] {
			copy(mean[i*d:(i+1)*d], out)
			copy(logvar[i*d:(i+1)*d], out[d:])
		}
	})
}

// pack lays the parameters out for products: they may have changed since the last call.
func (g *Generator) pack(t model.Packer) {
	g.pool.Run(pool.Group{N: t.PackTasks(), Do: func(i int) {
		phase.Pack.Enter()
		t.Pack(i)
	}})
}

// tiles calls do for each tile of n rows, lo to hi.
func (g *Generator) tiles(n, tile int, do func(lo, hi int)) {
	g.pool.Run(pool.Group{N: (n + tile - 1) / tile, Do: func(i int) {
		lo := i * tile
		do(lo, min(n, lo+tile))
	}})
}

// cutFree reports whether images have the same bits however rows are cut.
func (g *Generator) cutFree() bool { return g.decoder.CutFree() && g.sampler.CutFree() }

// cut returns the rows of a tile: with seeds of their own, images do not depend on each other, and
// where a cut shows in the bits each one must be a tile.
func (g *Generator) cut(size model.Size, spec Spec) int {
	if spec.Seeds != nil && !g.cutFree() {
		return 1
	}
	return size.Tile
}

// Block returns a number of images to draw at a time when there are many: whole tiles, enough for
// all workers, and rarely more than 2^23 numbers.
func (g *Generator) Block() int {
	a, b := g.sampling.Tile, g.decoding.Tile
	step := a
	for step%b != 0 {
		step += a // to the least common multiple
	}
	const tilesPerWorker, numbers = 4, 1 << 23
	rows := min(tilesPerWorker*g.pool.Workers()*max(a, b), numbers/g.Dim())
	return max(1, rows/step) * step
}
