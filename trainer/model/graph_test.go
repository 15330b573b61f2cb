package model

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// elementwise is a layer of inputs of one shape, without parameters, that does what mem says it
// may. It leaves NaN in its scratch.
type elementwise struct {
	inputs int
	mem    layer.Memory
	f      func(x []float32) float32
	slope  func(x []float32, k int) float32 // by input k
}

func (e elementwise) Out(in ...layer.Shape) (layer.Shape, error)   { return in[0], nil }
func (e elementwise) Params(...layer.Shape) []layer.Param          { return nil }
func (e elementwise) Memory(...layer.Shape) layer.Memory           { return e.mem }
func (e elementwise) Bind(layer.Values, ...layer.Shape) layer.Pair { return e }

func (e elementwise) Forward(t *layer.Tile) {
	blank(t.Scratch)
	for i := range t.Y {
		t.Y[i] = e.f(e.at(t, i))
	}
}

func (e elementwise) at(t *layer.Tile, i int) (x []float32) {
	for k := range e.inputs {
		x = append(x, t.X[k][i])
	}
	return x
}

func (e elementwise) Backward(t *layer.Tile) {
	blank(t.Scratch)
	for i, dy := range t.DY { // which the first DX may replace
		var x []float32
		if e.mem.ReadsX {
			x = e.at(t, i)
		}
		for k := range e.inputs {
			switch dx := t.DX[k]; {
			case dx == nil:
			case t.Add[k]:
				dx[i] += e.slope(x, k) * dy
			default:
				dx[i] = e.slope(x, k) * dy
			}
		}
	}
}

var (
	product = elementwise{
		2, layer.Memory{ReadsX: true, Scratch: 5},
		func(x []float32) float32 { return x[0] * x[1] },
		func(x []float32, k int) float32 { return x[1-k] },
	}
	double = elementwise{
		1, layer.Memory{InPlace: true, InPlaceBack: true},
		func(x []float32) float32 { return 2 * x[0] },
		func([]float32, int) float32 { return 2 },
	}
	blend = elementwise{
		3, layer.Memory{Scratch: 2},
		func(x []float32) float32 { return x[0] - x[1]/2 + x[2]/4 },
		func(_ []float32, k int) float32 { return []float32{1, -0.5, 0.25}[k] },
	}
)

// graphs is the number of random graphs of a test: each kind of layer meets each other one, in
// every place, some dozen times.
const graphs = 400

// graph is a network of random layers, some of whose values have several readers.
func graph(seed uint64) *Net {
	r := rand.New(rand.NewPCG(seed, 1))
	native := blas.Default()
	return Must(Build(native, func(b *Builder) Node {
		z := b.Input("z", layer.Vector(1+r.IntN(4)))
		values := []Node{z}
		if r.IntN(2) == 0 {
			lambda := b.Given(Lambda, layer.Vector(1))
			s := layer.Sinusoids{Features: 2 + 2*r.IntN(2), Slowest: 0.1, Fastest: 1}
			values = append(values, b.Add("sinusoids", s, lambda))
		}
		late := r.IntN(12)
		for i := range r.IntN(12) {
			if i == late {
				values = append(values, b.Given(Condition, layer.Vector(1+r.IntN(4))))
			}
			values = append(values, randomLayer(b, r, fmt.Sprint("n", i), values))
		}
		return joined(b, values)
	}))
}

// randomLayer adds a layer of some of the values, more often of late ones.
func randomLayer(b *Builder, r *rand.Rand, name string, values []Node) Node {
	x := values[len(values)-1-min(r.IntN(len(values)), r.IntN(len(values)))]
	var alike []Node
	for _, v := range values {
		if b.Shape(v) == b.Shape(x) {
			alike = append(alike, v)
		}
	}
	other := func() Node { return alike[r.IntN(len(alike))] }
	switch r.IntN(8) {
	case 0, 1:
		return b.Linear(name, x, 1+r.IntN(4))
	case 2:
		return b.Add(name, layer.SiLU{}, x)
	case 3:
		return b.Sum(name, x, other())
	case 4:
		return b.Add(name, layer.SumSiLU{}, x, other())
	case 5:
		return b.Add(name, product, x, other())
	case 6:
		return b.Add(name, double, x)
	default:
		return b.Add(name, blend, x, other(), other())
	}
}

// joined adds layers until every value has a reader but the last.
func joined(b *Builder, values []Node) Node {
	read := map[Node]bool{}
	for _, n := range b.net.nodes {
		for _, in := range n.in {
			read[in] = true
		}
	}
	last := values[len(values)-1]
	if b.net.nodes[last].layer == nil {
		last = b.Linear("last", last, 3)
		read[values[0]] = true
	}
	for _, v := range values {
		if !read[v] && v != last {
			name := fmt.Sprint("join", v)
			last = b.Sum(name, last, b.Linear(name+".w", v, b.Shape(last).C))
		}
	}
	return last
}

// inputsOf is random inputs of a network for some rows, and the gradient by its output.
func inputsOf(n *Net, rows int) (inputs [][]float32, dout []float32) {
	r := rand.New(rand.NewPCG(7, uint64(rows)))
	normals := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for i := range n.inputs {
		inputs = append(inputs, normals(rows*n.Width(i)))
	}
	return inputs, normals(rows * n.Out())
}

func paramsOf(n *Net) []float32 {
	p := make([]float32, n.Layout().Size())
	n.Layout().Init(p, 3, 0)
	return p
}

// results are what becomes of a batch.
type results struct{ out, din, grad []float32 }

// evaluated takes rows through the network with memory of its own for every value, every gradient
// and every copy that a layer is given: what the plan's results are compared with. Gradients by a
// value are summed over its readers here, and not by the layers.
func evaluated(n *Net, p []float32, rows int) results {
	inputs, dout := inputsOf(n, rows)
	count := len(n.nodes)
	y, dy := make([][]float32, count), make([][]float32, count)
	for i, node := range n.nodes {
		y[i] = make([]float32, rows*node.shape.Len())
		dy[i] = make([]float32, len(y[i]))
	}
	for i, in := range n.inputs {
		copy(y[in], inputs[i])
	}
	pairs, tiles := make([]layer.Pair, count), make([]layer.Tile, count)
	for i, node := range n.nodes {
		if node.layer == nil {
			continue
		}
		pairs[i] = n.alone(i, p, rows, y, dy)
		mem := node.layer.Memory(n.shapes(node.in)...)
		t := &tiles[i]
		t.N, t.Y = rows, y[i]
		t.Keep, t.Scratch = make([]float32, rows*mem.Keep), make([]float32, mem.Scratch)
		for k, in := range node.in {
			t.X[k] = append([]float32(nil), y[in]...)
		}
		pairs[i].Forward(t)
	}
	copy(dy[n.out], dout)
	for i := count - 1; i >= 0; i-- {
		if node := n.nodes[i]; node.layer != nil && node.gradient {
			n.back(i, pairs[i], &tiles[i], dy)
		}
	}
	r := results{out: y[n.out], din: dy[n.inputs[0]], grad: make([]float32, len(p))}
	w := layer.Wave{Rows: rows, First: true, Last: true, Scale: 0.5, Grad: r.grad}
	for _, pair := range pairs {
		if weighted, ok := pair.(layer.Weighted); ok {
			for _, task := range weighted.GradTasks(&w) {
				task.Run()
			}
		}
	}
	return r
}

// alone binds the layer of node i, and packs its parameters.
func (n *Net) alone(i int, p []float32, rows int, y, dy [][]float32) layer.Pair {
	node := n.nodes[i]
	v := layer.Values{
		Products: n.products, P: p, Rows: rows, Grads: true, AsksX: true,
		X: y[node.in[0]], DY: dy[i],
	}
	for _, k := range node.params {
		q := n.layout.params[k]
		v.At = append(v.At, layer.Range{Lo: q.Offset, Hi: q.Offset + q.Len})
	}
	pair := node.layer.Bind(v, n.shapes(node.in)...)
	if weighted, ok := pair.(layer.Weighted); ok {
		for _, task := range weighted.PackTasks() {
			task.Do()
		}
	}
	return pair
}

// back adds the gradients by the inputs of node i to those that are there.
func (n *Net) back(i int, pair layer.Pair, t *layer.Tile, dy [][]float32) {
	t.DY = append([]float32(nil), dy[i]...)
	in := n.nodes[i].in
	for k, from := range in {
		if n.nodes[from].gradient {
			t.DX[k] = make([]float32, len(dy[from]))
			blank(t.DX[k])
		}
	}
	pair.Backward(t)
	for k, from := range in {
		for j, v := range t.DX[k] {
			dy[from][j] += v
		}
	}
}

// planned takes rows through the network as trainings do, in waves of tiles, with NaN in all memory
// that is not set.
func planned(n *Net, p []float32, size Size) results {
	inputs, dout := inputsOf(n, size.Rows)
	t := n.NewTape(nil, p, size, Train)
	size = size.full()
	for i := range t.PackTasks() {
		t.Pack(i)
	}
	r := results{
		make([]float32, len(dout)), make([]float32, len(inputs[0])), make([]float32, len(p)),
	}
	blank(r.grad)
	for lo := 0; lo < size.Rows; lo += size.Wave {
		hi := min(size.Rows, lo+size.Wave)
		t.Begin(lo)
		for _, x := range append(append([][]float32(nil), t.values...), t.grads...) {
			blank(x)
		}
		for first := lo; first < hi; first += size.Tile {
			pass := t.Take(first, min(hi, first+size.Tile))
			pass.run(inputs, dout, r)
			pass.Release()
		}
		t.Reduce(layer.Wave{
			Rows: hi - lo, First: lo == 0, Last: hi == size.Rows, Scale: 0.5, Grad: r.grad,
		})
		for i := range t.GradTasks() {
			t.Grad(i)
		}
	}
	return r
}

// run takes the pass's rows of a batch forward and back.
func (p *Pass) run(inputs [][]float32, dout []float32, r results) {
	n, lo := p.tape.net, p.first+p.tape.base
	part := func(x []float32, width int) []float32 { return x[lo*width : (lo+p.rows)*width] }
	blank(p.scratch)
	for i, x := range inputs {
		copy(p.In(i), part(x, n.Width(i)))
	}
	p.Forward()
	copy(part(r.out, n.Out()), p.Out())
	copy(p.DOut(), part(dout, n.Out()))
	din := part(r.din, n.In())
	blank(din)
	p.Backward(din)
}

// blank fills x with NaN.
func blank(x []float32) {
	for i := range x {
		x[i] = float32(math.NaN())
	}
}
