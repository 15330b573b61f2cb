package blas

import (
	"fmt"
	"testing"
)

// convolution is one of 3 x 3 pixels, on pictures of size x size pixels.
type convolution struct{ pictures, size, in, out int }

var convolutions = []convolution{
	{128, 32, 3, 32}, {128, 32, 32, 32}, {128, 32, 64, 64}, {128, 16, 64, 64}, {128, 8, 128, 128},
	{128, 32, 32, 3}, {128, 16, 64, 12}, {128, 8, 4, 64},
}

// taps are the pixels of a window.
const taps = 9

func (c convolution) String() string {
	return fmt.Sprintf("%dx%dx%dx%d-%d", c.pictures, c.size, c.size, c.in, c.out)
}

// left is the patches of pictures of so many channels, or a matrix of their shape.
func (c convolution) left(s *source, channels int, plain bool) Left {
	pixels := c.pictures * c.size * c.size
	if plain {
		return Dense(s.fill(pixels*taps*channels), pixels, taps*channels).Left()
	}
	return Patches(s.fill(pixels*channels), c.pictures, c.window(channels))
}

// window is what pixels see of pictures of so many channels.
func (c convolution) window(channels int) Window { return Window{c.size, c.size, channels, 3, 3} }

// part is rows of the left factor, of whole pictures.
func (l Left) part(pictures, lo, hi int) Left {
	per := l.m.Rows / pictures
	if l.gathered() {
		w := l.window
		return Patches(l.m.Data[lo*per*w.C:], hi-lo, w)
	}
	return l.m.rows(lo*per, hi*per).Left()
}

// tilePictures is how many pictures a product takes at a time.
const tilePictures = 8

// tiles is the product by a factor, tile by tile.
func (c convolution) tiles(f *Factor, left Left, y Matrix) func() {
	per := c.size * c.size
	return func() {
		for lo := 0; lo < c.pictures; lo += tilePictures {
			hi := lo + tilePictures
			f.Mul(left.part(c.pictures, lo, hi), nil, y.rows(lo*per, hi*per))
		}
	}
}

// pass is one of the three products of a convolution: of patches or, for comparison, of a plain
// matrix of the same shape.
func (c convolution) pass(name string, plain bool) func() {
	s := newSource(1)
	pixels := c.pictures * c.size * c.size
	w := Dense(s.fill(taps*c.in*c.out), taps*c.in, c.out)
	f := Default().Factor()
	switch name {
	case "forward":
		if f.SetConv(w, c.window(c.in)); plain {
			f.Set(N, w)
		}
		return c.tiles(&f, c.left(s, c.in, plain), empty(pixels, c.out))
	case "input":
		if f.SetTurned(w, c.window(c.out)); plain {
			f.Set(N, Dense(w.Data, taps*c.out, c.in))
		}
		return c.tiles(&f, c.left(s, c.out, plain), empty(pixels, c.in))
	}
	left, dy := c.left(s, c.in, plain), Dense(s.fill(pixels*c.out), pixels, c.out)
	return func() { Default().ConvGrad(1, left, dy, 0, w) }
}

// BenchmarkConv is the products of convolutions beside plain ones of the same shape, on one core.
func BenchmarkConv(b *testing.B) {
	for _, c := range convolutions {
		for _, pass := range []string{"forward", "input", "weights"} {
			for _, left := range []string{"plain", "patches"} {
				b.Run(fmt.Sprintf("%v/%s/%s", c, pass, left), func(b *testing.B) {
					run := c.pass(pass, left == "plain")
					run()
					for b.Loop() {
						run()
					}
					operations := 2 * float64(c.pictures*c.size*c.size*taps*c.in*c.out)
					rate := operations * float64(b.N) / float64(b.Elapsed().Nanoseconds())
					b.ReportMetric(rate, "GFLOP/s")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}
