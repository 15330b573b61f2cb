package optim

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// UseMomentum replaces the optimiser's own momentum by that of MPGD (Lim, Kuntz, Power and
// Johansen 2024), which loses the share drag, in (0, 1), in every step. It follows the flow
//
//	d theta = m dt,   d m = -gamma m dt - G(theta) dt,
//
// and one step solves this over a time tau exactly for a gradient held at g (the exponential
// integrator). The gradient is taken at the look-ahead point p = theta + b m, where theta would
// arrive without it (Nesterov 1983). With s = exp(-gamma tau) and b = (1-s)/gamma,
//
//	m'     = s m - b g
//	theta' = theta + b m - c g,   c = (tau - b)/gamma.
//
// The buffer holds p, the point of the gradient. As theta' = p - c g, the step from one look-ahead
// point to the next is
//
//	m' = s m - b g,   p' = p - c g + b m'.
//
// gamma and tau follow from the drag f and the learning rate: s = 1 - f, and b^2 = lr, so that a
// gradient changes the displacement b m per step by lr g. Hence b = sqrt(lr) and
// c = lr (L - f)/f^2 with L = -ln(1-f): about lr/2 for small f. Under a constant gradient g the
// parameters end up moving by lr L/f^2 g per step, about lr/f g. m is a speed: a change of the
// learning rate leaves it as it is.
//
// SGD is the published flow. Adam and RMSprop keep only the division by the root of the running
// mean square; Adam's has its bias correction.
//
// UseMomentum takes the momentum of n parameters from the arena.
func (o *Optimizer) UseMomentum(a *memory.Arena, drag float64, n int) {
	o.Drag = drag
	if o.M == nil { // Adam has a first moment
		o.M = a.Floats(memory.Moments, n)
	}
}

// accelerate makes one step with momentum on parts of the buffer, the momentum, the mean square and
// the gradient.
func (o *Optimizer) accelerate(p, m, v, g []float32) {
	b := math.Sqrt(o.lr)
	c := o.lr * (-math.Log1p(-o.Drag) - o.Drag) / (o.Drag * o.Drag)
	kernel.Scale(m, float32(1-o.Drag))
	switch o.Kind {
	case SGD:
		kernel.SGDStep(m, g, b)
		kernel.SGDStep(p, g, c)
	case RMSprop:
		kernel.RMSpropStep(m, v, g, b, rho, epsilon)
		kernel.RMSpropStep(p, v, g, c, keep, epsilon)
	case Adam: // g/(sqrt(c2 v) + epsilon), by the same kernel
		root := math.Sqrt(o.c2)
		kernel.RMSpropStep(m, v, g, b/root, beta2, epsilon/root)
		kernel.RMSpropStep(p, v, g, c/root, keep, epsilon/root)
	}
	kernel.Axpy(p, float32(b), m)
}

// keep is the decay that leaves a mean square unchanged.
const keep = 1
