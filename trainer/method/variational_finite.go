package method

import "github.com/plume-ml/plume/trainer/model"

// checkLosses sums the losses just evaluated, and checks that they are finite before the networks
// learn from them.
func (v *variational) checkLosses(s *Stats) error {
	v.collect(s)
	if finite(s.DataLoss + s.PriorLoss - s.Entropy) {
		return nil
	}
	return v.finish(v.locateLoss(), 1)
}

// locateLoss finds where a loss stopped being finite.
func (v *variational) locateLoss() *Fault {
	r := rows{v.now.index, v.setup.Options.Particles, 1}
	points := rows{v.now.index, 1, 1}
	n := r.len()
	prior := r // the rows of the prior's loss
	if v.now.closed {
		prior = points
	}
	return somewhere(firstOf(
		v.encoder.badWeight,
		v.decoder.badWeight,
		v.prior.badWeight,
		func() *Fault { return r.images(v.x, v.likelihood.Dim) },
		func() *Fault {
			copy(v.encoderTape.In(0, len(v.now.index)), v.x)
			v.encoderTape.Forward(0, len(v.now.index))
			return points.layers(InActivation, "encoder", model.Activations(v.encoderTape))
		},
		func() *Fault { return points.losses("encoder", v.entropy) },
		func() *Fault { return r.latents(v.z, v.setup.Options.Latent) },
		func() *Fault {
			copy(v.decoderTape.In(0, n), v.rows(v.z, 0, n))
			v.decoderTape.Forward(0, n)
			return r.layers(InActivation, "decoder", model.Activations(v.decoderTape))
		},
		func() *Fault { return r.losses("decoder", v.square) },
		func() *Fault { return v.locatePrior(r) },
		func() *Fault { return prior.losses("prior", v.nll) },
	))
}

// locatePrior runs the prior forward again, with the noise of the step, and searches its layers.
func (v *variational) locatePrior(r rows) *Fault {
	if v.now.closed {
		return nil
	}
	n := r.len()
	v.priorTape.Rows(0, n, v.rows(v.z, 0, n), v.ids, nil, v.nll[:n], false)
	return r.priorLayers(InActivation, v.priorTape)
}

// checkUpdate checks the gradients and the new weights of the step.
func (v *variational) checkUpdate(s *Stats) error {
	fine := v.encoder.settle(s)
	fine = v.decoder.settle(s) && fine
	if !v.now.held {
		fine = v.prior.settle(s) && fine
	}
	if fine {
		return nil
	}
	r := rows{v.now.index, v.setup.Options.Particles, 1}
	searches := []func() *Fault{
		func() *Fault { return r.layers(InGradient, "decoder", model.Gradients(v.decoderTape)) },
	}
	if !v.now.closed {
		searches = append(searches,
			func() *Fault { return r.priorLayers(InGradient, v.priorTape) })
	}
	searches = append(searches,
		func() *Fault {
			points := rows{v.now.index, 1, 1}
			return points.layers(InGradient, "encoder", model.Gradients(v.encoderTape))
		},
		v.encoder.badGradient, v.decoder.badGradient)
	if !v.now.held {
		searches = append(searches, v.prior.badGradient)
	}
	searches = append(searches, v.encoder.newWeight, v.decoder.newWeight, v.prior.newWeight)
	return v.finish(somewhere(firstOf(searches...)), 0)
}

// finish sets the step of a fault, the given number after the last one counted, and the remedy.
func (v *variational) finish(fault *Fault, after int) error {
	fault.Step = int(v.counts[countEncoderSteps]) + after
	switch {
	case fault.Kind == InData:
	case fault.Network == "prior":
		fault.Try = tryPriorOnly
	default:
		fault.Try = tryDecoder
	}
	return fault
}
