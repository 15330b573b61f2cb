package layer

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
)

// Concat joins the channels of inputs of the same height and width: y = [x0 | x1 | ...].
type Concat struct{}

// Out implements Layer.
func (Concat) Out(in ...Shape) (Shape, error) {
	if len(in) < 2 || len(in) > MaxInputs {
		return Shape{}, fmt.Errorf("got %d inputs, needs 2 to %d", len(in), MaxInputs)
	}
	if err := inputs(in, len(in)); err != nil {
		return Shape{}, err
	}
	out := Shape{H: in[0].H, W: in[0].W}
	for _, s := range in {
		if s.H != out.H || s.W != out.W {
			return Shape{}, fmt.Errorf("got %v and %v, needs the same height and width", in[0], s)
		}
		out.C += s.C
	}
	return out, nil
}

// Params implements Layer.
func (Concat) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (Concat) Memory(...Shape) Memory { return Memory{} }

// Bind implements Layer.
func (l Concat) Bind(_ Values, in ...Shape) Pair {
	b := &concat{pixels: in[0].Pixels()}
	for _, s := range in {
		b.channels = append(b.channels, s.C)
		b.out += s.C
	}
	return b
}

type concat struct {
	pixels, out int
	channels    []int // of the inputs
}

func (l *concat) Forward(t *Tile) {
	first := 0
	for k, c := range l.channels {
		copyRuns(runs{t.Y[first:], l.out}, runs{t.X[k], c}, c, t.N*l.pixels, false)
		first += c
	}
}

func (l *concat) Backward(t *Tile) {
	first := 0
	for k, c := range l.channels {
		if t.DX[k] != nil {
			copyRuns(runs{t.DX[k], c}, runs{t.DY[first:], l.out}, c, t.N*l.pixels, t.Add[k])
		}
		first += c
	}
}

// runs are runs of numbers that start stride apart.
type runs struct {
	x      []float32
	stride int
}

// copyRuns sets n runs of the given length to others, or adds those.
func copyRuns(dst, src runs, length, n int, add bool) {
	if !add {
		kernel.CopyRows(dst.x, dst.stride, src.x, src.stride, length, n)
		return
	}
	for i := range n {
		kernel.Add(dst.x[i*dst.stride:][:length], src.x[i*src.stride:][:length])
	}
}
