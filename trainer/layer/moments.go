package layer

import (
	"fmt"
	"math"
)

// Moments makes the parameters of q(z|x) = N(mean, diag exp(logvar)) of an encoder's output of 2 C
// channels: a vector, first the means, which are the first C channels of all pixels, then the
// log-variances, which are the others, y, bounded smoothly as
//
//	logvar = y / sqrt(1 + (y/20)^2),
//
// so that standard deviations stay in (exp(-10), exp(10)) and nothing overflows. For y in [-6, 6]
// it differs from y by less than a twentieth of y.
type Moments struct{}

// logvarBound is the largest absolute value of a log-variance.
const logvarBound = 20

// Out implements Layer.
func (Moments) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if in[0].C%2 != 0 {
		return Shape{}, fmt.Errorf("got %v, needs an even number of channels", in[0])
	}
	return Vector(in[0].Len()), nil
}

// Params implements Layer.
func (Moments) Params(...Shape) []Param { return nil }

// Memory implements Layer. It keeps the derivatives of the log-variances.
func (Moments) Memory(in ...Shape) Memory { return Memory{Keep: in[0].Len() / 2} }

// Bind implements Layer.
func (Moments) Bind(_ Values, in ...Shape) Pair { return moments{in[0]} }

type moments struct{ in Shape }

// pixels calls f for each pixel of each row: where its 2 C channels begin in the input, where its C
// means and log-variances begin in the output, and where its slopes begin in what is kept.
func (m moments) pixels(rows int, f func(in, mean, logvar, slope int)) {
	c, half := m.in.C/2, m.in.Len()/2
	for i := range rows {
		for p := range m.in.Pixels() {
			f(2*(i*half+p*c), 2*i*half+p*c, (2*i+1)*half+p*c, i*half+p*c)
		}
	}
}

func (m moments) Forward(t *Tile) {
	c := m.in.C / 2
	m.pixels(t.N, func(in, mean, logvar, slope int) {
		x := t.X[0][in : in+2*c]
		copy(t.Y[mean:], x[:c])
		for j, y := range x[c:] {
			root := math.Sqrt(1 + float64(y)*float64(y)/(logvarBound*logvarBound))
			t.Y[logvar+j] = float32(float64(y) / root)
			t.Keep[slope+j] = float32(1 / (root * root * root))
		}
	})
}

func (m moments) Backward(t *Tile) {
	c, dx := m.in.C/2, t.DX[0]
	if dx == nil {
		return
	}
	if !t.Add[0] {
		clear(dx)
	}
	m.pixels(t.N, func(in, mean, logvar, slope int) {
		for j := range c {
			dx[in+j] += t.DY[mean+j]
			dx[in+c+j] += float32(t.DY[logvar+j] * t.Keep[slope+j]) // rounded on all processors
		}
	})
}
