package export

import (
	"fmt"
	"slices"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/run"
)

// Model is a trained model to hand on.
type Model struct {
	Description
	Tensors []checkpoint.Tensor // as in a file of it
}

// Options say what an export has.
type Options struct {
	Raw       bool // the weights as they are, not their moving average
	Particles bool // the latents of the training images as well
}

// FromRun reads the model of the newest checkpoint of a run. An average that the run does not have
// is replaced by the weights themselves, as in sampling; the description says which it has.
func FromRun(r *run.Run, o Options) (*Model, error) {
	info, err := run.ReadInfo(r.Dir)
	if err != nil {
		return nil, err
	}
	dir, err := r.Checkpoint()
	if err != nil {
		return nil, err
	}
	nets, err := method.NewModel(r.Config.Method, r.Config.Options, info.Shape)
	if err != nil {
		return nil, err
	}
	m := &Model{Description: Description{
		Format: Format, Version: run.Version(), Layout: layoutText, Method: r.Config.Method,
		Weights: Raw, Precision: r.Config.Precision, ObsNoise: r.Config.ObsNoise,
		Seed: r.Config.Seed, Latent: shapeOf(nets.Decoder.InShape()),
	}}
	m.Likelihood = likelihoodOf(nets)
	if !o.Raw && r.Config.EMA > 0 {
		m.Weights = Averaged
	}
	into := method.Parameters(&nets, r.Config.Options, m.Weights == Averaged)
	var cloud *cloud
	if o.Particles {
		if cloud, err = openCloud(r, dir, nets.Decoder.In()); err != nil {
			return nil, err
		}
		into = append(into, cloud.z)
	}
	meta, err := checkpoint.LoadSome(dir, into)
	if err != nil {
		return nil, checkpoint.ForReader(err)
	}
	m.Step, m.Epoch = meta.Step, meta.Epoch
	if err := m.describe(r, info, nets); err != nil {
		return nil, err
	}
	m.fill(nets)
	if err := m.addStart(r); err != nil {
		return nil, err
	}
	if cloud != nil {
		m.Particles = &Particles{Rows: cloud.z.Shape[0], Each: cloud.z.Shape[1]}
		m.Tensors = append(m.Tensors, cloud.tensors()...)
	}
	return m, nil
}

// likelihoodOf is Description.Likelihood.
func likelihoodOf(nets generate.Model) string {
	switch l := nets.Likelihood.(type) {
	case *likelihood.Mixed:
		return l.Columns().String()
	case likelihood.Clipped:
		return likelihood.Clip
	}
	return ""
}

// describe sets what follows from the run and from its networks.
func (m *Model) describe(r *run.Run, info run.Info, nets generate.Model) error {
	s := info.Shape
	m.Data = Data{
		Name: r.Config.Data, Fingerprint: info.Fingerprint, Shape: Shape{s.H, s.W, s.C},
		Range: [2]float64{-1, 1}, Read: info.Read,
	}
	if nets.Classes != nil {
		m.Classes = &Class{Counts: nets.Classes}
		if info.Classes != nil {
			m.Classes.Classes = *info.Classes
		}
	}
	text, err := r.Config.TOML()
	if err != nil {
		return err
	}
	m.Config = string(text)
	if m.Schema, err = schemaText(r); err != nil {
		return err
	}
	if m.Prior, err = describePrior(nets.Prior); err != nil {
		return err
	}
	m.Networks = map[string]Network{}
	for _, n := range networks(&nets) {
		if m.Networks[n.name], err = describe(n.name, n.net); err != nil {
			return err
		}
	}
	return nil
}

// fill sets the tensors to the parameters of the networks.
func (m *Model) fill(nets generate.Model) {
	for _, p := range parts(&nets) {
		x := make([]float32, len(p.values()))
		transpose(x, p.values(), p.shape, p.axes)
		m.Tensors = append(m.Tensors, checkpoint.Tensor{
			Name: p.name, Shape: transposed(p.shape, p.axes), F32: x,
		})
	}
}

// describePrior describes a prior.
func describePrior(p prior.Prior) (Prior, error) {
	switch p := p.(type) {
	case *prior.Diffusion:
		return Prior{
			Kind: Diffusion, LambdaMin: p.Bound.Process.Min, LambdaMax: p.Bound.Process.Max,
		}, nil
	case prior.Gaussian:
		d := Prior{Kind: Gaussian}
		if p.LearnMean {
			d.Mean = Score + ".mean"
		}
		return d, nil
	case *prior.Standardised:
		d, err := describePrior(p.Prior)
		d.Mean, d.LogScale = Score+".mean", Score+".log_scale"
		return d, err
	}
	return Prior{}, fmt.Errorf("a prior of type %T cannot be exported", p)
}

// scoreOf returns the network of a diffusion prior; nil: it has none.
func scoreOf(p prior.Prior) *model.Net {
	switch p := p.(type) {
	case *prior.Diffusion:
		return p.Score
	case *prior.Standardised:
		return scoreOf(p.Prior)
	}
	return nil
}

// network is a network of a model, with the array of its parameters.
type network struct {
	name string
	net  *model.Net
	p    *[]float32
}

// networks lists the networks that a model has.
func networks(m *generate.Model) []network {
	all := []network{
		{Decoder, m.Decoder, &m.DecoderP}, {Score, scoreOf(m.Prior), &m.PriorP},
		{Encoder, m.Encoder, &m.EncoderP},
	}
	return slices.DeleteFunc(all, func(n network) bool { return n.net == nil })
}

// part is a parameter of a model: a range of an array.
type part struct {
	name   string
	shape  []int // in the array
	axes   []int // the order in which an export has them; nil: the same
	of     *[]float32
	lo, hi int
}

func (p part) values() []float32 { return (*p.of)[p.lo:p.hi] }

// parts lists the parameters of a model, whose arrays may be missing.
func parts(m *generate.Model) (all []part) {
	for _, n := range networks(m) {
		steps, _ := n.net.Steps()
		for _, s := range steps {
			for _, p := range s.Params {
				all = append(all, part{
					n.name + "." + p.Name, p.Shape, torchAxes(s.Layer, p.Shape), n.p,
					p.Offset, p.Offset + p.Len,
				})
			}
		}
	}
	own := 0 // the parameters of the prior that are its network's come first
	if score := scoreOf(m.Prior); score != nil {
		own = score.Layout().Size()
	}
	for _, p := range m.Prior.Layout().Params() {
		if p.Offset >= own {
			all = append(all, part{
				Score + "." + p.Name, p.Shape, nil, &m.PriorP, p.Offset, p.Offset + p.Len,
			})
		}
	}
	return all
}

// schemaText is the schema of the run's table, as TOML; "" if it was trained on none.
func schemaText(r *run.Run) (string, error) {
	s, err := r.Schema()
	if s == nil || err != nil {
		return "", err
	}
	text, err := s.WriteTOML()
	return string(text), err
}
