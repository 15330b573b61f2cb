package layer

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// Sinusoids is y = (sin(x f_k), cos(x f_k)) of one number x, with Features/2 frequencies f_k,
// radians per unit of x, in a geometric sequence from Slowest to Fastest. It has no gradient.
type Sinusoids struct {
	Features         int // even
	Slowest, Fastest float64
}

// Out implements Layer.
func (s Sinusoids) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if in[0].Len() != 1 {
		return Shape{}, fmt.Errorf("got %v, needs one number", in[0])
	}
	if s.Features < 2 || s.Features%2 != 0 {
		return Shape{}, fmt.Errorf("%d features: needs an even number, 2 or more", s.Features)
	}
	return Vector(s.Features), nil
}

// Params implements Layer.
func (Sinusoids) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (Sinusoids) Memory(...Shape) Memory { return Memory{} }

// Bind implements Layer.
func (s Sinusoids) Bind(v Values, _ ...Shape) Pair {
	f := v.Arena.Floats(memory.Activations, s.Features/2)
	v.Arena.Fill(func() { copy(f, s.Frequencies()) })
	return sinusoids{f}
}

// Frequencies lists f_k.
func (s Sinusoids) Frequencies() []float32 {
	f := make([]float32, s.Features/2)
	for k := range f {
		u := float64(k) / float64(max(1, len(f)-1))
		f[k] = float32(s.Slowest * math.Pow(s.Fastest/s.Slowest, u))
	}
	return f
}

type sinusoids struct{ frequencies []float32 }

func (s sinusoids) Forward(t *Tile) { kernel.Sinusoids(t.Y, t.X[0], s.frequencies) }

func (s sinusoids) Backward(*Tile) {}
