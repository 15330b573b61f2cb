package method

import "github.com/plume-ml/plume/trainer/diffusion"

// checkFrozen checks the losses and the standardisation with which the second stage begins.
func (t *staged) checkFrozen() error {
	if t.lanes.err != nil {
		return t.lanes.err
	}
	if finite(t.frozen[frozenData]) && finite(t.frozen[frozenEntropy]) {
		if fault := t.prior.badWeight(); fault != nil { // the standardisation
			return t.finish(fault, 1)
		}
		return nil
	}
	return t.finish(t.first.locate(), 1)
}

// checkLoss checks the prior's losses before the prior learns from them.
func (t *staged) checkLoss(s *Stats) error {
	if t.lanes.err != nil || finite(s.PriorLoss) {
		return t.lanes.err
	}
	r := t.minibatch()
	fault := t.lanes.firstOf(
		t.prior.badWeight,
		func() *Fault { return r.latents(t.now.z, t.setup.Options.Latent) },
		func() *Fault {
			d := t.setup.Options.Latent
			return r.prior(t.tape, t.tile, func(lo, hi int) {
				t.tape.Evaluate(diffusion.Rows{
					Lo: lo, Hi: hi, Z: t.now.z[lo*d : hi*d], IDs: t.now.ids[lo:hi],
					Loss: t.nll[lo:hi], Condition: t.conditions.x,
					Particles: t.setup.Options.Particles,
				})
			})
		},
		func() *Fault { return r.losses("prior", t.nll) },
	)
	return t.finish(somewhere(fault), 1)
}

// checkUpdate checks the prior's gradient and its new weights.
func (t *staged) checkUpdate(s *Stats) error {
	if t.lanes.err != nil || t.prior.settle(s) {
		return t.lanes.err
	}
	r := t.minibatch()
	return t.finish(somewhere(t.lanes.firstOf(
		func() *Fault { return r.priorGradients(t.tape, t.now.waves) },
		t.prior.badGradient,
		t.prior.newWeight,
	)), 0)
}

// minibatch returns the rows of the current step.
func (t *staged) minibatch() rows { return rows{t.now.index, t.setup.Options.Particles, 1} }

// finish sets the step of a fault, the given number after the last one counted, and the remedy.
func (t *staged) finish(fault *Fault, after int) error {
	fault.Step = int(t.counts[countSecondSteps]) + after
	if fault.Kind != InData {
		fault.Try = tryPriorOnly
	}
	return t.lanes.fault(fault)
}
