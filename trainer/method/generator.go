package method

import (
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// NewGenerator builds the generator of the named method for pictures of the given shape, without
// its parameters. They must be filled through the tensors that it returns, which have the names of
// a checkpoint's: those of the averaged weights if ema is set and the options have averages. Its
// products are computed by the present default of package blas.
func NewGenerator(
	name config.Method, o config.Options, picture data.Shape, ema bool, p *pool.Pool,
) (*generate.Generator, []checkpoint.Tensor, error) {
	trained, err := NewModel(name, o, picture)
	if err != nil {
		return nil, nil, err
	}
	tensors := Parameters(&trained, o, ema)
	return generate.New(nil, trained, p.Workers(), p), tensors, nil
}

// NewModel returns the networks of the named method for pictures of the given shape, without their
// parameters. Their products are computed by the present default of package blas.
func NewModel(
	name config.Method, o config.Options, picture data.Shape,
) (generate.Model, error) {
	m, err := find(name)
	if err != nil {
		return generate.Model{}, err
	}
	s := Setup{Options: o, Batch: 1, Tile: 1}
	if err := m.networks(&s, picture); err != nil {
		return generate.Model{}, err
	}
	return generate.Model{
		Decoder: s.Decoder, Prior: s.Prior, Encoder: s.Encoder, Likelihood: s.likelihood,
	}, nil
}

// Parameters gives a model, as NewModel returns it, arrays for its parameters and for the counts of
// its classes, and returns them as the tensors of a checkpoint: those of the averaged weights if
// ema is set and the options have averages.
func Parameters(m *generate.Model, o config.Options, ema bool) (tensors []checkpoint.Tensor) {
	suffix := tensorParams
	if ema && o.EMA > 0 {
		suffix = tensorEMA
	}
	parameters := func(name string, l *model.Layout) []float32 {
		p := make([]float32, l.Size())
		if len(p) > 0 {
			tensors = append(tensors, parameterTensor(name, suffix, l, p))
		}
		return p
	}
	m.DecoderP = parameters("decoder", m.Decoder.Layout())
	m.PriorP = parameters("prior", m.Prior.Layout())
	if m.Encoder != nil {
		m.EncoderP = parameters("encoder", m.Encoder.Layout())
	}
	if k := conditions(o); k > 0 {
		m.Classes = make([]uint32, k+1)
		tensors = append(tensors, classTensors(m.Classes)...)
	}
	return tensors
}

// Inferring returns m, trained by the named method, with a prior as inference needs it, whatever
// training took for its particles: the drift is the gradient of the bound, estimated by the given
// number of draws.
func Inferring(
	name config.Method, o config.Options, m generate.Model, draws int,
) (generate.Model, error) {
	o.PriorDrift, o.PriorWeight = diffusion.BoundDrift, diffusion.ELBO
	o.PriorLevels, o.ControlVariate, o.ScoreDraws = diffusion.Uniform, true, draws
	var err error
	m.Prior, err = NewPrior(name, o)
	return m, err
}

// newGenerator makes a generator of the setup's networks with the parameters in m.
func (s *Setup) newGenerator(a *memory.Arena, m generate.Model) *generate.Generator {
	m.Decoder, m.Prior, m.Likelihood = s.Decoder, s.Prior, s.likelihood
	if m.EncoderP != nil {
		m.Encoder = s.Encoder
	}
	return generate.New(a, m, s.workers(), s.Pool)
}

// values returns the parameters, or their averages if ema is set.
func (n *network) values(ema bool) []float32 {
	if ema {
		return n.opt.Averaged(n.p)
	}
	return n.p
}

// NewDecoder returns the decoder that resolved options describe, for pictures of the given shape.
// Its products are computed by the present default of package blas.
func NewDecoder(o config.Options, picture data.Shape) (*model.Net, error) {
	b, err := products(nil, o)
	if err != nil {
		return nil, err
	}
	return newDecoder(b, o, picture)
}

// NewPrior returns the prior of the named method with the given options. Its products are computed
// by the present default of package blas.
func NewPrior(name config.Method, o config.Options) (prior.Prior, error) {
	m, err := find(name)
	if err != nil {
		return nil, err
	}
	b, err := products(nil, o)
	if err != nil {
		return nil, err
	}
	return m.prior(b, o)
}

// NewEncoder returns an encoder from pictures of the given shape to the latents that resolved
// options describe, of the decoder's kind and sizes, whether the method has one or not. Its
// products are computed by the present default of package blas.
func NewEncoder(o config.Options, picture data.Shape) (*model.Net, error) {
	b, err := products(nil, o)
	if err != nil {
		return nil, err
	}
	if o.Encoder = o.Decoder; len(o.EncoderChannels) == 0 {
		o.EncoderChannels = o.DecoderChannels
	}
	return newEncoder(b, o, picture)
}
