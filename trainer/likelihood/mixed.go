package likelihood

import (
	"math"

	"github.com/plume-ml/plume/trainer/model"
)

// Mixed is p(x|z) by columns: given z, the columns are independent. Of a row the decoder gives D
// numbers, then one for the scale of each normal column, which a network learns as parameters
// (layer.Scales). Let y be the output for a column, and s that for its scale:
//
//	normal       N(x; y, sigma^2) with sigma^2 = floor^2 + (exp(4 s)/10)^2
//	Bernoulli    x = 1 with probability 1/(1 + exp(-y))
//	categorical  x_k = 1 with probability exp(y_k) / sum_j exp(y_j)
//
// Numbers are meant to be standardised: scales start at s = 0, a tenth of a standard deviation.
// From half of it they soon reach the whole, which explains every column without its latent, and
// leave that slowly, if at all. The factor 4 lets them follow in hundreds of steps of an optimiser
// whose steps are as large for every parameter. Without the floor the scale of a column that a
// latent explains would go to zero, and the moves of particles with it.
type Mixed struct {
	columns      Columns
	places       []place
	floor        float64
	dim, normals int
}

const scaleRate, scaleStart = 4, 0.1

// NewMixed returns the likelihood of rows of the given columns, the scales of which are above
// floor.
func NewMixed(columns Columns, floor float64) *Mixed {
	return &Mixed{columns, columns.places(), floor, columns.Dim(), columns.Normals()}
}

// Columns returns the columns.
func (l *Mixed) Columns() Columns { return l.columns }

// Dim implements Likelihood.
func (l *Mixed) Dim() int { return l.dim }

// Outputs implements Likelihood.
func (l *Mixed) Outputs() int { return l.dim + l.normals }

// Noisy implements Likelihood.
func (l *Mixed) Noisy() bool { return true }

// Gradient implements Likelihood.
func (l *Mixed) Gradient(t *model.Tape, r Rows) {
	pass, now := r.forward(t)
	defer now.End()
	defer pass.Release()
	width := l.Outputs()
	for i := r.Lo; i < r.Hi; i++ {
		at := (i - r.Lo) * width
		x, missing := r.image(i, l.dim)
		loss, square := l.row(pass.Out()[at:at+width], pass.DOut()[at:at+width], x, missing)
		r.Loss[i], r.Square[i] = loss, float32(square)
	}
	pass.Backward(r.G)
}

// NegLog implements Likelihood.
func (l *Mixed) NegLog(out, x []float32, missing []bool) float64 {
	loss, _ := l.row(out, nil, x, missing)
	return loss
}

// row returns -log p(x|z) of a row given the decoder's output y, and |E[x|z] - x|^2. It sets dy to
// the gradient by y, unless it is nil.
func (l *Mixed) row(y, dy, x []float32, missing []bool) (loss, square float64) {
	clear(dy)
	for _, at := range l.places {
		if missing != nil && missing[at.lo] {
			continue
		}
		var part, error float64
		switch at.kind {
		case Normal:
			part, error = l.normal(y, dy, x[at.lo], at)
		case Bernoulli:
			part, error = bernoulli(y, dy, x[at.lo], at.lo)
		default:
			part, error = categorical(y[at.lo:at.hi], within(dy, at), x[at.lo:at.hi])
		}
		loss += part
		square += error
	}
	return loss, square
}

// place is where a column lies: its numbers in a row, and of a normal one the output for its scale.
type place struct {
	kind          Kind
	lo, hi, scale int
}

// places lists the columns one by one.
func (c Columns) places() (all []place) {
	lo, scale := 0, c.Dim()
	for _, col := range c {
		if col.Kind == Categorical {
			all = append(all, place{col.Kind, lo, lo + col.N, 0})
			lo += col.N
			continue
		}
		for range col.N {
			all = append(all, place{col.Kind, lo, lo + 1, scale})
			lo++
			if col.Kind == Normal {
				scale++
			}
		}
	}
	return all
}

// within is a column's part of a gradient; nil without one.
func within(dy []float32, at place) []float32 {
	if dy == nil {
		return nil
	}
	return dy[at.lo:at.hi]
}

// variance is that of a normal column, and the part of it that is above the floor.
func (l *Mixed) variance(s float32) (variance, free float64) {
	free = scaleStart * scaleStart * exp(2*scaleRate*float64(s))
	return float64(l.floor*l.floor) + free, free
}

func (l *Mixed) normal(y, dy []float32, x float32, at place) (loss, square float64) {
	e := float64(y[at.lo]) - float64(x)
	square = float64(e * e)
	variance, free := l.variance(y[at.scale])
	if dy != nil {
		dy[at.lo] = float32(e / variance)
		dy[at.scale] = float32(scaleRate * (1 - square/variance) * free / variance)
	}
	return square/(2*variance) + math.Log(2*math.Pi*variance)/2, square
}

func bernoulli(y, dy []float32, x float32, at int) (loss, square float64) {
	p := sigmoid(float64(y[at]))
	e := p - float64(x)
	if dy != nil {
		dy[at] = float32(e)
	}
	// log(1 + exp(y)) - x y, without overflow.
	v := float64(y[at])
	return max(v, 0) + math.Log1p(exp(-math.Abs(v))) - float64(float64(x)*v), float64(e * e)
}

func categorical(y, dy, x []float32) (loss, square float64) {
	top, sum := largest(y), 0.0
	for _, v := range y {
		sum += exp(float64(v) - top)
	}
	for k, v := range y {
		e := exp(float64(v)-top)/sum - float64(x[k])
		if dy != nil {
			dy[k] = float32(e)
		}
		square += float64(e * e)
		loss -= float64(float64(x[k]) * (float64(v) - top))
	}
	return loss + math.Log(sum), square
}

func largest(y []float32) float64 {
	top := y[0]
	for _, v := range y[1:] {
		top = max(top, v)
	}
	return float64(top)
}

func sigmoid(v float64) float64 {
	e := exp(-math.Abs(v))
	if v < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}
