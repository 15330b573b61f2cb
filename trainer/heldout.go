package trainer

import (
	"context"
	"errors"
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/record"
)

// heldOut is a few held-out rows that are followed through the run: each has a particle, which
// makes some moves for every record, with the averaged weights. No method learns from them.
type heldOut struct {
	rows       data.Dataset // nil: none
	known      float64      // mean number of a row's numbers that are known
	conditions data.Rows    // of the rows; nil: no conditions
	at         positions    // after the last record
	next       positions    // after the record under way
}

// positions and velocities of particles, R x d each.
type positions struct{ z, u []float32 }

func (p positions) set(q positions) {
	copy(p.z, q.z)
	copy(p.u, q.u)
}

const (
	// The rows are at most heldOutRows, and few where the training rows are few.
	heldOutRows, fewHeldOut, heldOutShare = 32, 4, 0.02
	// Their moves cost at most heldOutCost of the epoch's evaluations, or are heldOutMoves, but are
	// one at least. In each move a row passes two networks.
	heldOutCost, heldOutMoves, heldOutPasses = 0.02, 100, 2
	// heldOutStep is the step size of the moves: between those at which inference descends and at
	// which it keeps positions, since these particles have to do both.
	heldOutStep = 2e-3
)

// countHeldOut is how many of the held-out rows are followed.
func countHeldOut(held, datapoints int) int {
	return min(held, heldOutRows, max(fewHeldOut, int(heldOutShare*float64(datapoints))))
}

// followHeldOut chooses held-out rows, evenly spread over all, and places their particles.
func (t *Trainer) followHeldOut() {
	t.heldOut = heldOut{}
	if t.data.held == nil || t.data.held.Len() == 0 {
		return
	}
	held := t.data.held.Len()
	index := make([]int, countHeldOut(held, t.data.points.Len()))
	for i := range index {
		index[i] = i * held / len(index)
	}
	h := heldOut{
		rows: data.Subset(t.data.held, index), known: float64(t.data.held.Shape().Dim()),
	}
	if missing := data.MissingOf(h.rows); missing != nil {
		h.known = missing.Known()
	}
	for _, p := range []*positions{&h.at, &h.next} {
		n := len(index) * t.cfg.Latent
		p.z, p.u = make([]float32, n), make([]float32, n)
	}
	switch {
	case t.data.classes.Len() > 0:
		h.conditions = t.data.classes.Conditions(h.rows, t.cfg.Classes)
	case t.cfg.Conditional(): // nothing is known of them
		h.conditions = data.Table{D: t.cfg.Classes, X: make([]float32, len(index)*t.cfg.Classes)}
	}
	t.heldOut = h
	t.placeHeldOut()
}

// placeHeldOut puts the particles where they begin: at rest, at N(0, I).
func (t *Trainer) placeHeldOut() {
	clear(t.heldOut.at.u)
	kernel.Normal(t.heldOut.at.z, kernel.Key{Seed: ^t.cfg.Seed, Stream: particle.StreamCloud}, 0)
}

// tensors are the state of the particles; none without held-out rows.
func (h *heldOut) tensors() []checkpoint.Tensor {
	if h.rows == nil {
		return nil
	}
	shape := []int{h.rows.Len(), len(h.at.z) / h.rows.Len()}
	return []checkpoint.Tensor{
		{Name: "heldout/z", Shape: shape, F32: h.at.z},
		{Name: "heldout/u", Shape: shape, F32: h.at.u},
	}
}

// heldOutSetup is the inference of the followed rows.
func heldOutSetup(rows, conditions data.Rows, tile int, p *pool.Pool) infer.Setup {
	s := infer.Standard(1)
	s.Images, s.Conditions, s.Tile, s.Pool = rows, conditions, tile, p
	s.StepSize, s.StepSizeEnd = heldOutStep, heldOutStep
	return s
}

// heldOutBytes is the memory that a measurement takes, of so many rows of the given shape.
func heldOutBytes(c config.Config, rows, workers int, shape data.Shape) (int64, error) {
	if rows == 0 {
		return 0, nil
	}
	m, err := method.NewModel(c.Method, c.Options, shape)
	if err == nil {
		m, err = method.Inferring(c.Method, c.Options, m, 1)
	}
	if err != nil {
		return 0, err
	}
	p := pool.New(workers)
	defer p.Close()
	var conditions data.Rows
	if c.Conditional() {
		conditions = data.Table{D: c.Classes}
	}
	unread := data.Table{D: 1, X: make([]float32, rows)} // only their number counts
	return infer.Bytes(m, heldOutSetup(unread, conditions, c.Tile, p)), nil
}

// means returns the mean of the rows' energy, and of their squared error per number that is known.
func (h *heldOut) means(rows []infer.Inferred) (nats, mse *record.Number) {
	energy, square := 0.0, 0.0
	for _, row := range rows {
		energy += row.Energy()
		square += row.SquareError
	}
	n := float64(len(rows))
	nats, mse = new(record.Number), new(record.Number)
	*nats, *mse = record.Number(energy/n), record.Number(square/n/h.known)
	return nats, mse
}

// measureHeldOut moves the particles of the held-out rows, and writes their means over the moves
// into e. The positions are the run's only once the epoch has ended, since an epoch
// whose end is interrupted ends again.
func (t *Trainer) measureHeldOut(ctx context.Context, e *record.Epoch) error {
	h := &t.heldOut
	if h.rows == nil {
		return nil
	}
	return t.slowly(func(d *progress.Task) error {
		d.Set(fmt.Sprintf("energy of %d held-out rows", h.rows.Len()))
		g := t.method.Generator(true)
		m, err := method.Inferring(t.cfg.Method, t.cfg.Options, g.Model(), 1)
		if err != nil {
			return err
		}
		m.Prior = m.Prior.Steady() // the same moves, and a loss with less noise
		s := heldOutSetup(h.rows, h.conditions, t.cfg.Tile, t.pool)
		s.Missing = data.MissingOf(h.rows)
		s.Seed = ^t.cfg.Seed - uint64(t.next.epoch) // each record has its own noise
		p := infer.New(m, s)
		now := positions{p.Latents(), p.Velocities()}
		now.set(h.at)
		affordable := heldOutCost * t.sums.Evaluations / float64(heldOutPasses*h.rows.Len())
		moves := int(min(max(affordable, 1), heldOutMoves))
		if err := p.Run(ctx, infer.Moves{Keep: moves}); err != nil {
			return err
		}
		e.HeldOutNats, e.HeldOutMSE = h.means(p.Images())
		if kernel.AllFinite(now.z) && kernel.AllFinite(now.u) {
			h.next.set(now)
		} else { // another record may be luckier, and checkpoints stay finite
			h.next.set(h.at)
		}
		return nil
	})
}

// keepHeldOut makes the positions of the last record those of the run.
func (t *Trainer) keepHeldOut(e record.Epoch) {
	if e.HeldOutNats != nil {
		t.heldOut.at.set(t.heldOut.next)
	}
}

// loadOlder loads a checkpoint of an earlier version, which has no particles of held-out rows: they
// begin anew. If the checkpoint is none of these, the error is err, that of loading all tensors.
func (t *Trainer) loadOlder(
	load func(into []checkpoint.Tensor) (loaded, error), into []checkpoint.Tensor, err error,
) (loaded, error) {
	if t.heldOut.rows == nil || errors.Is(err, checkpoint.ErrDamaged) {
		return loaded{}, err
	}
	from, again := load(into[:len(into)-len(t.heldOut.tensors())])
	if again != nil {
		return loaded{}, err
	}
	t.placeHeldOut()
	return from, nil
}
