// Package optim is the optimisers over flat parameter buffers, with the moving average of the
// parameters that sampling uses. New makes an Optimizer; each step calls Begin once and then Apply
// for each block of the buffer.
package optim

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// Kind names an optimiser.
type Kind string

// The optimisers.
const (
	SGD     Kind = "sgd"     // plain gradient descent: the flow itself, for the solvable models
	RMSprop Kind = "rmsprop" // Tieleman and Hinton 2012; decay 0.99, epsilon 1e-8
	Adam    Kind = "adam"    // Kingma and Ba 2015; betas 0.9 and 0.999, epsilon 1e-8
)

// Kinds lists all optimisers.
var Kinds = []Kind{Adam, RMSprop, SGD}

const (
	beta1   = 0.9
	beta2   = 0.999
	rho     = 0.99
	epsilon = 1e-8
)

// Optimizer updates one flat buffer of parameters.
type Optimizer struct {
	Kind  Kind
	Decay float64 // of the average
	Drag  float64 // share of the momentum lost per step; 0: the kind's own momentum (UseMomentum)
	Noise Noise
	// WeightDecay times the learning rate is the share of every parameter that a step first takes
	// away, whatever the kind and outside its moments (decoupled weight decay, Loshchilov and
	// Hutter 2019); 0: none.
	WeightDecay float64
	Spared      Spared // from decay

	// The state, which checkpoints hold. Arrays have the buffer's length, or are nil where the kind
	// does not need them.
	M     []float32 // first moments, or the momentum where Drag > 0
	V     []float32 // second moments
	EMA   []float32 // the average; nil where Decay is 0
	Steps []uint32  // one number: the steps begun

	lr, c1, c2, rate float64 // of the step begun last

	spare chan []float32 // scratch for noise
}

// Spared are the parameters Lo to Hi-1. The zero value is none.
type Spared struct{ Lo, Hi int }

// New makes an optimiser for a buffer of n parameters; emaDecay is the decay of the average, 0 for
// none. StartAverage must be called with the first parameters. An unknown kind is an error.
func New(a *memory.Arena, kind Kind, n int, emaDecay float64) (*Optimizer, error) {
	o := &Optimizer{
		Kind: kind, Decay: emaDecay, Steps: make([]uint32, 1),
		spare: make(chan []float32, spares),
	}
	switch kind {
	case SGD:
	case RMSprop:
		o.V = a.Floats(memory.Moments, n)
	case Adam:
		o.M, o.V = a.Floats(memory.Moments, n), a.Floats(memory.Moments, n)
	default:
		return nil, fmt.Errorf("optimizer %q: expected %q, %q or %q", kind, Adam, RMSprop, SGD)
	}
	if emaDecay > 0 {
		o.EMA = a.Floats(memory.Average, n)
	}
	return o, nil
}

// StartAverage makes p the average, if there is one.
func (o *Optimizer) StartAverage(p []float32) { copy(o.EMA, p) }

// Begin starts a step at learning rate lr; Apply follows for each block of the buffer. The
// average warms up: after t steps its decay is at most (1+t)/(10+t).
func (o *Optimizer) Begin(lr float64) {
	o.Steps[0]++
	t := float64(o.Steps[0])
	o.lr = lr
	o.c1 = 1 / -math.Expm1(t*math.Log(beta1))
	o.c2 = 1 / -math.Expm1(t*math.Log(beta2))
	o.rate = 1 - min(o.Decay, (1+t)/(10+t))
}

// Apply updates a block of the parameters p with the gradient g, and their average. Calls for
// disjoint blocks may run at once.
func (o *Optimizer) Apply(p, g []float32, b memory.Block) {
	keep := 1 - o.lr*o.WeightDecay
	if b.At < o.Spared.Hi && b.End() > o.Spared.Lo {
		for lo, hi := range b.Runs() {
			from, to := min(max(lo, o.Spared.Lo), hi), max(min(hi, o.Spared.Hi), lo)
			o.apply(p[lo:from], g[lo:from], lo, keep)
			o.apply(p[from:to], g[from:to], from, 1)
			o.apply(p[to:hi], g[to:hi], to, keep)
		}
		return
	}
	if o.Kind == Adam && o.Drag == 0 && o.Noise.Scale == 0 && o.EMA != nil {
		b = b.Joined()
		kernel.AdamAverageStep(p[b.At:], o.M[b.At:], o.V[b.At:], o.EMA[b.At:], g[b.At:],
			b.Stride, b.Cols, b.Rows, o.adam(), keep, o.rate)
		return
	}
	for lo, hi := range b.Runs() {
		o.apply(p[lo:hi], g[lo:hi], lo, keep)
	}
}

// apply updates the elements p of the parameters, from number lo on.
func (o *Optimizer) apply(p, g []float32, lo int, keep float64) {
	hi := lo + len(p)
	m, v := part(o.M, lo, hi), part(o.V, lo, hi)
	if keep < 1 {
		kernel.Scale(p, float32(keep))
	}
	if o.Drag > 0 {
		o.accelerate(p, m, v, g)
	} else {
		o.descend(p, m, v, g)
	}
	if o.Noise.Scale > 0 {
		o.perturb(p, lo)
	}
	if o.EMA != nil {
		kernel.EMAStep(o.EMA[lo:hi], p, o.rate)
	}
}

// part is elements lo to hi of x, or nil if x is nil.
func part(x []float32, lo, hi int) []float32 {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}

// descend makes one step of the kind on parts of the buffer, its moments and the gradient.
func (o *Optimizer) descend(p, m, v, g []float32) {
	switch o.Kind {
	case SGD:
		kernel.SGDStep(p, g, o.lr)
	case RMSprop:
		kernel.RMSpropStep(p, v, g, o.lr, rho, epsilon)
	case Adam:
		kernel.AdamStep(p, m, v, g, o.adam())
	}
}

func (o *Optimizer) adam() kernel.AdamRates {
	return kernel.AdamRates{
		LR: o.lr, Beta1: beta1, Beta2: beta2, Epsilon: epsilon, C1: o.c1, C2: o.c2,
	}
}

// Averaged is the average of p, or p itself where there is none.
func (o *Optimizer) Averaged(p []float32) []float32 {
	if o.EMA == nil {
		return p
	}
	return o.EMA
}
