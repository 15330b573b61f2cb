package method

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
)

// fewRows is the largest share of a minibatch's particles that may be drawn anew at once.
const fewRows = 0.1

// checkLosses sums the losses of the rows just evaluated, and checks that they are finite before
// anything moves. If they are not because of a few particles, it draws these anew and evaluates the
// minibatch once more.
func (f *flow) checkLosses(s *Stats) error {
	fine := f.collectLosses(s)
	if err := f.lanes.err; err != nil || fine {
		return err
	}
	if err := f.failed(); err != nil {
		return err
	}
	fault := f.locateLoss()
	if fault.Kind == InParticle && f.redraw(s) {
		f.evaluate(s)
		if f.collectLosses(s) {
			return nil
		}
		fault = f.locateLoss()
	}
	return f.finish(fault, 1)
}

func (f *flow) collectLosses(s *Stats) bool {
	rows := lossRows{f.loss, f.square, f.nll, nil, f.cloud.N, f.cloud.N, f.priorTape}
	if f.now.held {
		rows.tape = nil
	}
	f.lanes.losses(s, rows)
	return finite(s.DataLoss + s.PriorLoss)
}

// failed returns the error of an exchange with other ranks, or of a cloud in a file on one of them.
func (f *flow) failed() error {
	if f.lanes.err != nil || f.setup.CloudDir == "" {
		return f.lanes.err
	}
	return f.lanes.agree(f.Err())
}

// redraw draws the minibatch's particles that are not finite anew, and reports whether they were
// few.
func (f *flow) redraw(s *Stats) bool {
	rows := len(f.batch.IDs)
	own := f.batch.Redraw(0, rows, f.key(particle.StreamGuard))
	redrawn := f.lanes.sum(1, func(i, _, _ int, part []float64) {
		if i == 0 {
			part[0] = float64(own)
		}
	})[0]
	s.Redrawn += redrawn
	return redrawn <= max(1, fewRows*float64(f.lanes.points*f.cloud.N))
}

// locateLoss finds where a loss stopped being finite.
func (f *flow) locateLoss() *Fault {
	r := rows{f.now.index, f.cloud.N, 1}
	return somewhere(f.lanes.firstOf(
		f.decoder.badWeight,
		f.prior.badWeight,
		func() *Fault { return r.latents(f.batch.Z, f.cloud.D) },
		func() *Fault { return r.images(f.x, f.likelihood.Dim()) },
		func() *Fault {
			return r.activations("decoder", f.decoderTape, f.decoderTile,
				func(p *model.Pass, lo, hi int) {
					copy(p.In(0), f.batch.Rows(f.batch.Z, lo, hi))
					p.SetCondition(f.conditions.x, lo, f.cloud.N)
				})
		},
		func() *Fault { return r.losses("decoder", f.square) },
		func() *Fault { return r.dataLosses(f.loss) },
		func() *Fault { return f.locatePrior(r) },
		func() *Fault { return r.losses("prior", f.nll) },
	))
}

// locatePrior runs the prior forward again, with the noise of the step, and searches its layers.
func (f *flow) locatePrior(r rows) *Fault {
	if f.now.held {
		return nil
	}
	return r.prior(f.priorTape, f.priorTile, func(lo, hi int) {
		f.priorTape.Evaluate(diffusion.Rows{
			Lo: lo, Hi: hi, Z: f.batch.Rows(f.batch.Z, lo, hi), IDs: f.batch.IDs[lo:hi],
			Loss: f.nll[lo:hi], Condition: f.conditions.x, Particles: f.cloud.N,
		})
	})
}

// checkUpdate checks the gradients and the new weights of the step.
func (f *flow) checkUpdate(s *Stats) error {
	fine := f.decoder.settle(s)
	if !f.now.held {
		fine = f.prior.settle(s) && fine
	}
	if fine {
		return nil
	}
	r := rows{f.now.index, f.cloud.N, 1}
	searches := []func() *Fault{
		func() *Fault { return r.gradients("decoder", f.decoderTape.Gradients(), f.now.waves) },
		f.decoder.badGradient,
	}
	if !f.now.held {
		searches = append(searches,
			func() *Fault { return r.priorGradients(f.priorTape, f.now.waves) },
			f.prior.badGradient)
	}
	searches = append(searches, f.decoder.newWeight, f.prior.newWeight)
	return f.finish(somewhere(f.lanes.firstOf(searches...)), 0)
}

// finish sets the step of a fault, the given number after the last one counted, and the remedy.
func (f *flow) finish(fault *Fault, after int) error {
	fault.Step = int(f.counts[countSteps]) + after
	if fault.Kind == InData {
		return f.lanes.fault(fault)
	}
	spread := math.Sqrt(f.spread())
	switch {
	case fault.Kind == InParticle:
		fault.Try = TryMoves
	case spread > wideSpread:
		fault.Try = fmt.Sprintf(trySpread, spread)
	case fault.Network == "prior":
		fault.Try = tryPrior
	default:
		fault.Try = tryDecoder
	}
	return f.lanes.fault(fault)
}

// wideSpread is a root mean square of particles, in units of the standard normal prior, that is
// reached only by moves with a bad drift.
const wideSpread = 10

// spread returns the mean square of the minibatch's particles.
func (f *flow) spread() float64 {
	n := f.cloud.N
	square := f.lanes.sum(1, func(_, from, end int, part []float64) {
		for _, v := range f.batch.Rows(f.batch.Z, from*n, end*n) {
			part[0] += float64(v) * float64(v)
		}
	})[0]
	return square / float64(f.lanes.points*n*f.cloud.D)
}
