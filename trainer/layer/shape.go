package layer

import "fmt"

// Shape is that of one row of an array: H x W pixels of C channels. A vector is 1 x 1 x C, a signal
// of T samples 1 x T x C.
type Shape struct{ H, W, C int }

// Vector is the shape of n numbers.
func Vector(n int) Shape { return Shape{1, 1, n} }

// Pixels is the number of pixels.
func (s Shape) Pixels() int { return s.H * s.W }

// Len is the number of numbers.
func (s Shape) Len() int { return s.H * s.W * s.C }

func (s Shape) String() string {
	if s.Pixels() == 1 {
		return fmt.Sprint(s.C)
	}
	return fmt.Sprintf("%d x %d x %d", s.H, s.W, s.C)
}

// one returns an error unless there is one input, of at least one number.
func one(in []Shape) error { return inputs(in, 1) }

// inputs returns an error unless there are n inputs, of at least one number each.
func inputs(in []Shape, n int) error {
	if len(in) != n {
		return fmt.Errorf("got %d inputs, needs %d", len(in), n)
	}
	for _, s := range in {
		if s.H < 1 || s.W < 1 || s.C < 1 {
			return fmt.Errorf("got %d x %d x %d, needs a pixel and a channel or more",
				s.H, s.W, s.C)
		}
	}
	return nil
}
