package diffusion

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
)

// Weight names the weight of the noise levels in theta's loss. The particles always follow ELBO.
type Weight string

// The weights; the zero Weight is ELBO.
const (
	ELBO   Weight = "elbo"   // 1 in lambda: theta and the particles descend the same free energy
	Simple Weight = "simple" // proportional to sech(lambda/2), with mean 1 over the range
)

// Weights lists all weights.
var Weights = []Weight{ELBO, Simple}

// Drift names the drift of the particles: see Bound.ScoreDrift.
type Drift string

// The drifts.
const (
	BoundDrift Drift = "bound" // the gradient of the bound
	ScoreDrift Drift = "score" // minus the learned score at lambda_max
)

// Drifts lists all drifts.
var Drifts = []Drift{BoundDrift, ScoreDrift}

// at is the weight of level lambda.
func (w Weight) at(lambda float64, p Process) float64 {
	if w != Simple {
		return 1
	}
	gd := func(x float64) float64 { return 2 * math.Atan(math.Tanh(x/2)) } // integral of sech
	return p.Span() / (2 * (gd(p.Max/2) - gd(p.Min/2))) / math.Cosh(lambda/2)
}

// Bound is l_theta(z) >= -log p_theta(z), estimated with Draws pairs (lambda, eps) per row:
//
//	l = 1/2 INT E|e|^2 dlambda + alpha_min^2/2 |z|^2 + constant,  e = sigma z_lambda + r - eps.
type Bound struct {
	Process
	Weight  Weight
	Density Density
	Draws   int
	// ControlVariate replaces the drift's span*alpha*sigma*e + alpha_min^2 z by
	// span*alpha*sigma*r + alpha_max^2 z, which has the same mean and no noise where r = 0.
	ControlVariate bool
	// ScoreDrift makes -s_theta(z, lambda_max) = z + r/sigma_max the particles' drift, instead of
	// the gradient of the bound. It has no noise and is exact when the score is, but it is not the
	// gradient of l.
	ScoreDrift bool
	// SteadyLoss subtracts from the loss the noise that it has where r = 0 (see steady). The drift
	// does not change.
	SteadyLoss bool
}

// BoundTape evaluates a Bound on the rows of a batch.
type BoundTape struct {
	Bound
	score *model.Tape // of r_theta
	level int         // number of its input lambda
	d     int

	key          kernel.Key
	perm         []int
	u            [1]float32 // the uniform of the stratified levels
	lambda       []float32
	alpha, sigma []float32
	shares       []float64 // Density.cumulative
	weight       []float32 // of each draw, which keeps means whatever the density of the levels
	toZ          []float32 // alpha/w, from theta's loss's gradient by z_lambda to the bound's by z
	direct       []float32 // weight*span*alpha*sigma, the factor of e (or r) in the drift
	toR          []float32 // weight*span*w, from e to the gradient of theta's loss by r
	eps, e, dz   []float32
	sq           []float32 // |e|^2
	norm         []float32 // |z|^2 of each row
	ids          []uint64
	z, g         []float32 // rows repeated Draws times, and their drift; unused for one draw

	// Visit, unless nil, sees the output of each layer of the score network (model.Pass.Visit).
	Visit func(model.Values)
}

// NewTape binds the bound to a tape of the score network r_theta(z, lambda), of rows*Draws rows,
// and takes memory from the arena for as many.
func (b Bound) NewTape(a *memory.Arena, score *model.Tape, rows int) *BoundTape {
	d := score.Net().In()
	row := func() []float32 { return a.Floats(memory.Activations, rows, b.Draws) }
	mat := func() []float32 { return a.Floats(memory.Activations, rows, b.Draws, d) }
	t := &BoundTape{
		Bound: b, score: score, level: score.Net().Input(model.Lambda), d: d,
		perm:   a.Ints(memory.Activations, rows, b.Draws),
		lambda: row(), alpha: row(), sigma: row(), toZ: row(), direct: row(), toR: row(), sq: row(),
		weight: row(), shares: b.Density.cumulative(b.Process),
		norm: a.Floats(memory.Activations, rows),
		eps:  mat(), e: mat(), dz: mat(), ids: a.Uint64s(memory.Activations, rows, b.Draws),
	}
	if b.Draws > 1 {
		t.z, t.g = mat(), mat()
	}
	return t
}

// Begin draws the levels of a batch of rows, stratified over all draws of all rows of a lane:
// lambda_i = min + span (pi(i) + U)/n, with the permutation from group 2^33 k and the one uniform
// from group 2^33 k + 2^32 of the lambda stream, for lane k; with another density than Uniform, the
// level below which the share (pi(i) + U)/n of all levels are. noise is the key of the eps. Without
// lanes there is one, number 0, with all rows.
func (t *BoundTape) Begin(rows int, lambda, noise kernel.Key, lanes ...Lane) {
	phase.Noise.Enter()
	n := rows * t.Draws
	t.key = noise
	if len(lanes) == 0 {
		t.levels(0, n, lambda, 0)
		return
	}
	lo := 0
	for _, l := range lanes {
		hi := l.Last * n / max(1, lanes[len(lanes)-1].Last)
		t.levels(lo, hi, lambda, uint64(l.Number)<<33)
		lo = hi
	}
}

// Lane is consecutive rows of a batch with noise levels of their own (package comm): those up to
// Last, which may be counted in any unit. The last lane ends with the batch.
type Lane struct{ Number, Last int }

// levels draws the levels of rows lo to hi, a lane, with the words from the given group on.
func (t *BoundTape) levels(lo, hi int, lambda kernel.Key, group uint64) {
	n, perm := hi-lo, t.perm[lo:hi]
	kernel.Uniform(t.u[:], lambda, group+1<<32)
	kernel.PermAt(perm, lambda, group)
	for k, p := range perm {
		i := lo + k
		l, weight := t.draw(float64(p)+float64(t.u[0]), float64(n))
		a, s, w := Alpha(l), Sigma(l), t.Weight.at(l, t.Process)
		t.lambda[i], t.alpha[i], t.sigma[i] = float32(l), float32(a), float32(s)
		t.toZ[i], t.weight[i] = float32(a/w), float32(weight)
		t.direct[i] = float32(weight * t.Span() * a * s)
		t.toR[i] = float32(weight * t.Span() * w)
	}
}

// Rows are rows Lo to Hi of a batch, and what is wanted of them.
type Rows struct {
	Lo, Hi int
	Z      []float32 // Hi-Lo x d
	IDs    []uint64  // addresses in the noise stream
	// Condition is what datapoints are to be like, rows as wide as the score network's input
	// [model.Condition]: row i of the batch belongs to datapoint i/Particles. nil: no conditions.
	Condition []float32
	Particles int // unused without conditions

	Clock *phase.Clock // counts the time by phase; nil: it is not counted

	Loss  []float32 // set to l_theta(z) >= -log p(z), nats
	G     []float32 // set to the gradient of that by z, Hi-Lo x d; nil: not wanted
	Train bool      // the gradient by theta is wanted
}

// Evaluate evaluates rows of the batch: drift and bound. With Train it leaves the score network
// ready for the gradient of theta's loss: the sum over rows and draws, to be scaled by
// 1/(rows*Draws).
//
// With ScoreDrift the bound is evaluated only if Train is set; otherwise Loss is not written. If G
// is nil and Train is not set, only the bound is evaluated, whatever the drift.
func (t *BoundTape) Evaluate(r Rows) {
	lossOnly := r.G == nil && !r.Train
	if t.ScoreDrift && !lossOnly {
		t.scoreDrift(r)
		if !r.Train {
			return
		}
	}
	now := r.Clock.Enter(phase.Noise)
	lo2, hi2 := r.Lo*t.Draws, r.Hi*t.Draws
	zr, idr, gr := t.repeat(lo2, hi2, r.Z, r.IDs, r.G)
	eps, e, dz := t.eps[lo2*t.d:hi2*t.d], t.e[lo2*t.d:hi2*t.d], t.dz[lo2*t.d:hi2*t.d]
	sq, alpha, sigma := t.sq[lo2:hi2], t.alpha[lo2:hi2], t.sigma[lo2:hi2]
	score := t.score.Take(lo2, hi2)
	defer score.Release()
	zl, out := score.In(0), score.Out()
	kernel.NoiseRows(zl, eps, zr, alpha, sigma, idr, t.d, t.key)
	copy(score.In(t.level), t.lambda[lo2:hi2])
	score.SetCondition(r.Condition, lo2, t.Draws*r.Particles)
	now = now.Enter(phase.ScoreForward)
	score.Visit = t.Visit
	score.Forward()
	now = now.Enter(phase.ScoreBackward)
	defer now.End()
	kernel.ScoreResidual(e, sq, zl, out, eps, sigma, t.d)
	if t.SteadyLoss {
		t.steady(sq, zr, eps, lo2)
	}
	t.losses(r, sq)
	if lossOnly {
		return
	}

	residual, own := e, math.Pow(Alpha(t.Min), 2) // own is the factor of z
	if t.ControlVariate {
		residual, own = eps, math.Pow(Alpha(t.Max), 2) // eps is no longer needed: r replaces it
		copy(residual, out)
	}
	copy(score.DOut(), e)
	kernel.ScaleRows(score.DOut(), t.toR[lo2:hi2], t.d)
	if t.ScoreDrift {
		score.Backward(nil)
		return
	}
	score.Backward(dz)
	kernel.CombineRows(gr, dz, t.toZ[lo2:hi2], residual, t.direct[lo2:hi2], zr, float32(own), t.d)
	if t.Draws > 1 {
		kernel.MeanRows(r.G, gr, t.Draws, t.d)
	}
}

// repeat gives each row its Draws copies, each with its own address in the noise stream.
func (t *BoundTape) repeat(
	lo2, hi2 int, z []float32, ids []uint64, g []float32,
) (zr []float32, idr []uint64, gr []float32) {
	if t.Draws == 1 {
		return z, ids, g
	}
	zr, idr, gr = t.z[lo2*t.d:hi2*t.d], t.ids[lo2:hi2], t.g[lo2*t.d:hi2*t.d]
	for i := range idr {
		k := i / t.Draws
		idr[i] = ids[k]*uint64(t.Draws) + uint64(i%t.Draws)
		copy(zr[i*t.d:(i+1)*t.d], z[k*t.d:(k+1)*t.d])
	}
	return zr, idr, gr
}

// losses writes the bound of each row: the mean over its draws of weight*span/2 |e|^2, and the
// rest.
func (t *BoundTape) losses(r Rows, sq []float32) {
	half, constant := t.Span()/2, t.Constant(t.d)
	a2 := math.Pow(Alpha(t.Min), 2) / 2
	norm, weight := t.norm[r.Lo:r.Hi], t.weight[r.Lo*t.Draws:r.Hi*t.Draws]
	kernel.SquareNorms(norm, r.Z, t.d)
	for i, square := range norm {
		var sum float64
		for k := i * t.Draws; k < (i+1)*t.Draws; k++ {
			sum += float64(float64(weight[k]) * float64(sq[k]))
		}
		r.Loss[i] = float32(half*sum/float64(t.Draws) + a2*float64(square) + constant)
	}
}

// scoreDrift writes z + r(z, lambda_max)/sigma_max into g.
func (t *BoundTape) scoreDrift(r Rows) {
	defer r.Clock.Enter(phase.ScoreForward).End()
	lo2 := r.Lo * t.Draws
	score := t.score.Take(lo2, lo2+r.Hi-r.Lo)
	defer score.Release()
	copy(score.In(0), r.Z)
	score.SetCondition(r.Condition, r.Lo, r.Particles)
	score.ForwardAt(float32(t.Max))
	copy(r.G, r.Z)
	kernel.Combine(r.G, 1, score.Out(), float32(1/Sigma(t.Max)), nil, 0)
}

// NegLogNormal writes -log N(z; 0, I) of each row of d numbers, in nats.
func NegLogNormal(loss, z []float32, d int) {
	kernel.SquareNorms(loss, z, d)
	c := float64(d) / 2 * math.Log(2*math.Pi)
	for i, s := range loss {
		loss[i] = float32(float64(s)/2 + c)
	}
}
