// Package method is the training methods: each is one way to move particles and parameters.
// What they share, the interacting-particle step, is Flow.
package method

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Method trains a model, one minibatch at a time.
type Method interface {
	// Step makes one parameter step on a minibatch. Its error is a *Fault, which wraps ErrDiverged:
	// the state is then of no use until it is restored.
	Step(b Minibatch) (Stats, error)
	// Slow multiplies the step size of the moves and the learning rates by a factor in (0, 1], in
	// place of the factor before.
	Slow(factor float64)
	// Diagnose measures what is too dear to measure at every step; done is the share of training
	// that the last step had behind it, as in its Minibatch.
	Diagnose(done float64) Diagnostics
	// Tensors are the whole state, as live slices: what a checkpoint saves and restores.
	Tensors() []checkpoint.Tensor
	// Restored must be called after the tensors were filled from a checkpoint.
	Restored()
	// Generator makes new images, with the averaged weights for ema.
	Generator(ema bool) *generate.Generator
	// Reconstruct decodes the first particle of each training image of idx into dst, rows of D,
	// with the generator's weights.
	Reconstruct(g *generate.Generator, dst []float32, idx []int)
	// Err is what failed of a cloud that lies in a file: ask it after Diagnose and Reconstruct, and
	// before the tensors are saved. Step returns it by itself.
	Err() error
	// Close gives such a file back. The method is of no use afterwards.
	Close() error
}

// Minibatch is what a step trains on.
type Minibatch struct {
	Index    []int   // datapoints, at most Setup.Batch
	Number   uint32  // minibatches before this one, over all epochs
	Repeat   int     // steps taken on this minibatch so far
	Progress float64 // share of the whole training that is done, in [0, 1): drives the schedules
}

// Stats are sums over the rows of a step; add them up for the means over an epoch.
type Stats struct {
	Steps       float64
	Evaluations float64 // passes of a row, forward and back, through one network
	Rows        float64 // rows that entered the losses
	SquareError float64 // squared pixel errors
	DataLoss    float64 // -log p(x|z), nats
	PriorLoss   float64 // the bound on -log p(z), nats
	Entropy     float64 // of an encoder's q(z|x), nats; 0 where q is particles
	Moved       float64 // particle moves, inner ones included; draws of latents where nothing moves
	Clipped     float64 // of them, clipped
	Redrawn     float64 // of them, drawn anew by the guard
	Anchor      float64 // coefficient of the scale anchor, summed over the steps

	// GradientNorm is the Euclidean norm of the gradient of decoder, prior and encoder in this
	// step, 0 of those that made none. It is not summed.
	GradientNorm [3]float64
}

// Networks are the names of the networks in the order of Stats.GradientNorm.
var Networks = [3]string{decoderNet: "decoder", priorNet: "prior", encoderNet: "encoder"}

// Values points to the fields that are sums, in their order, for sums and checkpoints.
func (s *Stats) Values() [11]*float64 {
	return [...]*float64{&s.Steps, &s.Evaluations, &s.Rows, &s.SquareError, &s.DataLoss, &s.PriorLoss, &s.Entropy, &s.Moved, &s.Clipped, &s.Redrawn, &s.Anchor}
}

// Add adds t to s.
func (s *Stats) Add(t Stats) {
	from := t.Values()
	for i, v := range s.Values() {
		*v += *from[i]
	}
}

// Diagnostics describe the particles at the end of an epoch.
type Diagnostics struct {
	Cloud            particle.Stats
	ExtraTemperature float64 // h v / 2, v the variance of the prior drift's noise per coordinate; about h v / (2 friction) with velocities
	StepSize, LR     float64 // in force
}

// Setup is what a method is built from.
type Setup struct {
	Options config.Options
	Train   data.Dataset
	Batch   int // most datapoints in a minibatch
	Tile    int // rows that a worker takes through the networks at a time; part of the bits
	Seed    uint64
	Steps   int // parameter steps of the whole training; 0: not known
	Pool    *pool.Pool

	// CloudDir is the directory of the file in which the particles' positions and velocities lie;
	// empty: they are in memory. The bits are the same.
	CloudDir string
	Ctx      context.Context // ends New early, while that file is made; nil: nothing does

	// Decoder, Prior and Encoder replace the networks that Options describe, where they are not
	// nil: so the same code trains models whose truth is known. An encoder, which methods without
	// one ignore, maps D numbers to 2 d: the mean and the log-variance of q(z|x).
	Decoder model.Net
	Prior   prior.Prior
	Encoder model.Net

	planned int // workers where there is no Pool yet
}

// tiles is the cut of a batch of so many datapoints: all rows of a datapoint share a tile, so that
// its image is gathered by one task. Networks must be of the default backend: the cut may follow
// the threads only if that backend's bits do not depend on cuts.
func (s *Setup) tiles(points int) pool.Tiles {
	return s.Pool.Tiles(points, s.Options.Particles, s.Tile, blas.Default().CutFree())
}

// spec is one method: what it is, where it comes from, and how to build it.
type spec struct {
	name config.Method
	// defaults changes what differs from the common defaults in options of this method; nil:
	// nothing.
	defaults func(o *config.Options)
	batch    int // datapoints in a minibatch; 0: as in common
	// check adds what the options of this method must not be; nil: nothing.
	check func(o config.Options, p *config.Problems)
	// prior is what the generator samples from.
	prior func(o config.Options) prior.Prior
	// encoder is the network of q(z|x); nil: q is particles.
	encoder func(o config.Options, dim int) model.Net
	// build makes the method with its arrays from the arena.
	build func(a *memory.Arena, s Setup) (buildable, error)
}

var specs = []spec{ipld, pgd, pgdDiffusion, mpgd, ipla, soul, shortrun, abp, vae, vaeDiffusion, twoStage}

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
func Validate(c config.Config) error { return errors.Join(c.Validate(), allowed(c.Method, c.Options)) }

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
