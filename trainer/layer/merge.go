package layer

import "fmt"

// Merge halves height and width and makes channels of blocks of 2 x 2 pixels: channel
// (2 i + j) C + c of pixel (h, w) is channel c of pixel (2 h + i, 2 w + j).
type Merge struct{}

// Out implements Layer.
func (Merge) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if in[0].H%2 != 0 || in[0].W%2 != 0 {
		return Shape{}, fmt.Errorf("got %d x %d pixels, needs an even height and width",
			in[0].H, in[0].W)
	}
	return Shape{in[0].H / 2, in[0].W / 2, 4 * in[0].C}, nil
}

// Params implements Layer.
func (Merge) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (Merge) Memory(...Shape) Memory { return Memory{} }

// Bind implements Layer.
func (Merge) Bind(_ Values, in ...Shape) Pair {
	return merge{blocks{in[0].H, in[0].W, in[0].C}}
}

type merge struct{ blocks }

func (m merge) Forward(t *Tile) { m.gather(t.Y, t.X[0], t.N, false) }

func (m merge) Backward(t *Tile) {
	if t.DX[0] != nil {
		m.spread(t.DX[0], t.DY, t.N, t.Add[0])
	}
}

// Split doubles height and width: the inverse of Merge.
type Split struct{}

// Out implements Layer.
func (Split) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if in[0].C%4 != 0 {
		return Shape{}, fmt.Errorf("got %d channels, needs a multiple of 4", in[0].C)
	}
	return Shape{2 * in[0].H, 2 * in[0].W, in[0].C / 4}, nil
}

// Params implements Layer.
func (Split) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (Split) Memory(...Shape) Memory { return Memory{} }

// Bind implements Layer.
func (Split) Bind(_ Values, in ...Shape) Pair {
	return split{blocks{2 * in[0].H, 2 * in[0].W, in[0].C / 4}}
}

type split struct{ blocks }

func (s split) Forward(t *Tile) { s.spread(t.Y, t.X[0], t.N, false) }

func (s split) Backward(t *Tile) {
	if t.DX[0] != nil {
		s.gather(t.DX[0], t.DY, t.N, t.Add[0])
	}
}

// blocks is the shape of the larger picture. A row of 2 x 2 blocks is two rows of its pixels, of
// which each holds runs of two pixels; these lie in the smaller picture four pixels apart.
type blocks Shape

// gather sets n small pictures to large ones, or adds those.
func (b blocks) gather(small, large []float32, n int, add bool) {
	b.eachLine(n, func(atLarge, atSmall int) {
		copyRuns(b.small(small[atSmall:]), b.large(large[atLarge:]), 2*b.C, b.W/2, add)
	})
}

// spread is the inverse of gather.
func (b blocks) spread(large, small []float32, n int, add bool) {
	b.eachLine(n, func(atLarge, atSmall int) {
		copyRuns(b.large(large[atLarge:]), b.small(small[atSmall:]), 2*b.C, b.W/2, add)
	})
}

func (b blocks) large(x []float32) runs { return runs{x, 2 * b.C} }
func (b blocks) small(x []float32) runs { return runs{x, 4 * b.C} }

// eachLine calls f for each row of pixels of n large pictures, with where its numbers begin in the
// large pictures and in the small ones.
func (b blocks) eachLine(n int, f func(large, small int)) {
	width := b.W * b.C
	for line := range n * b.H {
		f(line*width, line/2*2*width+line%2*2*b.C)
	}
}
