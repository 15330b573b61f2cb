package layer

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/memory"
)

// Scales is y = [x | s]: a vector, followed by N parameters that are the same for all rows and
// start at zero. A likelihood reads them as the scales of its noise.
type Scales struct{ N int }

// Out implements Layer.
func (l Scales) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if in[0].Pixels() != 1 || l.N < 1 {
		return Shape{}, fmt.Errorf("got %v and %d scales, needs a vector and one or more",
			in[0], l.N)
	}
	return Vector(in[0].C + l.N), nil
}

// Params implements Layer.
func (l Scales) Params(...Shape) []Param { return []Param{{Name: "bias", Shape: []int{l.N}}} }

// Memory implements Layer.
func (Scales) Memory(...Shape) Memory { return Memory{KeepsDY: true} }

// Bind implements Layer.
func (l Scales) Bind(v Values, in ...Shape) Pair {
	return &scales{values: v, dim: in[0].C, n: l.N, at: v.Param(0)}
}

type scales struct {
	values Values
	dim, n int
	at     Range
}

// PackTasks implements Weighted.
func (*scales) PackTasks() []Task { return nil }

func (s *scales) Forward(t *Tile) {
	width := s.dim + s.n
	copyRuns(runs{t.Y, width}, runs{t.X[0], s.dim}, s.dim, t.N, false)
	for i := range t.N {
		copy(t.Y[i*width+s.dim:(i+1)*width], s.at.Of(s.values.P))
	}
}

func (s *scales) Backward(t *Tile) {
	if t.DX[0] != nil {
		copyRuns(runs{t.DX[0], s.dim}, runs{t.DY, s.dim + s.n}, s.dim, t.N, t.Add[0])
	}
}

// GradTasks implements Weighted. The gradient is the sum over the rows of the part of dy behind x.
func (s *scales) GradTasks(w *Wave) []GradTask {
	return []GradTask{{
		Task: Task{float64(s.values.Rows * s.n), func() {
			w.columns(s.at.Of(w.Grad), s.values.DY[s.dim:], s.dim+s.n, 1)
		}},
		Writes: []memory.Block{s.at.Block()},
	}}
}
