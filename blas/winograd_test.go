package blas

import (
	"fmt"
	"math"
	"testing"
)

// The matrices of F(2, 3) in Lavin and Gray (2016), equation 9, with the signs of the last row of
// the input's and of the last column of the output's turned.
var (
	winogradB = [][]float64{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, -1, 0, 1}}
	winogradG = [][]float64{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}
	winogradA = [][]float64{{1, 1, 1, 0}, {0, 1, -1, 1}}
)

// both is m x m^T in squares: x has a number for each column of m in both directions.
func both(m [][]float64, x []float64) (y []float64) {
	n := len(m[0])
	for _, down := range m {
		for _, across := range m {
			sum := 0.0
			for i, a := range down {
				for j, b := range across {
					sum += a * b * x[i*n+j]
				}
			}
			y = append(y, sum)
		}
	}
	return y
}

// turnedAround is m^T.
func turnedAround(m [][]float64) [][]float64 {
	out := make([][]float64, len(m[0]))
	for i := range out {
		for _, row := range m {
			out[i] = append(out[i], row[i])
		}
	}
	return out
}

func sizes(m [][]float64) [][]float64 {
	out := make([][]float64, len(m))
	for i, row := range m {
		for _, v := range row {
			out[i] = append(out[i], math.Abs(v))
		}
	}
	return out
}

// squareOf is the 4 x 4 pixels that a square sees of a channel, or their sizes.
func (of seen) squareOf(x []float32, square, c int, size bool) (d []float64) {
	wide, high := of.W/2, of.H/2
	picture, h, w := square/(wide*high), square/wide%high*2, square%wide*2
	for i := range 4 {
		for j := range 4 {
			y, x0 := h+i-1, w+j-1
			v := 0.0
			if y >= 0 && y < of.H && x0 >= 0 && x0 < of.W {
				v = float64(x[((picture*of.H+y)*of.W+x0)*of.C+c])
			}
			if size {
				v = math.Abs(v)
			}
			d = append(d, v)
		}
	}
	return d
}

// pixelOf is where pixel k of the 2 x 2 of a square lies among all.
func (of seen) pixelOf(square, k int) int {
	wide, high := of.W/2, of.H/2
	picture, h, w := square/(wide*high), square/wide%high*2, square%wide*2
	return (picture*of.H+h+k/2)*of.W + w + k%2
}

// inSquares is a convolution and its gradient by the weights by the matrices above, in float64. Of
// the sizes of everything, it is what the errors of rounding are relative to.
func (of seen) inSquares(x, w, bias, dy []float32, size bool) (y, dw []float64) {
	b, g, a := winogradB, winogradG, winogradA
	number := func(v float32) float64 { return float64(v) }
	if size {
		b, g, a = sizes(b), sizes(g), sizes(a)
		number = func(v float32) float64 { return math.Abs(float64(v)) }
	}
	channels := len(bias)
	y, dw = make([]float64, len(dy)), make([]float64, len(w))
	at, gt := turnedAround(a), turnedAround(g)
	for c := range of.C {
		for j := range channels {
			taps, du := make([]float64, 9), make([]float64, places)
			for t := range taps {
				taps[t] = number(w[(t*of.C+c)*channels+j])
			}
			u := both(g, taps)
			for s := range of.pictures * of.H * of.W / 4 {
				v := both(b, of.squareOf(x, s, c, size))
				products, e := make([]float64, places), make([]float64, 4)
				for k := range e {
					e[k] = number(dy[of.pixelOf(s, k)*channels+j])
				}
				for k, by := range both(at, e) {
					products[k] = u[k] * v[k]
					du[k] += by * v[k]
				}
				for k, sum := range both(a, products) {
					y[of.pixelOf(s, k)*channels+j] += sum
				}
			}
			for t, sum := range both(gt, du) {
				dw[(t*of.C+c)*channels+j] = sum
			}
		}
	}
	for i := range y {
		y[i] += number(bias[i%channels])
	}
	return y, dw
}

// squared are windows that are computed in squares.
var squared = []seen{
	{Window{4, 6, 16, 3, 3}, 3}, {Window{2, 2, 33, 3, 3}, 1}, {Window{6, 2, 17, 3, 3}, 5},
	{Window{2, 30, 20, 3, 3}, 2}, {Window{18, 4, 16, 3, 3}, 3}, {Window{26, 2, 16, 3, 3}, 1},
}

// squaresCase is one of them with numbers.
type squaresCase struct {
	seen
	channels        int
	x, w, bias, dy  []float32
	forward, turned Factor
}

func eachSquares(t *testing.T, f func(t *testing.T, c *squaresCase)) {
	s := newSource(7)
	for _, of := range squared {
		for _, channels := range []int{16, 35} {
			c := &squaresCase{seen: of, channels: channels, bias: s.fill(channels)}
			pixels := of.pictures * of.H * of.W
			c.x, c.dy, c.w = s.fill(pixels*of.C), s.fill(pixels*channels), s.fill(9*of.C*channels)
			c.forward.SetConv(c.weights(), of.Window)
			c.turned.SetTurned(c.weights(), c.output().Window)
			t.Run(fmt.Sprint(of, channels), func(t *testing.T) { f(t, c) })
		}
	}
}

func (c *squaresCase) weights() Matrix { return Dense(c.w, 9*c.C, c.channels) }

func (c *squaresCase) pixels() int { return c.pictures * c.H * c.W }

// output is the window of the output's gradient.
func (c *squaresCase) output() seen {
	of := c.seen
	of.C = c.channels
	return of
}

// grad is the gradient by the weights: from some channels and to some at a time, in so many waves.
func (c *squaresCase) grad(cuts, waves int, scale float32) Matrix {
	dw := empty(9*c.C, c.channels)
	per := c.pictures / waves * c.H * c.W
	for i := range cuts {
		first, n := i*c.C/cuts, (i+1)*c.C/cuts-i*c.C/cuts
		for j := range cuts {
			lo, hi := j*c.channels/cuts, (j+1)*c.channels/cuts
			sums := blanks(WinogradSums(c.Window, n, hi-lo))
			for wave := range waves {
				end := (wave + 1) * per
				if wave == waves-1 {
					end = c.pixels()
				}
				x := Patches(c.x[wave*per*c.C:end*c.C], (end-wave*per)/(c.H*c.W), c.Window)
				dy := Dense(c.dy[wave*per*c.channels:], end-wave*per, c.channels)
				beta := float32(min(wave, 1))
				if cuts == 1 {
					Default().WinogradGrad(x, first, n, dy, beta, sums)
					continue
				}
				for part := range 4 * WinogradStrips(c.Window) {
					dy, strip, row := dy.Slice(lo, hi), part/4, part%4
					Default().WinogradGradPart(x, first, n, dy, beta, sums, strip, row, row+1)
				}
			}
			to := Dense(dw.Data[first*c.channels:], 8*c.C+n, c.channels).Slice(lo, hi)
			Default().WinogradTaps(sums, n, c.C, scale, to)
		}
	}
	return dw
}

// TestWinogradError: convolutions in squares are those of the published matrices, to within the
// rounding of their sums: each term of an output passes the roundings of its transforms (2 of the
// input, 4 of the weights, 4 of the output), of its product and of a chain over the channels, and
// one of a gradient those of a chain over the squares.
func TestWinogradError(t *testing.T) {
	use(t, "native")
	eachSquares(t, func(t *testing.T, c *squaresCase) {
		y := empty(c.pixels(), c.channels)
		c.forward.Mul(Patches(c.x, c.pictures, c.Window), c.bias, y)
		want, dw := c.inSquares(c.x, c.w, c.bias, c.dy, false)
		scale, dwScale := c.inSquares(c.x, c.w, c.bias, c.dy, true)
		within(t, "y", y.Data, want, scale, c.C+12)
		within(t, "dw", c.grad(1, 1, 1).Data, dw, dwScale, c.pixels()/4+12)

		// The gradient by the input is a convolution by the turned weights.
		w := make([]float32, len(c.w))
		for i := range w {
			tap, from, to := i/(c.channels*c.C), i/c.C%c.channels, i%c.C
			w[i] = c.w[((8-tap)*c.C+to)*c.channels+from]
		}
		dx, none := empty(c.pixels(), c.C), make([]float32, c.C)
		c.turned.Mul(Patches(c.dy, c.pictures, c.output().Window), nil, dx)
		want, _ = c.output().inSquares(c.dy, w, none, c.x, false)
		scale, _ = c.output().inSquares(c.dy, w, none, c.x, true)
		within(t, "dx", dx.Data, want, scale, c.channels+12)
	})
}

// within fails if a number is further from what it should be than so many roundings of a scale.
func within(t *testing.T, what string, got []float32, want, scale []float64, roundings int) {
	t.Helper()
	for i, v := range got {
		if e := math.Abs(float64(v) - want[i]); !(e <= float64(roundings)*0x1p-24*scale[i]) {
			t.Fatalf("%s: number %d is %v, want %v, scale %v", what, i, v, want[i], scale[i])
		}
	}
}

// The transforms of four numbers or three, as they are documented, down and then across.
func downAcross(x []float32, n int, f func(x []float32) []float32) (y []float32) {
	var down [][]float32
	for j := range n {
		var column []float32
		for i := range n {
			column = append(column, x[i*n+j])
		}
		down = append(down, f(column))
	}
	for i := range down[0] {
		var line []float32
		for j := range n {
			line = append(line, down[j][i])
		}
		y = append(y, f(line)...)
	}
	return y
}

func squareInput(d []float32) []float32 {
	return []float32{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]}
}

func squareOutput(p []float32) []float32 {
	return []float32{p[0] + p[1] + p[2], p[1] - p[2] + p[3]}
}

func squareGrad(e []float32) []float32 { return []float32{e[0], e[0] + e[1], e[0] - e[1], e[1]} }

// squareTaps halves what is added, which is exact: float32(...) keeps it from being contracted.
func squareTaps(g []float32) []float32 {
	ends, middle := float32((g[0]+g[2])/2), float32(g[1]/2)
	return []float32{g[0], ends + middle, ends - middle, g[2]}
}

func squareSums(u []float32) []float32 {
	half := float32((u[1] + u[2]) / 2)
	return []float32{u[0] + half, float32((u[1] - u[2]) / 2), half + u[3]}
}

// byPlaces is so many matrices for each place of a square.
func byPlaces(rows, cols int) []Matrix {
	m := make([]Matrix, places)
	for k := range m {
		m[k] = empty(rows, cols)
	}
	return m
}

// put sets element (i, j) of the matrix of each place.
func put(m []Matrix, i, j int, x []float32) {
	for k, v := range x {
		row(m[k], i)[j] = v
	}
}

// got is element (i, j) of the matrix of each place.
func got(m []Matrix, i, j int) (x []float32) {
	for k := range m {
		x = append(x, row(m[k], i)[j])
	}
	return x
}

// defined is the convolution and its gradient by the weights from the documented transforms, with
// products by Gemm.
func (c *squaresCase) defined() (y, dw Matrix) {
	squares := c.pixels() / 4
	in, by := byPlaces(squares, c.C), byPlaces(squares, c.channels)
	out := byPlaces(squares, c.channels)
	u, du := byPlaces(c.C, c.channels), byPlaces(c.C, c.channels)
	for s := range squares {
		for j := range c.C {
			var d []float32
			for _, v := range c.squareOf(c.x, s, j, false) {
				d = append(d, float32(v))
			}
			put(in, s, j, downAcross(d, 4, squareInput))
		}
		for j := range c.channels {
			var e []float32
			for k := range 4 {
				e = append(e, c.dy[c.pixelOf(s, k)*c.channels+j])
			}
			put(by, s, j, downAcross(e, 2, squareGrad))
		}
		copy(row(out[centre], s), c.bias)
	}
	y, dw = empty(c.pixels(), c.channels), empty(9*c.C, c.channels)
	for i := range c.C * c.channels {
		var taps []float32
		for t := range 9 {
			taps = append(taps, c.w[t*c.C*c.channels+i])
		}
		put(u, i/c.channels, i%c.channels, downAcross(taps, 3, squareTaps))
	}
	for k := range places {
		Default().Gemm(N, N, 1, in[k].Left(), u[k], 1, out[k])
		c.overStrips(in[k], by[k], du[k])
	}
	for i := range squares * c.channels {
		s, j := i/c.channels, i%c.channels
		for k, v := range downAcross(got(out, s, j), 4, squareOutput) {
			row(y, c.pixelOf(s, k))[j] = v
		}
	}
	for i := range c.C * c.channels {
		for t, v := range downAcross(got(du, i/c.channels, i%c.channels), 4, squareSums) {
			dw.Data[t*c.C*c.channels+i] = v
		}
	}
	return y, dw
}

// overStrips is du = in^T by, as the sum over the strips in order of chains over their squares.
func (c *squaresCase) overStrips(in, by, du Matrix) {
	high, strips := c.H/2, min(max(1, c.H/8), 8)
	for strip := range strips {
		var x, e []float32
		for s := range in.Rows {
			if i := s / (c.W / 2) % high; strip*high/strips <= i && i < (strip+1)*high/strips {
				x, e = append(x, row(in, s)...), append(e, row(by, s)...)
			}
		}
		n, sum := len(x)/in.Cols, empty(du.Rows, du.Cols)
		Default().Gemm(T, N, 1, Dense(x, n, in.Cols).Left(), Dense(e, n, by.Cols), 0, sum)
		for i, v := range sum.Data {
			du.Data[i] += v
		}
	}
}

// TestWinogradBits: the bits are those of the documented transforms and chains, however pictures,
// channels and waves are cut, and what is added is added at the end.
func TestWinogradBits(t *testing.T) {
	use(t, "native")
	eachSquares(t, func(t *testing.T, c *squaresCase) {
		want, dw := c.defined()
		patches, y := Patches(c.x, c.pictures, c.Window), c.spare()
		c.forward.Mul(patches, c.bias, y)
		sameRows(t, "y", y, want)
		for n := range c.pictures {
			lo, hi := n*c.H*c.W, (n+1)*c.H*c.W
			part := c.spare().rows(lo, hi)
			c.forward.Mul(patches.rows(lo, hi), c.bias, part)
			sameRows(t, fmt.Sprint("picture ", n), part, want.rows(lo, hi))
		}
		sum, plain := c.spare(), c.spare()
		c.forward.Mul(patches, nil, plain)
		for i := range sum.Rows {
			copy(row(sum, i), c.dy[i*c.channels:][:c.channels])
			for j, v := range row(plain, i) {
				row(want, i)[j] = row(sum, i)[j] + v
			}
		}
		c.forward.MulAdd(patches, sum, true)
		sameRows(t, "sum", sum, want)

		for _, cut := range [][2]int{{1, 1}, {3, 1}, {1, min(2, c.pictures)}, {2, c.pictures}} {
			sameBits(t, fmt.Sprint("dw in parts ", cut), c.grad(cut[0], cut[1], 1).Data, dw.Data)
		}
		half := c.grad(1, 1, 0.5)
		for i, v := range dw.Data {
			if half.Data[i] != v/2 {
				t.Fatalf("half of dw[%d] is %v, want %v", i, half.Data[i], v/2)
			}
		}
	})
}

// spare is an output with canaries behind its rows.
func (c *squaresCase) spare() Matrix {
	rows, stride := c.pixels(), c.channels+3
	return Matrix{rows, c.channels, stride, blanks(span(rows, c.channels, stride))}
}

// sameRows compares the numbers of matrices, and what lies between rows with canaries.
func sameRows(t *testing.T, what string, got, want Matrix) {
	t.Helper()
	for i := range want.Rows {
		sameBits(t, what, row(got, i), row(want, i))
	}
	for i, v := range got.Data {
		if i%got.Stride >= got.Cols && math.Float32bits(v) != math.Float32bits(canary) {
			t.Fatalf("%s: wrote behind row %d", what, i/got.Stride)
		}
	}
}
