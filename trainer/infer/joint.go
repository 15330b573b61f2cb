package infer

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Joint is log p(x|z) + log p(z) of a trained model. Where the prior is a diffusion, -l_theta(z),
// the lower bound of log p(z), takes the place of the latter; it is estimated with as many pairs
// (lambda, eps) as the prior has draws, stratified over lambda, and the same pairs for all latents
// of an image: what they get wrong is then nearly the same for all of them, so that the latents
// compare well. The part of their noise that is known is taken off (prior.Prior.Steady).
type Joint struct {
	likelihood likelihood.Gaussian

	seed    uint64
	pool    *pool.Pool
	d       int
	decoder model.Tape
	priors  []prior.Tape // of each place
	places  chan int     // free ones: the tiles of the decoder's tape, and the prior's tapes
}

// jointTile is how many latents one task takes.
const jointTile = 50

// NewJoint is the joint density of a model, whose prior says with how many draws it is evaluated,
// with pixels of standard deviation obsNoise. It panics unless the prior has as many parameters as
// m says.
func NewJoint(m generate.Model, obsNoise float64, seed uint64, p *pool.Pool) *Joint {
	m.Check()
	dim := m.Decoder.Out()
	n := generate.Tiles(p.Workers(), dim)
	j := &Joint{
		likelihood: likelihood.Gaussian{Sigma: obsNoise, Dim: dim}, seed: seed, pool: p,
		d: m.Decoder.In(), decoder: m.Decoder.NewTape(nil, m.DecoderP, n*jointTile, model.Evaluate), places: make(chan int, n),
	}
	j.pool.Run(pack(j.decoder))
	for i := range n {
		t := m.Prior.Steady().NewTape(nil, m.PriorP, 1, model.Evaluate)
		j.pool.Run(pack(t))
		j.priors = append(j.priors, t)
		j.places <- i
	}
	return j
}

// Log writes the log density in nats of the image x (D) with each of the latents z (n x d) into dst
// (n). image is a number of the image, which its random numbers depend on.
func (j *Joint) Log(dst []float64, x, z []float32, image int) {
	tiles := pool.Pieces(len(dst), jointTile)
	j.pool.Run(pool.Group{N: tiles, Do: func(i int) {
		place := <-j.places
		defer func() { j.places <- place }()
		lo, hi := pool.Span(len(dst), tiles, i)
		rows := z[lo*j.d : hi*j.d]
		j.decode(place*jointTile, dst[lo:hi], x, rows)
		j.prior(j.priors[place], dst[lo:hi], rows, image)
	}})
}

// decode sets dst to log p(x|z), in rows of the decoder's tape from first on.
func (j *Joint) decode(first int, dst []float64, x, z []float32) {
	last := first + len(dst)
	copy(j.decoder.In(first, last), z)
	j.decoder.Forward(first, last)
	for i := range dst {
		out := j.decoder.Out(first+i, first+i+1)
		dst[i] = -j.likelihood.NegLog(likelihood.SquareError(out, x), 1)
	}
}

// prior adds log p(z), or its bound. A tape of one row has one set of levels, which all latents
// take in turn.
func (j *Joint) prior(t prior.Tape, dst []float64, z []float32, image int) {
	level := kernel.Key{Seed: j.seed, Step: uint32(image), Stream: prior.StreamDiagLambda}
	noise := level
	noise.Stream = prior.StreamDiagNoise
	t.Begin(1, level, noise)
	loss := []float32{0}
	for i := range dst {
		t.Rows(0, 1, z[i*j.d:(i+1)*j.d], []uint64{0}, nil, loss, false)
		dst[i] -= float64(loss[0])
	}
}
