package infer

import (
	"context"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Joint is log p(x|z) + log p(z) of a trained model. For a diffusion prior the lower bound
// -l_theta(z) takes the place of log p(z). It is estimated with the prior's number of draws of
// (lambda, eps), stratified over lambda and the same for all latents of an image: their errors are
// then nearly equal, so that the latents compare well. The known part of the noise is removed
// (prior.Prior.Steady).
type Joint struct {
	likelihood likelihood.Likelihood

	seed    uint64
	pool    *pool.Pool
	d       int
	tile    int // latents in a task
	decoder *model.Tape
	priors  pool.Scratch[prior.Tape] // each for one latent
}

// tileRows is the number of latents in a task, or as many as suit the decoder, if these are fewer.
const tileRows = 50

// NewJoint returns the joint density of a model, whose likelihood must be set. NewJoint panics
// unless m.PriorP has as many parameters as the prior.
func NewJoint(m generate.Model, seed uint64, p *pool.Pool) *Joint {
	m.Check()
	n := generate.Tiles(p.Workers(), m.Decoder.Out())
	tile := min(tileRows, m.Decoder.TileRows())
	size := model.Size{Rows: tile, Passes: n}
	j := &Joint{
		likelihood: m.Likelihood, seed: seed, pool: p,
		d: m.Decoder.In(), tile: tile,
		decoder: m.Decoder.NewTape(nil, m.DecoderP, size, model.Evaluate),
	}
	j.pool.Run(pack(j.decoder))
	tapes := make([]prior.Tape, n)
	for i := range tapes {
		tapes[i] = m.Prior.Steady().NewTape(nil, m.PriorP, model.Size{Rows: 1}, model.Evaluate)
		j.pool.Run(pack(tapes[i]))
	}
	j.priors = pool.ScratchOf(tapes)
	return j
}

// Image is an image whose joint density is asked for.
type Image struct {
	X []float32 // D numbers
	// Missing says which are not known: they have no part in the density; nil: none.
	Missing   []bool
	Condition []float32 // nil: none
	Number    int       // on which the random numbers of the bound depend
}

// Log writes the log density in nats of the image with each of the latents z (n x d) into dst (n
// numbers). It stops early, with ctx's error, when ctx ends.
func (j *Joint) Log(ctx context.Context, dst []float64, image Image, z []float32) error {
	n := pool.Pieces(len(dst), j.tile)
	j.pool.Run(pool.Group{N: n, Do: func(i int) {
		if ctx.Err() != nil {
			return
		}
		lo, hi := pool.Span(len(dst), n, i)
		rows := z[lo*j.d : hi*j.d]
		j.decode(dst[lo:hi], image, rows)
		j.priors.Use(func(t prior.Tape) { j.prior(t, dst[lo:hi], image, rows) })
	}})
	return ctx.Err()
}

// decode sets dst to log p(x|z).
func (j *Joint) decode(dst []float64, image Image, z []float32) {
	pass := j.decoder.Take(0, len(dst))
	defer pass.Release()
	copy(pass.In(0), z)
	pass.SetCondition(image.Condition, 0, len(dst))
	pass.Forward()
	width := j.likelihood.Outputs()
	for i := range dst {
		out := pass.Out()[i*width : (i+1)*width]
		dst[i] = -j.likelihood.NegLog(out, image.X, image.Missing)
	}
}

// prior adds log p(z), or its bound, to dst. Every latent is a batch of one row, so that all have
// the same levels and noise.
func (j *Joint) prior(t prior.Tape, dst []float64, image Image, z []float32) {
	level := kernel.Key{
		Seed: j.seed, Step: uint32(image.Number), Stream: diffusion.StreamDiagLambda,
	}
	noise := level
	noise.Stream = diffusion.StreamDiagNoise
	t.Begin(1, level, noise)
	loss := []float32{0}
	for i := range dst {
		t.Evaluate(diffusion.Rows{
			Hi: 1, Z: z[i*j.d : (i+1)*j.d], IDs: []uint64{0}, Loss: loss,
			Condition: image.Condition, Particles: 1,
		})
		dst[i] -= float64(loss[0])
	}
}
