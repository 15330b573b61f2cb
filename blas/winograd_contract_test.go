package blas

import (
	"fmt"
	"testing"
)

// TestWinogradGuarded: convolutions in squares touch nothing before or after their operands.
func TestWinogradGuarded(t *testing.T) {
	use(t, "native")
	f := newFence(t)
	eachSquares(t, func(t *testing.T, c *squaresCase) {
		for ends := range 8 {
			f.Clear()
			x, dy := f.Put(c.x, ends&1 == 0), f.Put(c.dy, ends&2 == 0)
			y := Dense(f.Put(make([]float32, len(c.dy)), ends&4 == 0), c.pixels(), c.channels)
			dx := Dense(make([]float32, len(c.x)), c.pixels(), c.C)
			sums := f.Put(make([]float32, WinogradSums(c.Window, 8, c.channels)), ends&4 != 0)
			if err := f.Try(func() {
				left := Patches(x, c.pictures, c.Window)
				c.forward.Mul(left, c.bias, y)
				c.forward.MulAdd(left, y, true)
				c.turned.Mul(Patches(dy, c.pictures, c.output().Window), nil, dx)
				Default().WinogradGrad(left, c.C-8, 8, Dense(dy, c.pixels(), c.channels), 0, sums)
			}); err != nil {
				t.Fatalf("operands laid %03b: %v", ends, err)
			}
		}
	})
}

// TestWinogradAllocatesNothing after the first convolution of a size.
func TestWinogradAllocatesNothing(t *testing.T) {
	use(t, "native")
	noIdle()
	eachSquares(t, func(t *testing.T, c *squaresCase) {
		x, y := Patches(c.x, c.pictures, c.Window), empty(c.pixels(), c.channels)
		var f, turned Factor
		floats := func(n int) []float32 { return make([]float32, n) }
		f.ReserveConv(c.Window, c.channels, floats)
		turned.ReserveTurned(c.C, c.output().Window, floats)
		sums, dw := blanks(WinogradSums(c.Window, c.C, c.channels)), empty(9*c.C, c.channels)
		if n := testing.AllocsPerRun(10, func() {
			f.SetConv(c.weights(), c.Window)
			turned.SetTurned(c.weights(), c.output().Window)
			f.Mul(x, c.bias, y)
			Default().WinogradGrad(x, 0, c.C, y, 0, sums)
			Default().WinogradTaps(sums, c.C, c.C, 1, dw)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// TestWinogradStrips: the number of strips depends on the height of the pictures alone.
func TestWinogradStrips(t *testing.T) {
	for h, want := range map[int]int{2: 1, 8: 1, 14: 1, 16: 2, 28: 3, 32: 4, 64: 8, 256: 8} {
		w := Window{h, 4, 16, 3, 3}
		if n := WinogradStrips(w); n != want || WinogradSums(w, 2, 3) != want*16*2*3 {
			t.Errorf("%d lines: %d strips, %d sums", h, n, WinogradSums(w, 2, 3))
		}
	}
}

// TestWinogradParts: weights that are laid out in parts lie as those laid out at once.
func TestWinogradParts(t *testing.T) {
	use(t, "native")
	s := newSource(8)
	w := Window{4, 4, 80, 3, 3}
	const channels = 70
	weights := func() Matrix { return Dense(s.fill(9*w.C*channels), 9*w.C, channels) }
	old, b := weights(), weights()
	output := w
	output.C = channels
	var forward, turned, byParts, turnedByParts Factor
	forward.SetConv(b, w)
	turned.SetTurned(b, output)
	byParts.SetConv(old, w)
	turnedByParts.SetTurned(old, output)
	for _, rows := range [][2]int{{32, 80}, {0, 32}} {
		for _, cols := range [][2]int{{0, 32}, {64, 70}, {32, 64}} {
			byParts.SetConvPart(b, rows[0], rows[1], cols[0], cols[1])
			turnedByParts.SetTurnedPart(b, rows[0], rows[1], cols[0], cols[1])
		}
	}
	sameBits(t, "panels", byParts.panels, forward.panels)
	sameBits(t, "turned panels", turnedByParts.panels, turned.panels)
	for _, part := range [][4]int{
		{16, 80, 0, 32}, {0, 48, 0, 32}, {0, 80, 64, 71}, {0, 96, 0, 32},
	} {
		panics(t, fmt.Sprint(part), errShape, func() {
			byParts.SetConvPart(b, part[0], part[1], part[2], part[3])
		})
	}
	panics(t, "turned", errShape, func() { byParts.SetTurnedPart(b, 0, 80, 0, 32) })
	byParts.Set(N, b)
	panics(t, "no squares", errShape, func() { byParts.SetConvPart(b, 0, 80, 0, 32) })
}

// TestWinogradPanics: shapes that do not fit are programming errors.
func TestWinogradPanics(t *testing.T) {
	use(t, "native")
	eachSquares(t, func(t *testing.T, c *squaresCase) {
		other := c.Window
		other.W += 2
		n := 2 * c.H * other.W
		wrong := Patches(make([]float32, n*c.C), 2, other)
		panics(t, "other pictures", errShape, func() {
			c.forward.Mul(wrong, c.bias, empty(n, c.channels))
		})
		x, dy := Patches(c.x, c.pictures, c.Window), Dense(c.dy, c.pixels(), c.channels)
		grad := func(first, n, numbers int, beta float32) func() {
			return func() { Default().WinogradGrad(x, first, n, dy, beta, blanks(numbers)) }
		}
		all := WinogradSums(c.Window, c.C, c.channels)
		panics(t, "no channels", errShape, grad(0, 0, 0, 0))
		panics(t, "channels beyond the last", errShape, grad(1, c.C, all, 0))
		panics(t, "other sums", errShape, grad(0, c.C, all-1, 0))
		panics(t, "a scale", errShape, grad(0, c.C, all, 0.5))
		part := func(strip, lo, hi int) func() {
			sums := blanks(WinogradSums(c.Window, c.C, c.channels))
			return func() { Default().WinogradGradPart(x, 0, c.C, dy, 0, sums, strip, lo, hi) }
		}
		panics(t, "no such strip", errShape, part(WinogradStrips(c.Window), 0, 4))
		panics(t, "no rows of places", errShape, part(0, 2, 2))
		panics(t, "rows beyond the last", errShape, part(0, 3, 5))
		panics(t, "few rows", errShape, func() {
			Default().WinogradTaps(blanks(all), c.C, c.C, 1, empty(9*c.C-1, c.channels))
		})
	})
	for _, of := range []seen{
		{Window{3, 4, 16, 3, 3}, 1}, {Window{4, 3, 16, 3, 3}, 1}, {Window{4, 4, 15, 3, 3}, 1},
		{Window{4, 4, 16, 5, 5}, 1}, {Window{1, 4, 16, 1, 3}, 1},
		{Window{2, 2*blockK + 2, 16, 3, 3}, 1},
	} {
		if Default().Winograds(of.Window, 16) {
			t.Errorf("%v is computed in squares", of)
		}
	}
	w := Window{4, 4, 16, 3, 3}
	if natives[BF16].Winograds(w, 16) || gonumBackend.Winograds(w, 16) {
		t.Error("other products than those in float32 are computed in squares")
	}
}
