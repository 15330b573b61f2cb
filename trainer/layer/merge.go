package layer

import "fmt"

// Merge halves height and width and makes channels of blocks of 2 x 2 pixels: channel
// (2 i + j) C + c of pixel (h, w) is channel c of pixel (2 h + i, 2 w + j). A signal (H = 1) has
// its width alone halved, and twice the channels: channel j C + c of w is channel c of 2 w + j.
type Merge struct{}

// Out implements Layer.
func (Merge) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if in[0].H == 1 {
		if in[0].W%2 != 0 {
			return Shape{}, fmt.Errorf("got %d samples, needs an even number", in[0].W)
		}
		return Shape{1, in[0].W / 2, 2 * in[0].C}, nil
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
func (Merge) Memory(in ...Shape) Memory {
	signal := in[0].H == 1
	return Memory{InPlace: signal, InPlaceBack: signal}
}

// Bind implements Layer.
func (Merge) Bind(_ Values, in ...Shape) Pair {
	if in[0].H == 1 {
		return relabel{}
	}
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
type Split struct {
	Signal bool // H = 1 stays, and 2 channels become one; pictures may have a row of pixels, too
}

// Parts is the number of pixels that Split makes of one.
func (l Split) Parts() int {
	if l.Signal {
		return 2
	}
	return 4
}

// Out implements Layer.
func (l Split) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	if l.Signal {
		if in[0].H != 1 || in[0].C%2 != 0 {
			return Shape{}, fmt.Errorf("got %d x %d pixels of %d channels, needs a signal "+
				"(1 x T) of an even number of channels", in[0].H, in[0].W, in[0].C)
		}
		return Shape{1, 2 * in[0].W, in[0].C / 2}, nil
	}
	if in[0].C%4 != 0 {
		return Shape{}, fmt.Errorf("got %d channels, needs a multiple of 4", in[0].C)
	}
	return Shape{2 * in[0].H, 2 * in[0].W, in[0].C / 4}, nil
}

// Params implements Layer.
func (Split) Params(...Shape) []Param { return nil }

// Memory implements Layer.
func (l Split) Memory(...Shape) Memory {
	return Memory{InPlace: l.Signal, InPlaceBack: l.Signal}
}

// Bind implements Layer.
func (l Split) Bind(_ Values, in ...Shape) Pair {
	if l.Signal {
		return relabel{}
	}
	return split{blocks{2 * in[0].H, 2 * in[0].W, in[0].C / 4}}
}

type split struct{ blocks }

func (s split) Forward(t *Tile) { s.spread(t.Y, t.X[0], t.N, false) }

func (s split) Backward(t *Tile) {
	if t.DX[0] != nil {
		s.gather(t.DX[0], t.DY, t.N, t.Add[0])
	}
}

// relabel merges or splits a signal: with channels last, no number changes its place.
type relabel struct{}

func (relabel) Forward(t *Tile) { move(t.Y, t.X[0], false) }

func (relabel) Backward(t *Tile) { move(t.DX[0], t.DY, t.Add[0]) }

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
