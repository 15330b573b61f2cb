package method

import (
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/model"
)

// checkLosses sums the losses just evaluated, and checks that they are finite before the networks
// learn from them.
func (v *variational) checkLosses(s *Stats) error {
	v.collect(s)
	if v.lanes.err != nil || finite(s.DataLoss+s.PriorLoss-s.Entropy) {
		return v.lanes.err
	}
	return v.finish(v.locateLoss(), 1)
}

// locateLoss finds where a loss stopped being finite.
func (v *variational) locateLoss() *Fault {
	r := rows{v.now.index, v.setup.Options.Particles, 1}
	points := rows{v.now.index, 1, 1}
	prior := r // the rows of the prior's loss
	if v.now.closed {
		prior = points
	}
	return somewhere(v.lanes.firstOf(
		v.encoder.badWeight,
		v.decoder.badWeight,
		v.prior.badWeight,
		func() *Fault { return r.images(v.x, v.likelihood.Dim()) },
		func() *Fault {
			dim := v.likelihood.Dim()
			return points.activations("encoder", v.encoderTape, v.setup.size(v.tile, 1).Tile,
				func(p *model.Pass, lo, hi int) {
					copy(p.In(0), v.x[lo*dim:hi*dim])
					p.SetCondition(v.conditions.x, lo, 1)
				})
		},
		func() *Fault { return points.losses("encoder", v.entropy) },
		func() *Fault { return r.latents(v.z, v.setup.Options.Latent) },
		func() *Fault {
			return r.activations("decoder", v.decoderTape, v.tile,
				func(p *model.Pass, lo, hi int) {
					copy(p.In(0), v.rows(v.z, lo, hi))
					p.SetCondition(v.conditions.x, lo, r.particles)
				})
		},
		func() *Fault { return r.losses("decoder", v.square) },
		func() *Fault { return r.dataLosses(v.loss) },
		func() *Fault { return v.locatePrior(r) },
		func() *Fault { return prior.losses("prior", v.nll) },
	))
}

// locatePrior runs the prior forward again, with the noise of the step, and searches its layers.
func (v *variational) locatePrior(r rows) *Fault {
	if v.now.closed {
		return nil
	}
	return r.prior(v.priorTape, v.tile, func(lo, hi int) {
		v.priorTape.Evaluate(diffusion.Rows{
			Lo: lo, Hi: hi, Z: v.rows(v.z, lo, hi), IDs: v.ids[lo:hi], Loss: v.nll[lo:hi],
			Condition: v.conditions.x, Particles: r.particles,
		})
	})
}

// checkUpdate checks the gradients and the new weights of the step.
func (v *variational) checkUpdate(s *Stats) error {
	if err := v.lanes.err; err != nil {
		return err
	}
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
		func() *Fault { return r.gradients("decoder", v.decoderTape.Gradients(), v.now.waves) },
	}
	if !v.now.closed {
		searches = append(searches,
			func() *Fault { return r.priorGradients(v.priorTape, v.now.waves) })
	}
	searches = append(searches,
		func() *Fault {
			points := rows{v.now.index, 1, 1}
			return points.gradients("encoder", v.encoderTape.Gradients(), v.now.waves)
		},
		v.encoder.badGradient, v.decoder.badGradient)
	if !v.now.held {
		searches = append(searches, v.prior.badGradient)
	}
	searches = append(searches, v.encoder.newWeight, v.decoder.newWeight, v.prior.newWeight)
	return v.finish(somewhere(v.lanes.firstOf(searches...)), 0)
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
	return v.lanes.fault(fault)
}
