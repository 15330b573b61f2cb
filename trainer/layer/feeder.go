package layer

import "github.com/plume-ml/plume/blas"

// Feeder is a Pair that can compute what the next one's products read, if a SiLU is between them.
type Feeder interface {
	Pair
	// ForwardSiLU is Forward, the SiLU and rounding at once. Y becomes the SiLU's slope, if that is
	// wanted.
	ForwardSiLU(t *Tile, slope bool, to blas.Rounded)
	// Fed is where the first input of n rows is kept, rounded, the first of them number first of
	// the wave; it is not, if ok is false.
	Fed(first, n int) (to blas.Rounded, ok bool)
}

// ForwardSiLU implements Feeder.
func (c *conv) ForwardSiLU(t *Tile, slope bool, to blas.Rounded) {
	var d blas.Matrix
	if slope {
		d = blas.Dense(t.Y, t.N*c.pixels, c.out)
	}
	c.forward.MulSiLU(c.seen(t), c.bias.Of(c.values.P), d, to)
}

// Fed implements Feeder.
func (c *conv) Fed(first, n int) (to blas.Rounded, ok bool) {
	if !c.keepsX {
		return to, false
	}
	return c.keptX.Rows(first*c.pixels, (first+n)*c.pixels), true
}
