package method

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// Generator makes images from a trained prior and decoder.
type Generator struct {
	rows     int // in memory at a time
	decoder  model.Net
	pool     *pool.Pool
	tape     model.Tape
	sampler  PriorSampler
	decoderP []float32
	priorP   []float32
}

// A worker takes generatorTile rows, and memory holds at most generatorRows of them or
// generatorNumbers pixels, whichever is less: cuts that do not depend on the number of workers.
const generatorTile, generatorRows, generatorNumbers = 64, 2048, 1 << 22

func newGenerator(decoder model.Net, prior Prior, decoderP, priorP []float32, p *pool.Pool) *Generator {
	rows := max(generatorTile, min(generatorRows, generatorNumbers/decoder.Out()))
	return &Generator{
		rows: rows, decoder: decoder, pool: p, decoderP: decoderP, priorP: priorP,
		tape:    decoder.NewTape(decoderP, rows),
		sampler: prior.NewSampler(priorP, rows),
	}
}

// NewGenerator builds the generator of a method for images of dim numbers, with parameters yet
// to be filled through the tensors it returns, which name the averaged weights for ema.
func NewGenerator(name string, o Options, dim int, ema bool, p *pool.Pool) (*Generator, []checkpoint.Tensor, error) {
	m, err := find(name)
	if err != nil {
		return nil, nil, err
	}
	suffix := tensorParams
	if ema && o.EMA > 0 {
		suffix = tensorEMA
	}
	decoder, prior := newDecoder(o, dim), m.prior(o)
	g := newGenerator(decoder, prior, make([]float32, decoder.Layout().Size()), make([]float32, prior.Layout().Size()), p)
	tensors := []checkpoint.Tensor{{Name: "decoder" + suffix, Shape: []int{len(g.decoderP)}, F32: g.decoderP}}
	if len(g.priorP) > 0 {
		tensors = append(tensors, checkpoint.Tensor{Name: "prior" + suffix, Shape: []int{len(g.priorP)}, F32: g.priorP})
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
	g.Decode(dst, z)
	return nil
}

// SampleLatents draws n latents into z, n x d, as Sample does.
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
	how := SampleSpec{Solver: solver, Steps: steps, Seed: seed}
	key := kernel.Key{Seed: seed, Stream: kernel.StreamSamplePrior}
	g.chunks(n, func(first, lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		ids := make([]uint64, hi-lo)
		for i := range ids {
			ids[i] = uint64(first + lo + i)
		}
		rows := z[(first+lo)*d : (first+hi)*d]
		kernel.NormalRows(rows, ids, d, key)
		g.sampler.Sample(lo, hi, rows, ids, how)
	})
	return ctx.Err()
}

// Decode writes g_phi(z), the images of the rows of z, into dst.
func (g *Generator) Decode(dst, z []float32) {
	d, dim := g.Latent(), g.Dim()
	g.chunks(len(z)/d, func(first, lo, hi int) {
		copy(g.tape.In(lo, hi), z[(first+lo)*d:(first+hi)*d])
		g.tape.Forward(lo, hi)
		copy(dst[(first+lo)*dim:(first+hi)*dim], g.tape.Out(lo, hi))
	})
}

// chunks calls do for the tiles lo to hi of each chunk, whose first row is number first.
func (g *Generator) chunks(n int, do func(first, lo, hi int)) {
	for first := 0; first < n; first += g.rows {
		rows := min(g.rows, n-first)
		tiles := pool.Pieces(rows, generatorTile)
		g.pool.Run(tiles, func(i int) {
			lo, hi := i*generatorTile, min(rows, (i+1)*generatorTile)
			do(first, lo, hi)
		})
	}
}
