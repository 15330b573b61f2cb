package infer

import (
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
	likelihood likelihood.Gaussian

	seed    uint64
	pool    *pool.Pool
	d       int
	decoder model.Tape
	tiles   pool.Scratch[jointTile]
}

// jointTile is what a task works with: tileRows rows of the decoder's tape, from first on, and a
// tape of the prior.
type jointTile struct {
	first int
	prior prior.Tape
}

// tileRows is the number of latents in a task.
const tileRows = 50

// NewJoint returns the joint density of a model. obsNoise is the standard deviation of a pixel
// given its latent. NewJoint panics unless m.PriorP has as many parameters as the prior.
func NewJoint(m generate.Model, obsNoise float64, seed uint64, p *pool.Pool) *Joint {
	m.Check()
	dim := m.Decoder.Out()
	n := generate.Tiles(p.Workers(), dim)
	j := &Joint{
		likelihood: likelihood.Gaussian{Sigma: obsNoise, Dim: dim}, seed: seed, pool: p,
		d:       m.Decoder.In(),
		decoder: m.Decoder.NewTape(nil, m.DecoderP, n*tileRows, model.Evaluate),
	}
	j.pool.Run(pack(j.decoder))
	tiles := make([]jointTile, n)
	for i := range tiles {
		t := m.Prior.Steady().NewTape(nil, m.PriorP, 1, model.Evaluate)
		j.pool.Run(pack(t))
		tiles[i] = jointTile{first: i * tileRows, prior: t}
	}
	j.tiles = pool.ScratchOf(tiles)
	return j
}

// Log writes the log density in nats of the image x (D numbers) with each of the latents z (n x d)
// into dst (n numbers). image is the index of x, on which the random numbers of the bound depend.
func (j *Joint) Log(dst []float64, x, z []float32, image int) {
	n := pool.Pieces(len(dst), tileRows)
	j.pool.Run(pool.Group{N: n, Do: func(i int) {
		lo, hi := pool.Span(len(dst), n, i)
		rows := z[lo*j.d : hi*j.d]
		j.tiles.Use(func(t jointTile) {
			j.decode(t.first, dst[lo:hi], x, rows)
			j.prior(t.prior, dst[lo:hi], rows, image)
		})
	}})
}

// decode sets dst to log p(x|z), using the rows of the decoder's tape from first on.
func (j *Joint) decode(first int, dst []float64, x, z []float32) {
	last := first + len(dst)
	copy(j.decoder.In(first, last), z)
	j.decoder.Forward(first, last)
	for i := range dst {
		out := j.decoder.Out(first+i, first+i+1)
		dst[i] = -j.likelihood.NegLog(likelihood.SquareError(out, x), 1)
	}
}

// prior adds log p(z), or its bound, to dst. Every latent is a batch of one row, so that all have
// the same levels and noise.
func (j *Joint) prior(t prior.Tape, dst []float64, z []float32, image int) {
	level := kernel.Key{Seed: j.seed, Step: uint32(image), Stream: diffusion.StreamDiagLambda}
	noise := level
	noise.Stream = diffusion.StreamDiagNoise
	t.Begin(1, level, noise)
	loss := []float32{0}
	for i := range dst {
		t.Rows(0, 1, z[i*j.d:(i+1)*j.d], []uint64{0}, nil, loss, false)
		dst[i] -= float64(loss[0])
	}
}
