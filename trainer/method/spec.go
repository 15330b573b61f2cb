package method

import (
	"errors"
	"fmt"
	"slices"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// spec is one method: what it is, where it comes from, and how to build it.
type spec struct {
	name config.Method
	// defaults changes what differs from the common defaults in options of this method; nil:
	// nothing.
	defaults func(o *config.Options)
	batch    int // datapoints in a minibatch; 0: as in common
	// reads are the sets of keys that the method reads, beside those that every method reads.
	reads []*keySet
	// check adds what the options of this method must not be; nil: nothing.
	check func(o config.Options, p *config.Problems)
	// prior is what the generator samples from.
	prior func(o config.Options) prior.Prior
	// encoder is the network of q(z|x); nil: q is particles.
	encoder func(o config.Options, dim int) model.Net
	// build makes the method with its arrays from the arena.
	build func(a *memory.Arena, s Setup) (buildable, error)
}

var specs = []spec{
	ipld, pgd, pgdDiffusion, mpgd, ipla, soul, shortrun, abp, vae, vaeDiffusion, twoStage,
}

func find(name config.Method) (spec, error) {
	i := slices.IndexFunc(specs, func(s spec) bool { return s.name == name })
	if i < 0 {
		return spec{}, fmt.Errorf("method %q: expected one of %q", name, config.Methods)
	}
	return specs[i], nil
}

// Default returns the configuration of a run for which nothing was asked, one of ipld.
func Default() config.Config {
	c, err := DefaultFor(ipld.name)
	if err != nil {
		panic("method: no default method")
	}
	return c
}

// DefaultFor is Default for the named method, whose own defaults replace the common ones.
func DefaultFor(name config.Method) (config.Config, error) {
	c := config.Common()
	c.Method = name
	m, err := find(name)
	if err != nil {
		return c, err
	}
	if m.defaults != nil {
		m.defaults(&c.Options)
	}
	if m.batch > 0 {
		c.Batch = m.batch
	}
	return c, nil
}

// Validate reports what Config.Validate does, and what the configuration's method does not allow.
func Validate(c config.Config) error {
	return errors.Join(c.Validate(), allowed(c.Method, c.Options))
}

// validate is Validate of options alone.
func validate(name config.Method, o config.Options) error {
	return errors.Join(o.Validate().Err(), allowed(name, o))
}

// allowed reports what the named method, if there is one, does not allow.
func allowed(name config.Method, o config.Options) error {
	var p config.Problems
	if m, err := find(name); err == nil && m.check != nil {
		m.check(o, &p)
	}
	return p.Err()
}

// New builds the named method with networks as the options describe them, unless the setup
// brings its own.
func New(name config.Method, s Setup) (Method, error) {
	m, err := find(name)
	if err != nil {
		return nil, err
	}
	if err := validate(name, s.Options); err != nil {
		return nil, err
	}
	m.networks(&s, s.Train.Shape().Dim())
	return m.build(nil, s)
}

// networks fills in the networks that the setup does not bring, for images of dim numbers.
func (m spec) networks(s *Setup, dim int) {
	if s.Decoder == nil {
		s.Decoder = newDecoder(s.Options, dim)
	}
	if s.Prior == nil {
		s.Prior = m.prior(s.Options)
	}
	if s.Encoder == nil && m.encoder != nil {
		s.Encoder = m.encoder(s.Options, dim)
	}
}

func newDecoder(o config.Options, dim int) model.Net {
	widths := append([]int{o.Latent}, o.DecoderWidths...)
	return model.NewMLP(append(widths, dim)...)
}
