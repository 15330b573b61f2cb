package model

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
)

// Packer lays parameters out for products. Whenever the parameters have changed, its tasks 0 ..
// PackTasks()-1 must run before other methods. The tasks are independent of each other.
type Packer interface {
	PackTasks() int
	Pack(task int)
	// CutFree reports whether results have the same bits however rows are cut into tiles and
	// waves. This depends on the backend of the products.
	CutFree() bool
}

// Size says how many rows a tape is made for. Zeros stand for the largest: one wave, one tile; and
// for one pass.
type Size struct {
	Rows   int // of a batch
	Wave   int // rows that go forward and back before a part of the gradients is computed
	Tile   int // the most rows of a pass
	Passes int // passes under way at once, as many as there are workers
}

// Times is the size for n rows in the place of each.
func (s Size) Times(n int) Size {
	return Size{Rows: n * s.Rows, Wave: n * s.Wave, Tile: n * s.Tile, Passes: s.Passes}
}

// full is the size without zeros.
func (s Size) full() Size {
	s.Wave = min(cmp.Or(s.Wave, s.Rows), s.Rows)
	s.Tile = min(cmp.Or(s.Tile, s.Wave), s.Wave)
	s.Passes = max(1, s.Passes)
	return s
}

// Tape is the memory of a network for a wave of rows. A wave goes as follows:
//
//   - If the parameters have changed, run all packing tasks.
//   - Take a Pass through tiles of the rows, forward and back. Workers can do so at once.
//   - When all rows are done, call Reduce and run the tasks 0 .. GradTasks()-1, which compute the
//     gradient by the parameters. They are independent of each other.
type Tape struct {
	net   *Net
	plan  *plan
	size  Size
	pairs []layer.Pair // of each node; nil for inputs

	values, grads [][]float32 // of each node, those that are kept, for all rows

	idle idle
	base int // number of the wave's first row in the batch

	pack   []layer.Task
	grad   []gradTask
	pieces []piece
	wave   layer.Wave
}

// gradTask is a gradient task of a layer.
type gradTask struct {
	layer.GradTask
	of   *weighted
	left *atomic.Int32 // of its parts, those that are not done yet
}

// piece is a part of a gradient task, or a whole one.
type piece struct {
	cost float64
	task int
	part func() // nil: there are no parts
}

// setPieces lists the pieces of all gradient tasks, the dearest first.
func (t *Tape) setPieces() {
	for i, g := range t.grad {
		if len(g.Parts) == 0 {
			t.pieces = append(t.pieces, piece{g.Cost, i, nil})
		}
		for _, part := range g.Parts {
			t.pieces = append(t.pieces, piece{part.Cost, i, part.Do})
		}
		g.left.Store(int32(len(g.Parts)))
	}
	slices.SortStableFunc(t.pieces, func(a, b piece) int { return cmp.Compare(b.cost, a.cost) })
}

// weighted is a layer with parameters.
type weighted struct {
	pack []layer.Task
	grad int          // the number of its gradient tasks
	left atomic.Int32 // those of them whose parameters are not updated yet
}

// NewTape binds the network to parameters p (Layout().Size() of them) and to memory from the arena.
func (n *Net) NewTape(a *memory.Arena, p []float32, size Size, use Use) *Tape {
	if n.frozen != nil {
		p = n.frozen
	}
	size = size.full()
	t := &Tape{
		net: n, plan: n.plan(use), size: size, pairs: make([]layer.Pair, len(n.nodes)),
		values: make([][]float32, len(n.nodes)), grads: make([][]float32, len(n.nodes)),
	}
	t.idle.released.L = &t.idle
	for i, at := range t.plan.nodes {
		if at.value.kind == kept {
			t.values[i] = a.Floats(memory.Activations, size.Wave, at.value.width)
		}
		if at.grad.kind == kept {
			t.grads[i] = a.Floats(memory.Activations, size.Wave, at.grad.width)
		}
	}
	most := n.multiplications() * float64(size.Wave) / float64(size.Passes)
	for i := range n.nodes {
		t.bind(a, p, i, most)
	}
	slices.SortStableFunc(t.pack, func(a, b layer.Task) int { return cmp.Compare(b.Cost, a.Cost) })
	slices.SortStableFunc(t.grad, func(a, b gradTask) int { return cmp.Compare(b.Cost, a.Cost) })
	t.setPieces()
	for range size.Passes {
		t.idle.release(t.newPass(a))
	}
	return t
}

// multiplications is about how many the products of all parameters take for a row.
func (n *Net) multiplications() (sum float64) {
	for _, node := range n.nodes {
		for _, k := range node.params {
			sum += float64(n.layout.params[k].Len) * float64(node.shape.Pixels())
		}
	}
	return sum
}

// bind binds the layer of node i, a task of whose gradients should cost no more than most.
func (t *Tape) bind(a *memory.Arena, p []float32, i int, most float64) {
	node, train := t.net.nodes[i], t.plan.use == Train
	if node.layer == nil {
		return
	}
	v := layer.Values{
		Products: t.net.products, Arena: a, P: p, Rows: t.size.Wave,
		Workers: t.size.Passes, Most: most,
		Grads: train, AsksX: t.plan.nodes[node.in[0]].back,
		X: t.values[node.in[0]], DY: t.grads[i],
	}
	for _, k := range node.params {
		param := t.net.layout.params[k]
		v.At = append(v.At, layer.Range{Lo: param.Offset, Hi: param.Offset + param.Len})
	}
	t.pairs[i] = node.layer.Bind(v, t.net.shapes(node.in)...)
	if w, ok := t.pairs[i].(layer.Weighted); ok && !a.Counts() {
		of := &weighted{pack: w.PackTasks()}
		t.pack = append(t.pack, of.pack...)
		if train {
			for _, g := range w.GradTasks(&t.wave) {
				t.grad = append(t.grad, gradTask{g, of, new(atomic.Int32)})
				of.grad++
			}
			of.left.Store(int32(of.grad))
		}
	}
}

// Net is the tape's network.
func (t *Tape) Net() *Net { return t.net }

// CutFree implements Packer.
func (t *Tape) CutFree() bool { return t.net.CutFree() }

// PackTasks implements Packer.
func (t *Tape) PackTasks() int { return len(t.pack) }

// Pack implements Packer.
func (t *Tape) Pack(task int) { t.pack[task].Do() }

// Work is the multiplications of the parameters' products for a row, forward: each of the two
// gradients takes as many again. Convolutions count as they are defined, also those that are
// computed with fewer (blas.Backend.Winograds). It is 0 for a tape without gradients by parameters.
func (t *Tape) Work() (sum float64) {
	for _, task := range t.grad {
		sum += task.Cost
	}
	return sum / float64(t.size.Wave)
}

// Begin starts a wave with the given row of the batch.
func (t *Tape) Begin(first int) { t.base = first }

// Reduce says what the gradient tasks compute: the gradient over the rows of the wave.
func (t *Tape) Reduce(w layer.Wave) { t.wave = w }

// GradTasks is the number of gradient tasks.
func (t *Tape) GradTasks() int { return len(t.grad) }

// Grad runs a gradient task.
func (t *Tape) Grad(task int) { t.grad[task].Run() }

// GradPieces is the number of pieces of all gradient tasks, which are more where a task would keep
// others waiting.
func (t *Tape) GradPieces() int { return len(t.pieces) }

// GradPiece runs a piece, in the place of a part of [Tape.Grad], and reports whether its task is
// done with it. All pieces must run, each once.
func (t *Tape) GradPiece(piece int) (task int, done bool) {
	p := t.pieces[piece]
	g := &t.grad[p.task]
	if p.part != nil {
		if p.part(); g.left.Add(-1) > 0 {
			return p.task, false
		}
		g.left.Store(int32(len(g.Parts)))
	}
	g.Do()
	return p.task, true
}

// Writes lists the blocks of the gradient that a gradient task computes.
func (t *Tape) Writes(task int) []memory.Block { return t.grad[task].Writes }

// Updated says that a gradient task is done, and that the parameters of its blocks have new values,
// in the place of new packing tasks: it lays them out for products, while a cache still has them;
// or, where that takes a whole layer, when all tasks of the layer have said so.
func (t *Tape) Updated(task int) {
	if pack := t.grad[task].Pack; pack != nil {
		pack()
		return
	}
	of := t.grad[task].of
	if of.left.Add(-1) > 0 {
		return
	}
	of.left.Store(int32(of.grad))
	for _, p := range of.pack {
		p.Do()
	}
}

// Take returns a pass for rows lo to hi of the batch, at most Size.Tile of them. It waits while
// Size.Passes others are under way. The pass must be released.
func (t *Tape) Take(lo, hi int) *Pass {
	if hi-lo > t.size.Tile || lo < t.base || hi-t.base > t.size.Wave {
		panic("model: a pass of more rows than the tape has memory for")
	}
	p := t.idle.take()
	p.first, p.rows = lo-t.base, hi-lo
	for i := range p.tiles {
		p.cut(i, p.rows)
	}
	return p
}

// Values are an array of a tape, rows of Width numbers, and the layer that computed it.
type Values struct {
	Layer string
	Width int
	X     []float32
}

// Gradients returns the gradients by the outputs of the layers with parameters, for all rows of the
// last wave, in the order of Backward. They serve to find out where numbers stopped being finite.
func (t *Tape) Gradients() (all []Values) {
	for i, g := range slices.Backward(t.grads) {
		if k, ok := t.pairs[i].(layer.Keeper); ok && g == nil {
			g = k.DY()
		}
		if g != nil {
			all = append(all, Values{t.net.nodes[i].name, t.net.nodes[i].shape.Len(), g})
		}
	}
	return all
}
