package query

import (
	"cmp"
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// Model is a trained model. Its methods must not be called concurrently.
type Model struct {
	generator *generate.Generator
	guess     *generate.Generator // its encoder is that of Use; nil before
	start     *method.Components  // of StartComponents; nil: unknown
	config    config.Config
	pool      *pool.Pool
}

// New returns the model of a generator that was trained with the configuration, every key of which
// is set. It works on p.
func New(g *generate.Generator, c config.Config, p *pool.Pool) *Model {
	return &Model{generator: g, config: c, pool: p}
}

// Latent is the number d of numbers in a latent.
func (m *Model) Latent() int { return m.generator.Latent() }

// Rows are the rows of data that are asked about.
type Rows struct {
	Images data.Rows // rows of D values, as the model was trained on
	// Conditions are what the networks read of the rows, for a model with conditions; nil: nothing
	// is known of them.
	Conditions data.Rows
	// Missing says which values are not known; what Images holds there is not read. nil: none.
	Missing *data.Missing
}

// Options say how the posterior is drawn. The zero value is ready to use.
type Options struct {
	Particles int    // draws from the posterior of each row, 2 or more; 0: 8
	Seed      uint64 // of all random numbers
	Start     Start  // "": StartAuto
	// Descend is after how many moves a row must stop descending; 0: as infer.Patient.
	Descend int
	// Settling says how long the particles move, instead of Descend; nil: infer.Patient and, to
	// fill in what is missing of rows with a likelihood by columns, longer.
	Settling *infer.Settling
	// Forecast is called with the memory that inference will need, in bytes, besides that of the
	// rows and the networks, before it begins; nil: not.
	Forecast func(bytes int64)
	// Progress is called with how far the work has come: "300 of 1,000 rows"; nil: not.
	Progress func(at string)

	kept float64 // step size at which positions are kept; 0: keptStep
}

// Start says where the particles of a row begin.
type Start string

// The starts.
const (
	// StartAuto is where those of the training started: StartEncoder for a model with an encoder,
	// StartComponents for one with UseComponents, and StartNormal for others.
	StartAuto Start = "auto"
	// StartNormal is N(0, I).
	StartNormal Start = "normal"
	// StartComponents is where cloud_init = pca places the rows of a training, by the principal
	// components of those of the model (Model.UseComponents). Missing values count as their mean.
	StartComponents Start = "pca"
	// StartEncoder is draws from the encoder's q(z|x). Missing values are zeros to it.
	StartEncoder Start = "encoder"
	// StartAmortised is draws from what a network guesses that was fitted to the particles of the
	// training rows (Model.Use). Missing values are zeros to it.
	StartAmortised Start = "amortised"
)

// Starts lists all starts.
var Starts = []Start{StartAuto, StartNormal, StartComponents, StartEncoder, StartAmortised}

// Summary is what is known when all rows are done.
type Summary struct {
	Rows      int
	Unsettled int     // rows whose energy was still falling when their particles had to stop
	Moves     float64 // mean number of moves of a row
	ESS       float64 // median over the rows of infer.Inferred.ESS
	Clipped   float64 // share of the kept moves that were clipped
}

const (
	defaultParticles = 8
	// keptStep is the step size at which positions are kept. That of evaluations, 2e-4, leaves 400
	// moves of 8 particles worth 21 draws (embedded digits, 30 % of the pixels missing), and this
	// one 40, with the same error and the same coverage of the missing pixels.
	keptStep = 5e-4
	// heldBytes bounds what is held of the rows of a block.
	heldBytes = 64 << 20
)

// noComponents says which models have no StartComponents.
const noComponents = "it was trained with cloud_init = normal, or trained or exported by an " +
	"earlier version"

// UseComponents makes StartComponents begin at the components of a training; nil changes nothing.
func (m *Model) UseComponents(c *method.Components) {
	if c != nil {
		m.start = c
	}
}

// check reports rows and options that do not fit the model.
func (m *Model) check(r Rows, o Options) error {
	n, dim := r.Images.Len(), m.generator.Dim()
	switch {
	case n == 0:
		return fmt.Errorf("no rows: expected at least one")
	case o.Particles < 2:
		return fmt.Errorf("%d particles: expected 2 or more", o.Particles)
	case o.Start == StartEncoder && !m.generator.Encodes():
		return fmt.Errorf("start = %s: %s trains no encoder; expected %s", o.Start, m.config.Method,
			StartNormal)
	case o.Start == StartComponents && m.start == nil:
		return fmt.Errorf("start = %s: the model does not have the principal components of its "+
			"training rows (%s); expected %s", o.Start, noComponents, StartNormal)
	case o.Start == StartAmortised && m.guess == nil:
		return fmt.Errorf("start = %s: the model has no network for it: expected Use before",
			o.Start)
	case r.Conditions != nil && r.Conditions.Len() != n:
		return fmt.Errorf("conditions of %d rows: expected %d", r.Conditions.Len(), n)
	case r.Missing == nil:
		return nil
	case r.Missing.D != dim || r.Missing.Len() != n && r.Missing.Len() != 1:
		return fmt.Errorf("missing values of %d rows of %d numbers: expected one row or %d, of %d",
			r.Missing.Len(), r.Missing.D, n, dim)
	}
	return nil
}

// withDefaults replaces zero values by the defaults.
func (m *Model) withDefaults(o Options) Options {
	if o.Particles == 0 {
		o.Particles = defaultParticles
	}
	if o.Settling == nil {
		standard := infer.Patient()
		if o.Descend > 0 {
			standard.Descend = o.Descend
		}
		o.Settling = &standard
	}
	if o.Start == "" || o.Start == StartAuto {
		o.Start = StartNormal
		switch {
		case m.generator.Encodes():
			o.Start = StartEncoder
		case m.start != nil:
			o.Start = StartComponents
		}
	}
	return o
}

// setup is the inference of the rows. wide is how many float64 numbers are held of each row.
func (m *Model) setup(r Rows, o Options, wide int) infer.Setup {
	s := infer.Standard(o.Particles)
	s.Images, s.Conditions, s.Missing = r.Images, r.Conditions, r.Missing
	if s.Conditions == nil && m.generator.Conditions() > 0 {
		s.Conditions = unconditional{rows: r.Images.Len(), width: m.generator.Conditions()}
	}
	s.Tile, s.StepSizeEnd = m.config.Tile, cmp.Or(o.kept, keptStep)
	s.Seed, s.Pool, s.Progress = o.Seed, m.pool, o.Progress
	d := m.generator.Latent()
	s.Hold = max(s.Batch, min(4*s.Batch, heldBytes/rowBytes(o, d, wide)))
	return s
}

// rowBytes is what is held of a row: positions and velocities, their moments, and more numbers.
func rowBytes(o Options, d, wide int) int { return 4*2*o.Particles*d + 8*(2*d+wide) }

// forecast tells what inference will need, and refuses what this machine does not have.
func (m *Model) forecast(g generate.Model, s infer.Setup, o Options, wide int) error {
	need := infer.Bytes(g, s) + int64(s.Hold)*int64(rowBytes(o, m.generator.Latent(), wide))
	if o.Start == StartComponents {
		need += m.start.PlaceBytes(s.Hold)
	}
	if o.Forecast != nil {
		o.Forecast(need)
	}
	if has := memory.Machine(); has > 0 && need > has {
		return fmt.Errorf("inference needs %s of memory, and this machine has %s: fewer particles "+
			"need less", memory.Human(need), memory.Human(has))
	}
	return nil
}

// unconditional is conditions that say nothing.
type unconditional struct{ rows, width int }

// Len implements data.Rows.
func (u unconditional) Len() int { return u.rows }

// Gather implements data.Rows.
func (u unconditional) Gather(dst []float32, idx []int) { clear(dst) }

// block is rows lo to hi-1, whose particles have settled.
type block struct {
	lo, hi    int
	posterior *infer.Posterior
}

// place moves the particles z of rows lo to hi-1 from N(0, I) to their start.
func (m *Model) place(
	ctx context.Context, z []float32, r Rows, s infer.Setup, start Start, lo, hi int,
) error {
	switch start {
	case StartEncoder:
		m.encode(m.generator, z, r, s, lo, hi)
	case StartAmortised:
		m.encode(m.guess, z, r, s, lo, hi)
	case StartComponents:
		return m.start.Place(ctx, z, r.Images, r.Missing, data.Range(lo, hi), m.pool)
	}
	return nil
}

// each settles the rows, block by block, and passes each block to use.
func (m *Model) each(
	ctx context.Context, r Rows, o Options, wide int, use func(block) error,
) (Summary, error) {
	inferring, err := method.Inferring(m.config.Method, m.config.Options, m.generator.Model(), 1)
	if err != nil {
		return Summary{}, err
	}
	s := m.setup(r, o, wide)
	if err := m.forecast(inferring, s, o, wide); err != nil {
		return Summary{}, err
	}
	p := infer.New(inferring, s)
	t := tally{}
	for lo := 0; lo < r.Images.Len(); lo += s.Hold {
		hi := min(lo+s.Hold, r.Images.Len())
		p.Hold(lo, hi)
		if err := m.place(ctx, p.Latents(), r, s, o.Start, lo, hi); err != nil {
			return Summary{}, err
		}
		err := p.Settle(ctx, *o.Settling)
		if unread := data.Err(r.Images); unread != nil { // numbers that are not finite come from it
			err = unread
		}
		if err != nil {
			return Summary{}, err
		}
		t.add(p)
		if err := use(block{lo, hi, p}); err != nil {
			return Summary{}, err
		}
	}
	return t.summary(), data.Err(r.Images) // which use may have read again
}
