package export

import (
	"math"

	"github.com/plume-ml/plume/trainer/likelihood"
)

// operators add the operators of a node with inputs in and return its value. Package layer has the
// mathematics.
var operators = map[Op]func(t *translator, n Node, in []value) string{
	Linear:    (*translator).linear,
	Conv:      (*translator).conv,
	SiLU:      func(t *translator, _ Node, in []value) string { return t.silu(in[0].name) },
	Sum:       func(t *translator, _ Node, in []value) string { return t.sum(in) },
	SumSiLU:   func(t *translator, _ Node, in []value) string { return t.silu(t.sum(in)) },
	GroupNorm: (*translator).groupNorm,
	RMSNorm:   (*translator).rmsNorm,
	Attention: (*translator).attention,
	Gate:      (*translator).gate,
	Positions: (*translator).positions,
	Merge:     (*translator).merge,
	Split:     (*translator).split,
	Concat:    (*translator).concat,
	Mean:      (*translator).pixelMean,
	Moments:   (*translator).moments,
	Sinusoids: (*translator).sinusoids,
	Scales:    (*translator).scales,
}

func (t *translator) linear(n Node, in []value) string {
	x, bias := in[0], t.constant(n, "bias")
	if x.shape.vector() {
		return t.op("Gemm", []string{x.name, t.constant(n, "weight"), bias},
			attribute{name: "transB", i: 1})
	}
	weight := t.constant(n, "weight", n.Shape[2], x.shape[2], 1, 1)
	return t.op("Conv", []string{x.name, weight, bias})
}

func (t *translator) conv(n Node, in []value) string {
	shape := t.weights[n.P["weight"]].Shape
	h, w := int64(shape[2]/2), int64(shape[3]/2)
	y := t.op("Conv", []string{t.picture(in[0]), t.constant(n, "weight"), t.constant(n, "bias")},
		attribute{name: "pads", ints: []int64{h, w, h, w}})
	return t.back(y, n.Shape)
}

func (t *translator) silu(x string) string {
	return t.op("Mul", []string{x, t.op("Sigmoid", []string{x})})
}

func (t *translator) sum(in []value) string {
	return t.op("Add", []string{in[0].name, in[1].name})
}

// normEpsilon is that of package layer's norms.
const normEpsilon = 1e-5

// unit divides x by the root of its mean square over axes.
func (t *translator) unit(x string, axes ...int64) string {
	square := t.mean(t.op("Mul", []string{x, x}), axes...)
	root := t.op("Sqrt", []string{t.op("Add", []string{square, t.number(normEpsilon)})})
	return t.op("Div", []string{x, root})
}

// plusOne is 1 + x.
func (t *translator) plusOne(x string) string {
	return t.op("Add", []string{x, t.number(1)})
}

// scaled is what follows a norm whose output u is like x: (1 + scale) u + shift, modulated by a
// second input.
func (t *translator) scaled(n Node, u string, in []value) string {
	x := in[0]
	y := t.op("Mul", []string{u, t.plusOne(t.channels(n, "scale", x))})
	if _, ok := n.P["shift"]; ok {
		y = t.op("Add", []string{y, t.channels(n, "shift", x)})
	}
	if len(in) == 2 {
		halves := t.ops("Split", 2, []string{in[1].name}, attribute{name: "axis", i: 1})
		y = t.op("Mul", []string{y, t.plusOne(t.perChannel(halves[0], x))})
		y = t.op("Add", []string{y, t.perChannel(halves[1], x)})
	}
	return y
}

func (t *translator) groupNorm(n Node, in []value) string {
	x := in[0]
	groups := t.reshape(x.name, n.Groups, -1)
	u := t.unit(t.op("Sub", []string{groups, t.mean(groups, 2)}), 2)
	if x.shape.vector() {
		u = t.reshape(u, x.shape[2])
	} else {
		u = t.reshape(u, x.shape[2], x.shape[0], x.shape[1])
	}
	y := t.scaled(n, u, in)
	if n.SiLU {
		y = t.silu(y)
	}
	return y
}

func (t *translator) rmsNorm(n Node, in []value) string {
	return t.scaled(n, t.unit(in[0].name, 1), in)
}

// attention works on n x heads x channels of a head x pixels.
func (t *translator) attention(n Node, in []value) string {
	s := n.Shape
	head, pixels := s[2]/n.Heads, s[0]*s[1]
	all := t.reshape(in[0].name, 3, n.Heads, head, pixels)
	part := func(i int64) string {
		first := t.op("Slice", []string{all, t.int64s(i), t.int64s(i + 1), t.int64s(1)})
		return t.reshape(first, n.Heads, head, pixels)
	}
	turn := func(x string) string { return t.transpose(x, 0, 1, 3, 2) }
	products := t.op("MatMul", []string{turn(part(0)), part(1)})
	scale := t.number(float32(1 / math.Sqrt(float64(head))))
	p := t.op("Softmax", []string{t.op("Mul", []string{products, scale})},
		attribute{name: "axis", i: -1})
	y := t.op("MatMul", []string{part(2), turn(p)})
	if s.vector() {
		return t.reshape(y, s[2])
	}
	return t.reshape(y, s[2], s[0], s[1])
}

func (t *translator) gate(_ Node, in []value) string {
	return t.op("Mul", []string{in[0].name, t.perChannel(in[1].name, in[0])})
}

func (t *translator) positions(n Node, in []value) string {
	if n.Shape.vector() {
		return t.op("Add", []string{in[0].name, t.constant(n, "bias", n.Shape[2])})
	}
	return t.op("Add", []string{in[0].name, t.constant(n, "bias")})
}

// merge and split have the order of channels of SpaceToDepth and of the mode DCR. Signals, whose
// width alone is halved or doubled, are reshaped.
func (t *translator) merge(n Node, in []value) string {
	if s := in[0].shape; s[0] == 1 {
		parts := t.transpose(t.reshape(in[0].name, s[2], s[1]/2, 2), 0, 3, 1, 2)
		return t.back(t.reshape(parts, n.Shape[2], 1, n.Shape[1]), n.Shape)
	}
	y := t.op("SpaceToDepth", []string{t.picture(in[0])}, attribute{name: "blocksize", i: 2})
	return t.back(y, n.Shape)
}

func (t *translator) split(n Node, in []value) string {
	if s := n.Shape; s[0] == 1 {
		parts := t.transpose(t.reshape(in[0].name, 2, s[2], s[1]/2), 0, 2, 3, 1)
		return t.reshape(parts, s[2], 1, s[1])
	}
	y := t.op("DepthToSpace", []string{t.picture(in[0])}, attribute{name: "blocksize", i: 2},
		attribute{name: "mode", s: "DCR"})
	return t.back(y, n.Shape)
}

func (t *translator) concat(_ Node, in []value) string {
	var names []string
	for _, v := range in {
		names = append(names, v.name)
	}
	return t.op("Concat", names, attribute{name: "axis", i: 1})
}

func (t *translator) pixelMean(n Node, in []value) string {
	return t.reshape(t.mean(t.picture(in[0]), 2, 3), n.Shape[2])
}

// scales adds the parameters to a column of zeros, which has as many rows as there are.
func (t *translator) scales(n Node, in []value) string {
	x := in[0].name
	first := t.op("Slice", []string{x, t.int64s(0), t.int64s(1), t.int64s(1)})
	zeros := t.op("Sub", []string{first, first})
	rows := t.op("Add", []string{zeros, t.constant(n, "bias")})
	return t.op("Concat", []string{x, rows}, attribute{name: "axis", i: 1})
}

// means turns a decoder's outputs into E[x|z], where the likelihood is by columns
// (likelihood.Mixed) or they are cut off (likelihood.Clipped).
func (t *translator) means(out string) string {
	if t.clipped {
		return t.op("Clip", []string{out, t.number(-1), t.number(1)})
	}
	var parts []string
	at := 0
	for _, c := range t.columns {
		first, last := t.int64s(int64(at)), t.int64s(int64(at+c.N))
		y := t.op("Slice", []string{out, first, last, t.int64s(1)})
		switch c.Kind {
		case likelihood.Bernoulli:
			y = t.op("Sigmoid", []string{y})
		case likelihood.Categorical:
			y = t.op("Softmax", []string{y}, attribute{name: "axis", i: -1})
		}
		parts = append(parts, y)
		at += c.N
	}
	if parts == nil {
		return out
	}
	return t.op("Concat", parts, attribute{name: "axis", i: 1})
}

// logvarBound is that of layer.Moments.
const logvarBound = 20

func (t *translator) moments(_ Node, in []value) string {
	x := in[0]
	halves := t.ops("Split", 2, []string{x.name}, attribute{name: "axis", i: 1})
	half := Shape{x.shape[0], x.shape[1], x.shape[2] / 2}
	y := t.flat(value{halves[1], half})
	share := t.op("Mul", []string{y, t.number(1.0 / logvarBound)})
	root := t.op("Sqrt", []string{t.plusOne(t.op("Mul", []string{share, share}))})
	logvar := t.op("Div", []string{y, root})
	return t.op("Concat", []string{t.flat(value{halves[0], half}), logvar},
		attribute{name: "axis", i: 1})
}

func (t *translator) sinusoids(n Node, in []value) string {
	f := t.floats(t.fresh("frequencies"), n.Frequencies, 1, len(n.Frequencies))
	angles := t.op("Mul", []string{in[0].name, f})
	return t.op("Concat", []string{t.op("Sin", []string{angles}), t.op("Cos", []string{angles})},
		attribute{name: "axis", i: 1})
}
