// Package model is the networks: functions that read top to bottom and build a [Net] of the layers
// of package layer.
//
// A Net is a stateless description. Its Layout says where the parameters lie in one flat buffer.
// Its Tape, bound to such a buffer, has the memory for a batch of rows, or for a wave, a part of
// one; a [Pass] takes a tile of these rows through the network, forward and back. What memory that
// takes is found by making it with an arena that counts.
package model

import (
	"cmp"
	"fmt"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/pool"
)

// Use says what a tape is made for.
type Use int

// The uses, each of which includes those before it.
const (
	Evaluate      Use = iota // Forward
	Differentiate            // Backward, for gradients by the first input
	Train                    // Grad, for gradients by the parameters
)

// Net is a network. Its first input is called z in what follows, whatever it is.
type Net struct {
	products *blas.Backend
	nodes    []node
	inputs   []Node
	out      Node
	layout   Layout
	frozen   []float32 // the parameters, if they are constants
}

// node is a value: an input, or the output of a layer.
type node struct {
	name   string
	layer  layer.Layer // nil: an input
	in     []Node
	shape  layer.Shape
	params []int // the parameters, by their numbers in the layout

	gradient bool // there may be a gradient by it
	through  bool // it depends on the first input, and there may be a gradient by that
	level    bool // it depends on no other input than that named Lambda
}

// Node is a value in a network under construction.
type Node int

// Names of inputs that have a meaning to the callers of networks.
const (
	Lambda    = "lambda"    // the log-SNR of a score network's row, one number
	Condition = "condition" // what a sample is to be like; zeros: anything
)

// In is the length of a row of the first input.
func (n *Net) In() int { return n.InShape().Len() }

// InShape is the shape of a row of the first input.
func (n *Net) InShape() layer.Shape { return n.nodes[n.inputs[0]].shape }

// Out is the length of a row of the output.
func (n *Net) Out() int { return n.OutShape().Len() }

// OutShape is the shape of a row of the output.
func (n *Net) OutShape() layer.Shape { return n.nodes[n.out].shape }

// Input returns the number of the input of that name, or -1.
func (n *Net) Input(name string) int {
	for i, in := range n.inputs {
		if n.nodes[in].name == name {
			return i
		}
	}
	return -1
}

// Width is the length of a row of an input.
func (n *Net) Width(input int) int { return n.nodes[n.inputs[input]].shape.Len() }

// Conditions is the length of the input [Condition]; 0 without one.
func (n *Net) Conditions() int {
	if i := n.Input(Condition); i >= 0 {
		return n.Width(i)
	}
	return 0
}

// Layout says where the parameters lie. A frozen network has none.
func (n *Net) Layout() *Layout {
	if n.frozen != nil {
		return &Layout{}
	}
	return &n.layout
}

// Frozen is the network with constant parameters p, so that there is nothing to train.
func (n *Net) Frozen(p []float32) *Net {
	frozen := *n
	frozen.frozen = p
	return &frozen
}

// CutFree reports whether results have the same bits however rows are cut into tiles and waves.
// This depends on the backend of the products.
func (n *Net) CutFree() bool { return n.products.CutFree() }

// TileRows is how many rows a tile should have at most, so that what a pass reads and writes stays
// in a second-level cache, but not so few that products slow down. It depends on the network alone,
// and so does where rows are cut.
func (n *Net) TileRows() int {
	var largest layer.Shape
	for _, node := range n.nodes {
		if node.shape.Len() > largest.Len() {
			largest = node.shape
		}
	}
	return max(pool.Pieces(tilePixels, largest.Pixels()), tileNumbers/max(1, n.plan(Train).row))
}

// tileNumbers is the most numbers of a pass's scratch memory: 2 MiB of them. tilePixels is the
// fewest pixels of its largest array.
const tileNumbers, tilePixels = 1 << 19, 32

// Kept is how many numbers a row the gradients by the parameters read.
func (n *Net) Kept() (sum int) {
	for i, at := range n.plan(Train).nodes {
		if at.memory.RoundsX && at.back {
			sum += n.nodes[n.nodes[i].in[0]].shape.Len()
		}
		if at.memory.RoundsDY && at.back {
			sum += n.nodes[i].shape.Len()
		}
		for _, where := range []place{at.value, at.grad} {
			if where.kind == kept {
				sum += where.width
			}
		}
	}
	return sum
}

// Work is that of a tape of the network (Tape.Work).
func (n *Net) Work() float64 { return n.NewTape(nil, nil, Size{Rows: 1}, Train).Work() }

// Builder builds a network. Its methods add layers and return their outputs. After the first layer
// that does not fit, they do nothing, and Build returns the error.
type Builder struct {
	net Net
	err error
}

// Build makes the network that f describes, whose output is what f returns. Its products are
// computed by the given backend; nil: by the present default of package blas. The error names the
// first layer that does not fit.
func Build(products *blas.Backend, f func(b *Builder) Node) (*Net, error) {
	b := &Builder{net: Net{products: cmp.Or(products, blas.Default())}}
	out := f(b)
	if b.err != nil {
		return nil, b.err
	}
	b.net.out = out
	return &b.net, b.net.unused()
}

// unused returns an error if a layer's output is not used.
func (n *Net) unused() error {
	used := make([]bool, len(n.nodes))
	used[n.out] = true
	for _, node := range n.nodes {
		for _, in := range node.in {
			used[in] = true
		}
	}
	for i, node := range n.nodes {
		if !used[i] && node.layer != nil {
			return fmt.Errorf("%s: its output is not used", node.name)
		}
	}
	return nil
}

// Must returns n, for networks that cannot fail to fit. It panics if err is not nil.
func Must(n *Net, err error) *Net {
	if err != nil {
		panic("model: " + err.Error())
	}
	return n
}

// Input adds an input by which a gradient can be asked for: the first one.
func (b *Builder) Input(name string, s layer.Shape) Node { return b.input(name, s, true) }

// Given adds an input by which there is no gradient.
func (b *Builder) Given(name string, s layer.Shape) Node { return b.input(name, s, false) }

func (b *Builder) input(name string, s layer.Shape, gradient bool) Node {
	if gradient && len(b.net.inputs) > 0 {
		panic("model: only the first input has a gradient")
	}
	if s.Len() < 1 && b.err == nil {
		b.err = fmt.Errorf("%s: a shape of %d x %d x %d: needs a number or more",
			name, s.H, s.W, s.C)
	}
	b.net.nodes = append(b.net.nodes, node{
		name: name, shape: s, gradient: gradient, through: gradient, level: name == Lambda,
	})
	n := Node(len(b.net.nodes) - 1)
	b.net.inputs = append(b.net.inputs, n)
	return n
}

// Shape is the shape of a row of a value.
func (b *Builder) Shape(n Node) layer.Shape { return b.net.nodes[n].shape }

// Add adds a layer. name is the path of its parameters.
func (b *Builder) Add(name string, l layer.Layer, in ...Node) Node {
	if b.err != nil {
		return 0
	}
	shapes := b.net.shapes(in)
	out, err := l.Out(shapes...)
	if err != nil {
		b.err = fmt.Errorf("%s: %w", name, err)
		return 0
	}
	n := node{name: name, layer: l, in: in, shape: out, level: true}
	for _, p := range l.Params(shapes...) {
		n.params = append(n.params, len(b.net.layout.params))
		b.net.layout.Add(name+"."+p.Name, p.Bound, p.Shape...)
	}
	n.gradient = len(n.params) > 0
	for _, i := range in {
		n.gradient = n.gradient || b.net.nodes[i].gradient
		n.through = n.through || b.net.nodes[i].through
		n.level = n.level && b.net.nodes[i].level
	}
	b.net.nodes = append(b.net.nodes, n)
	return Node(len(b.net.nodes) - 1)
}

func (n *Net) shapes(nodes []Node) []layer.Shape {
	shapes := make([]layer.Shape, len(nodes))
	for i, in := range nodes {
		shapes[i] = n.nodes[in].shape
	}
	return shapes
}

// Linear adds layer.Linear of the given channels.
func (b *Builder) Linear(name string, x Node, channels int) Node {
	return b.Add(name, layer.Linear{Channels: channels}, x)
}

// Zero adds layer.Linear whose parameters start at zero.
func (b *Builder) Zero(name string, x Node, channels int) Node {
	return b.Add(name, layer.Linear{Channels: channels, Zero: true}, x)
}

// SiLU adds layer.SiLU.
func (b *Builder) SiLU(x Node) Node { return b.Add(b.net.nodes[x].name+".silu", layer.SiLU{}, x) }

// Sum adds layer.Sum.
func (b *Builder) Sum(name string, x, y Node) Node { return b.Add(name, layer.Sum{}, x, y) }
