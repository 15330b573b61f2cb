package optim

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
)

// start is New with the average started at p.
func start(kind Kind, p []float32, emaDecay float64) (*Optimizer, error) {
	o, err := New(nil, kind, len(p), emaDecay)
	if err == nil {
		o.StartAverage(p)
	}
	return o, err
}

// An optimiser takes all of its arrays except the count of steps from the arena, each under its
// purpose, and a counting arena counts the same bytes.
func TestArena(t *testing.T) {
	const n, steps = 1003, 4
	build := func(a *memory.Arena, kind Kind, decay, drag float64) *Optimizer {
		o, err := New(a, kind, n, decay)
		if err != nil {
			t.Fatal(err)
		}
		if drag > 0 {
			o.UseMomentum(a, drag, n)
		}
		return o
	}
	for _, kind := range []Kind{SGD, RMSprop, Adam} {
		for _, decay := range []float64{0, 0.99} {
			for _, drag := range []float64{0, 0.1} {
				made, counted := &memory.Arena{}, memory.Counting()
				o := build(made, kind, decay, drag)
				build(counted, kind, decay, drag)
				moments := reference.ArrayBytes([][]float32{o.M, o.V})
				average := reference.ArrayBytes(o.EMA)
				if got := reference.ArrayBytes(o); got != moments+average+steps {
					t.Errorf("%s: %d bytes, of them moments %d, average %d", kind, got,
						moments, average)
				}
				for _, a := range []*memory.Arena{made, counted} {
					parts := a.Parts()
					if parts[memory.Moments].Bytes != moments ||
						parts[memory.Average].Bytes != average ||
						a.Total() != moments+average {
						t.Errorf("%s: moments of %d, an average of %d bytes, counted %v",
							kind, moments, average, parts)
					}
				}
			}
		}
	}
}
