package method

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Generator makes images from a trained prior and decoder, and encodes images where the method has an encoder.
type Generator struct {
	decoder  model.Net
	pool     *pool.Pool
	tape     model.Tape
	sampler  prior.Sampler
	decoderP []float32
	priorP   []float32
	free     chan int // where the rows of a tile may lie in memory: the first of them

	encoder     model.Net // nil: none
	encoderTape model.Tape
	encoderP    []float32
}

// A worker takes generatorTile rows. There is memory for a tile of each worker, or for fewer where
// they have more than generatorNumbers pixels together; which place a tile gets changes nothing.
const generatorTile, generatorNumbers = 64, 1 << 24

// generatorTiles is for how many tiles a generator of images of dim numbers has memory.
func generatorTiles(workers, dim int) int {
	return max(1, min(workers, generatorNumbers/generatorTile/dim))
}

// newGenerator takes its workers from the setup: there is no pool where only memory is counted.
func (s *Setup) newGenerator(a *memory.Arena, decoderP, priorP []float32) *Generator {
	tiles := generatorTiles(s.workers(), s.Decoder.Out())
	g := &Generator{
		decoder: s.Decoder, pool: s.Pool, decoderP: decoderP, priorP: priorP,
		tape:    s.Decoder.NewTape(a, decoderP, tiles*generatorTile, model.Evaluate),
		sampler: s.Prior.NewSampler(a, priorP, tiles*generatorTile),
		free:    make(chan int, tiles),
	}
	for i := range tiles {
		g.free <- i * generatorTile
	}
	return g
}

// useEncoder gives the generator an encoder with memory for as many tiles as it has.
func (g *Generator) useEncoder(a *memory.Arena, encoder model.Net, p []float32) {
	g.encoder, g.encoderP = encoder, p
	g.encoderTape = encoder.NewTape(a, p, cap(g.free)*generatorTile, model.Evaluate)
}

// values are the parameters, or their averages for ema.
func (n *network) values(ema bool) []float32 {
	if ema {
		return n.opt.Averaged(n.p)
	}
	return n.p
}

// NewGenerator builds the generator of a method for images of dim numbers, with parameters yet
// to be filled through the tensors it returns, which name the averaged weights for ema.
func NewGenerator(name string, o config.Options, dim int, ema bool, p *pool.Pool) (*Generator, []checkpoint.Tensor, error) {
	m, err := find(name)
	if err != nil {
		return nil, nil, err
	}
	suffix := tensorParams
	if ema && o.EMA > 0 {
		suffix = tensorEMA
	}
	var tensors []checkpoint.Tensor
	parameters := func(name string, l *model.Layout) []float32 {
		p := make([]float32, l.Size())
		if len(p) > 0 {
			tensors = append(tensors, checkpoint.Tensor{Name: name + suffix, Shape: []int{len(p)}, F32: p})
		}
		return p
	}
	s := Setup{Options: o, Pool: p}
	m.networks(&s, dim)
	g := s.newGenerator(nil, parameters("decoder", s.Decoder.Layout()), parameters("prior", s.Prior.Layout()))
	if m.encoder != nil {
		g.useEncoder(nil, s.Encoder, parameters("encoder", s.Encoder.Layout()))
	}
	return g, tensors, nil
}

// Latent is the latent dimension d, Dim the numbers in an image D.
func (g *Generator) Latent() int { return g.decoder.In() }

// Dim is the number of values in an image.
func (g *Generator) Dim() int { return g.decoder.Out() }

// Sample draws n images into dst, n x D, not clamped. steps = 0 means the solver's default. It
// stops early, with ctx's error, when ctx ends.
func (g *Generator) Sample(ctx context.Context, dst []float32, n int, solver diffusion.Solver, steps int, seed uint64) error {
	z := make([]float32, n*g.Latent())
	if err := g.SampleLatents(ctx, z, n, solver, steps, seed); err != nil {
		return err
	}
	g.decode(dst, z, ended(ctx))
	return ctx.Err()
}

func ended(ctx context.Context) func() bool { return func() bool { return ctx.Err() != nil } }

// SampleLatents draws n latents into z, n x d, as Sample does: it looks at ctx before each step of
// 64 rows.
func (g *Generator) SampleLatents(ctx context.Context, z []float32, n int, solver diffusion.Solver, steps int, seed uint64) error {
	standard, err := solver.DefaultSteps()
	if err != nil {
		return err
	}
	if steps == 0 {
		steps = standard
	}
	if steps < 1 {
		return fmt.Errorf("solver steps = %d: expected 1 or more", steps)
	}
	d := g.Latent()
	how := prior.SampleSpec{Solver: solver, Steps: steps, Seed: seed, Stop: ended(ctx)}
	key := kernel.Key{Seed: seed, Stream: diffusion.StreamSamplePrior}
	g.pack(g.sampler)
	g.tiles(n, func(first, lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		phase.Sample.Enter()
		ids := make([]uint64, hi-lo)
		for i := range ids {
			ids[i] = uint64(first + i)
		}
		rows := z[first*d:][:(hi-lo)*d]
		kernel.NormalRows(rows, ids, d, key)
		g.sampler.Sample(lo, hi, rows, ids, how)
	})
	return ctx.Err()
}

// Decode writes g_phi(z), the images of the rows of z, into dst.
func (g *Generator) Decode(dst, z []float32) { g.decode(dst, z, func() bool { return false }) }

// decode is Decode until stop tells to leave the rest.
func (g *Generator) decode(dst, z []float32, stop func() bool) {
	d, dim := g.Latent(), g.Dim()
	g.pack(g.tape)
	g.tiles(len(z)/d, func(first, lo, hi int) {
		if stop() {
			return
		}
		phase.Decode.Enter()
		copy(g.tape.In(lo, hi), z[first*d:])
		g.tape.Forward(lo, hi)
		copy(dst[first*dim:], g.tape.Out(lo, hi))
	})
}

// Encodes tells whether the generator has an encoder.
func (g *Generator) Encodes() bool { return g.encoder != nil }

// Encode writes the mean and the log-variance of q(z|x), n x d each, of the n images x. The generator must
// have an encoder.
func (g *Generator) Encode(mean, logvar, x []float32) {
	if g.encoder == nil {
		panic("method: Generator.Encode needs an encoder")
	}
	d, dim := g.Latent(), g.Dim()
	g.pack(g.encoderTape)
	g.tiles(len(x)/dim, func(first, lo, hi int) {
		phase.EncoderForward.Enter()
		copy(g.encoderTape.In(lo, hi), x[first*dim:])
		g.encoderTape.Forward(lo, hi)
		for i := lo; i < hi; i++ {
			out, row := g.encoderTape.Out(i, i+1), (first+i-lo)*d
			copy(mean[row:row+d], out[:d])
			copy(logvar[row:row+d], out[d:])
		}
	})
}

// pack lays the parameters out, whose values may have changed since the last images.
func (g *Generator) pack(p model.Packer) {
	g.pool.Run(pool.Group{N: p.PackTasks(), Do: func(i int) {
		phase.Pack.Enter()
		p.Pack(i)
	}})
}

// tiles calls do for each tile of n rows: first is the number of its first row, and lo to hi are
// its rows in memory.
func (g *Generator) tiles(n int, do func(first, lo, hi int)) {
	tiles := (n + generatorTile - 1) / generatorTile
	g.pool.Run(pool.Group{N: tiles, Do: func(i int) {
		first, lo := i*generatorTile, <-g.free
		defer func() { g.free <- lo }()
		do(first, lo, lo+min(generatorTile, n-first))
	}})
}
