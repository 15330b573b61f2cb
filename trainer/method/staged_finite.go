package method

// checkFrozen looks at what the second stage begins with.
func (t *Staged) checkFrozen() error {
	if finite(t.frozen[frozenData]) && finite(t.frozen[frozenEntropy]) {
		if fault := t.prior.badWeight(); fault != nil { // the standardisation
			return t.finish(fault, 1)
		}
		return nil
	}
	return t.finish(t.first.locate(), 1)
}

// checkLoss looks at the prior's losses of the rows before it learns from them.
func (t *Staged) checkLoss() error {
	if finite(sum(t.nll[:len(t.now.ids)])) {
		return nil
	}
	r := t.minibatch()
	n := r.len()
	fault := firstOf(
		t.prior.badWeight,
		func() *Fault { return r.latents(t.now.z, t.setup.Options.Latent) },
		func() *Fault {
			t.tape.Rows(0, n, t.now.z, t.now.ids, nil, t.nll[:n], false)
			return r.priorLayers(InActivation, t.tape)
		},
		func() *Fault { return r.losses("prior", t.nll) },
	)
	return t.finish(somewhere(fault), 1)
}

// checkUpdate looks at what the prior's optimiser saw and made.
func (t *Staged) checkUpdate(s *Stats) error {
	if t.prior.settle(s) {
		return nil
	}
	r := t.minibatch()
	return t.finish(somewhere(firstOf(
		func() *Fault { return r.priorLayers(InGradient, t.tape) },
		t.prior.badGradient,
		t.prior.newWeight,
	)), 0)
}

// minibatch is the rows of the step under way.
func (t *Staged) minibatch() rows { return rows{t.now.index, t.setup.Options.Particles, 1} }

// finish adds to a fault the step, so many after those counted, and what to try.
func (t *Staged) finish(fault *Fault, after int) error {
	fault.Step = int(t.counts[countSecondSteps]) + after
	if fault.Kind != InData {
		fault.Try = tryPriorOnly
	}
	return fault
}
