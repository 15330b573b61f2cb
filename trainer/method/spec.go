package method

import (
	"errors"
	"fmt"
	"slices"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// spec describes one method and how to build it.
type spec struct {
	name config.Method
	// defaults changes common options to the method's defaults; nil: there are no others.
	defaults func(o *config.Options)
	batch    int // default size of a minibatch; 0: the common one
	// reads are the sets of keys that the method reads, besides the keys that every method reads.
	reads []*keySet
	// check adds to p what is wrong with the options for this method; nil: nothing.
	check func(o config.Options, p *config.Problems)
	// prior makes the prior of the trained model.
	prior func(products *blas.Backend, o config.Options) (prior.Prior, error)
	// encoder makes the network of q(z|x); nil: the method has particles.
	encoder func(products *blas.Backend, o config.Options, picture data.Shape) (*model.Net, error)
	// build makes the method with arrays from the arena.
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

// Default returns the default configuration, that of ipld.
func Default() config.Config {
	c, err := DefaultFor(ipld.name)
	if err != nil {
		panic("method: no default method")
	}
	return c
}

// DefaultFor returns the default configuration of the named method: the common defaults with the
// method's own. An unknown method is an error.
func DefaultFor(name config.Method) (config.Config, error) {
	m, err := find(name)
	if err != nil {
		c := config.Common()
		c.Method = name
		return c, err
	}
	return m.usual(), nil
}

// usual is the method's default configuration.
func (m spec) usual() config.Config {
	c := config.Common()
	c.Method = m.name
	if m.defaults != nil {
		m.defaults(&c.Options)
	}
	if m.batch > 0 {
		c.Batch = m.batch
	}
	return c
}

// Validate reports the errors of Config.Validate, and those that depend on the method.
func Validate(c config.Config) error {
	return errors.Join(c.Validate(), allowed(c.Method, c.Options))
}

// validate is Validate for options alone.
func validate(name config.Method, o config.Options) error {
	return errors.Join(o.Validate().Err(), allowed(name, o))
}

// allowed reports what the named method does not allow, nothing if there is no such method.
func allowed(name config.Method, o config.Options) error {
	var p config.Problems
	m, err := find(name)
	if err != nil {
		return nil
	}
	if m.check != nil {
		m.check(o, &p)
	}
	p.Expect(o.Condition != config.OfPrior || slices.Contains(m.reads, scoreKeys), "condition",
		o.Condition, "none, or both: the prior is N(0, I), whatever the condition")
	return p.Err()
}

// New builds the named method with the networks that the options describe, unless the setup has its
// own. Networks that are still auto are MLPs: Resolve chooses others. Unknown methods, invalid
// options, and a cloud file that cannot be made are errors.
func New(name config.Method, s Setup) (Method, error) {
	m, err := find(name)
	if err != nil {
		return nil, err
	}
	if err := validate(name, s.Options); err != nil {
		return nil, err
	}
	if n := min(s.Batch, s.Train.Len()); s.Lanes > n {
		return nil, fmt.Errorf("lanes = %d: expected at most %d, so that each has a datapoint in "+
			"every minibatch", s.Lanes, n)
	}
	if err := comm.Check(s.lanes(), s.comm().Size()); err != nil {
		return nil, err
	}
	if err := m.networks(&s, s.Train.Shape()); err != nil {
		return nil, err
	}
	return m.build(nil, s)
}

// networks sets the setup's networks, for pictures of the given shape, where they are nil, and cuts
// tiles and waves for them.
func (m spec) networks(s *Setup, picture data.Shape) (err error) {
	if s.Products, err = products(s.Products, s.Options); err != nil {
		return err
	}
	if s.Train != nil {
		s.share()
	}
	dim := picture.Dim()
	if s.Decoder != nil { // which may have other numbers than the pictures
		dim = s.Decoder.Out()
	}
	if s.likelihood, err = newLikelihood(s.Options, dim); err != nil {
		return err
	}
	if s.Decoder == nil {
		if s.Decoder, err = newDecoder(s.Products, s.Options, picture); err != nil {
			return err
		}
	}
	if s.Prior == nil {
		if s.Prior, err = m.prior(s.Products, s.Options); err != nil {
			return err
		}
	}
	if s.Encoder == nil && m.encoder != nil {
		if s.Encoder, err = m.encoder(s.Products, s.Options, picture); err != nil {
			return err
		}
	}
	s.cut()
	return nil
}
