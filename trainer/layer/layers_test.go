package layer_test

import (
	"math"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
)

// linear is Linear, one number at a time.
func linear(channels int, in layer.Shape) subject {
	row := func(p reference.Params, x [][]float64) (y []float64) {
		for i := 0; i < in.Len(); i += in.C {
			for j := range channels {
				sum := p("bias")[j]
				for k := range in.C {
					sum += x[0][i+k] * p("weight")[k*channels+j]
				}
				y = append(y, sum)
			}
		}
		return y
	}
	return subject{layer: layer.Linear{Channels: channels}, in: []layer.Shape{in}, row: row}
}

func TestLinear(t *testing.T) {
	check(t,
		linear(11, layer.Shape{H: 3, W: 5, C: 7}),
		linear(33, layer.Vector(19)),
		linear(1, layer.Vector(1)),
	)
}

// numberwise is a layer whose output number i is f of x, the numbers i of its inputs.
func numberwise(l layer.Layer, in []layer.Shape, f func(x ...float64) float64) subject {
	return subject{layer: l, in: in, row: func(_ reference.Params, x [][]float64) []float64 {
		y := make([]float64, len(x[0]))
		for i := range y {
			var at []float64
			for _, v := range x {
				at = append(at, v[i])
			}
			y[i] = f(at...)
		}
		return y
	}}
}

func TestNumberwise(t *testing.T) {
	shape := layer.Shape{H: 3, W: 5, C: 7}
	twice := []layer.Shape{shape, shape}
	check(t,
		numberwise(layer.SiLU{}, twice[:1], func(x ...float64) float64 {
			return reference.SiLU(x[0])
		}),
		numberwise(layer.Sum{}, twice, func(x ...float64) float64 { return x[0] + x[1] }),
		numberwise(layer.SumSiLU{}, twice, func(x ...float64) float64 {
			return reference.SiLU(x[0] + x[1])
		}),
	)
}

func TestGate(t *testing.T) {
	for _, shape := range []layer.Shape{{H: 3, W: 5, C: 7}, {H: 1, W: 1, C: 33}} {
		check(t, subject{
			layer: layer.Gate{}, in: []layer.Shape{shape, layer.Vector(shape.C)},
			row: func(_ reference.Params, in [][]float64) []float64 {
				y := make([]float64, len(in[0]))
				for i, v := range in[0] {
					y[i] = in[1][i%shape.C] * v
				}
				return y
			},
		})
	}
}

// moved is a layer whose output number i is a number of an input: number j of input k.
func moved(l layer.Layer, from func(i int) (k, j int), in ...layer.Shape) subject {
	return subject{layer: l, in: in, row: func(_ reference.Params, x [][]float64) []float64 {
		n := 0
		for _, v := range x {
			n += len(v)
		}
		y := make([]float64, n)
		for i := range y {
			k, j := from(i)
			y[i] = x[k][j]
		}
		return y
	}}
}

func concat(h, w int, channels ...int) subject {
	var in []layer.Shape
	sum := 0
	for _, c := range channels {
		in = append(in, layer.Shape{H: h, W: w, C: c})
		sum += c
	}
	return moved(layer.Concat{}, func(i int) (k, j int) {
		pixel, c := i/sum, i%sum
		for c >= channels[k] {
			c -= channels[k]
			k++
		}
		return k, pixel*channels[k] + c
	}, in...)
}

func TestConcat(t *testing.T) {
	check(t, concat(3, 5, 4, 7), concat(1, 1, 33, 3), concat(3, 2, 5, 1, 8))
}

// merged is where number i of a merged picture of w pixels of c channels in a row comes from.
func merged(i, w, c int) int {
	y, x, tap := i/(4*c)/w, i/(4*c)%w, i/c%4
	return ((2*y+tap/2)*2*w+2*x+tap%2)*c + i%c
}

func merge(h, w, c int) subject {
	return moved(layer.Merge{}, func(i int) (k, j int) { return 0, merged(i, w, c) },
		layer.Shape{H: 2 * h, W: 2 * w, C: c})
}

func split(h, w, c int) subject {
	inverse := make([]int, 4*h*w*c)
	for i := range inverse {
		inverse[merged(i, w, c)] = i
	}
	return moved(layer.Split{}, func(i int) (k, j int) { return 0, inverse[i] },
		layer.Shape{H: h, W: w, C: 4 * c})
}

func TestMergeAndSplit(t *testing.T) {
	check(t, merge(3, 5, 3), merge(1, 1, 5), merge(2, 1, 32), split(3, 5, 3), split(1, 1, 5),
		split(2, 1, 32))
}

// mergedSignal is where number i of a merged signal of c channels comes from.
func mergedSignal(i, c int) int {
	sample, tap, channel := i/(2*c), i/c%2, i%c
	return (2*sample+tap)*c + channel
}

func TestMergeAndSplitOfSignals(t *testing.T) {
	for _, c := range []struct{ w, c int }{{5, 3}, {1, 7}, {32, 1}} {
		inverse := make([]int, 2*c.w*c.c)
		for i := range inverse {
			inverse[mergedSignal(i, c.c)] = i
		}
		check(t,
			moved(layer.Merge{}, func(i int) (k, j int) { return 0, mergedSignal(i, c.c) },
				layer.Shape{H: 1, W: 2 * c.w, C: c.c}),
			moved(layer.Split{Signal: true}, func(i int) (k, j int) { return 0, inverse[i] },
				layer.Shape{H: 1, W: c.w, C: 2 * c.c}),
		)
	}
	out, err := layer.Merge{}.Out(layer.Shape{H: 1, W: 10, C: 3})
	if want := (layer.Shape{H: 1, W: 5, C: 6}); err != nil || out != want {
		t.Errorf("merged to %v, expected %v: %v", out, want, err)
	}
	out, err = layer.Split{Signal: true}.Out(out)
	if want := (layer.Shape{H: 1, W: 10, C: 3}); err != nil || out != want {
		t.Errorf("split to %v, expected %v: %v", out, want, err)
	}
}

// moments is Moments, one number at a time.
func moments(in layer.Shape) subject {
	c := in.C / 2
	row := func(_ reference.Params, x [][]float64) []float64 {
		var mean, logvar []float64
		for i, v := range x[0] {
			if i%in.C < c {
				mean = append(mean, v)
			} else {
				logvar = append(logvar, v/math.Hypot(1, v/20))
			}
		}
		return append(mean, logvar...)
	}
	return subject{layer: layer.Moments{}, in: []layer.Shape{in}, row: row}
}

func TestMoments(t *testing.T) {
	check(t, moments(layer.Shape{H: 3, W: 5, C: 6}), moments(layer.Vector(2)))
}

// The largest angle is some 6 radians, whose float32 rounds by 5e-7.
func TestSinusoids(t *testing.T) {
	l := layer.Sinusoids{Features: 10, Slowest: 0.05, Fastest: 2}
	row := func(_ reference.Params, x [][]float64) (y []float64) {
		for _, phase := range []float64{0, math.Pi / 2} {
			for k := range 5 {
				y = append(y, math.Sin(x[0][0]*0.05*math.Pow(40, float64(k)/4)+phase))
			}
		}
		return y
	}
	check(t, subject{layer: l, in: []layer.Shape{layer.Vector(1)}, row: row, given: true})
}

// What does not fit is refused: the error says what the layer got, and what it needs.
func TestRefusals(t *testing.T) {
	picture, vector := layer.Shape{H: 7, W: 4, C: 6}, layer.Vector(12)
	for _, c := range []struct {
		layer layer.Layer
		in    []layer.Shape
		want  string
	}{
		{layer.Linear{}, []layer.Shape{vector}, "0 channels: needs 1 or more"},
		{layer.Linear{Channels: 1}, []layer.Shape{vector, vector}, "got 2 inputs, needs 1"},
		{layer.Sum{}, []layer.Shape{picture, vector}, "got 7 x 4 x 6 and 12, needs the same shape"},
		{layer.GroupNorm{Groups: 4}, []layer.Shape{picture}, "6 channels in 4 groups, needs"},
		{layer.GroupNorm{}, []layer.Shape{picture}, "6 channels in 0 groups, needs"},
		{
			layer.GroupNorm{Groups: 3}, []layer.Shape{picture, picture},
			"got 7 x 4 x 6 and 7 x 4 x 6, needs a second input of 12",
		},
		{layer.RMSNorm{}, []layer.Shape{vector, vector}, "needs a second input of 24"},
		{layer.RMSNorm{}, nil, "got 0 inputs, needs 1 or 2"},
		{layer.Gate{}, []layer.Shape{picture}, "got 1 inputs, needs 2"},
		{layer.Gate{}, []layer.Shape{picture, vector}, "needs a second input of 6"},
		{layer.Concat{}, []layer.Shape{picture}, "got 1 inputs, needs 2 to 3"},
		{
			layer.Concat{}, []layer.Shape{picture, vector},
			"got 7 x 4 x 6 and 12, needs the same height and width",
		},
		{layer.Merge{}, []layer.Shape{picture}, "got 7 x 4 pixels, needs an even height and width"},
		{layer.Merge{}, []layer.Shape{{H: 1, W: 7, C: 2}}, "got 7 samples, needs an even number"},
		{layer.Split{}, []layer.Shape{picture}, "got 6 channels, needs a multiple of 4"},
		{layer.Split{Signal: true}, []layer.Shape{picture}, "got 7 x 4 pixels of 6 channels"},
		{
			layer.Split{Signal: true}, []layer.Shape{{H: 1, W: 4, C: 3}},
			"got 1 x 4 pixels of 3 channels, needs a signal (1 x T) of an even number of channels",
		},
		{
			layer.Attention{Heads: 2}, []layer.Shape{{H: 2, W: 3, C: 10}},
			"got 2 x 3 x 10, needs channels for q, k and v: a multiple of 3",
		},
		{layer.Attention{Heads: 3}, []layer.Shape{vector}, "3 heads: needs a number that divides"},
		{layer.Attention{Heads: 8}, []layer.Shape{vector}, "8 heads: needs a number that divides"},
		{layer.Attention{}, []layer.Shape{vector}, "0 heads: needs a number that divides 4"},
		{
			layer.Attention{Heads: 1}, []layer.Shape{{H: 1, W: 65537, C: 3}},
			"got 1 x 65537 x 3, needs at most 65536 pixels",
		},
		{layer.Moments{}, []layer.Shape{layer.Vector(3)}, "got 3, needs an even number"},
		{layer.Sinusoids{}, []layer.Shape{vector}, "got 12, needs one number"},
	} {
		_, err := c.layer.Out(c.in...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T of %v: error %v, expected %q", c.layer, c.in, err, c.want)
		}
	}
}
