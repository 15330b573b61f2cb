// Package layer is the layers of networks, one file each: its mathematics in the comment, Forward
// beside Backward, its shapes and its parameters. Package model builds networks from them, and
// decides where their values lie.
//
// A row is H x W pixels of C channels, channels last; arrays are row-major float32. Rows never
// feel each other: a worker takes a tile of rows through all layers of a network, forward and back,
// in scratch memory of its own. Only what the gradients by parameters read is kept for all rows of
// a wave, which is a batch or a part of one.
//
// To add a layer, write a type with the methods of [Layer]; no other file changes.
package layer

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// Layer describes a layer. It holds sizes, and no numbers.
type Layer interface {
	// Out is the shape of the output. The error says what does not fit, and what would.
	Out(in ...Shape) (Shape, error)
	// Params lists the parameters in the order of [Values.Param].
	Params(in ...Shape) []Param
	// Memory says what the layer keeps and reads.
	Memory(in ...Shape) Memory
	// Bind gives the layer its parameters, and memory from the arena for the life of a tape. It
	// must not read or slice arrays: a counting arena makes none.
	Bind(v Values, in ...Shape) Pair
}

// Param is a named array of parameters.
type Param struct {
	Name  string
	Shape []int
	Bound float64 // initial values are uniform in (-Bound, Bound]; 0: they are zero
}

// MaxInputs is the largest number of inputs of a layer.
const MaxInputs = 3

// Memory says which numbers a layer needs beyond its inputs and its output.
type Memory struct {
	Keep    int // a row, from Forward to Backward
	Scratch int // within one call, however many rows it has

	ReadsX      bool // Backward reads the inputs
	InPlace     bool // the output may lie where the first input lies, whose last reader this is
	InPlaceBack bool // the first input's gradient may lie where the output's gradient lies
	Spoils      bool // Forward leaves something else where the first input lay, for Backward

	// Gradients by parameters read the first input, or the output's gradient, of all rows.
	KeepsX, KeepsDY bool
	// They read them as factors of products alone: with products for which [blas.Backend.Keeps],
	// the layer keeps them itself, rounded.
	RoundsX, RoundsDY bool
}

// With is what a layer needs with the given products.
func (m Memory) With(products *blas.Backend) Memory {
	keeps := products.Keeps()
	m.RoundsX, m.RoundsDY = m.RoundsX && keeps, m.RoundsDY && keeps
	m.KeepsX, m.KeepsDY = m.KeepsX && !m.RoundsX, m.KeepsDY && !m.RoundsDY
	return m
}

// Values is what a layer is bound to.
type Values struct {
	Products *blas.Backend
	Arena    *memory.Arena
	P        []float32 // parameters of the whole network
	At       []Range   // where those of this layer lie, in the order of Params
	Rows     int       // the most rows of a wave
	Workers  int       // for whom work is cut into tasks, where the cut shows in no bits; 0: 1
	Most     float64   // what a task of the gradients should cost at most; 0: no bound
	Grads    bool      // gradients by the parameters are wanted
	AsksX    bool      // Backward is asked for the gradient by the first input

	X, DY []float32 // of all rows of a wave, where Memory asks for them
}

// tooDear reports whether a task of the gradients would keep workers waiting.
func (v Values) tooDear(cost float64) bool { return v.Most > 0 && cost > v.Most }

// Param returns where parameter i lies in a flat buffer of the network's.
func (v Values) Param(i int) Range { return v.At[i] }

// Range is a part of a flat buffer.
type Range struct{ Lo, Hi int }

// Of returns the part of a buffer.
func (r Range) Of(buffer []float32) []float32 { return buffer[r.Lo:r.Hi] }

// Block is the part as a block of the buffer.
func (r Range) Block() memory.Block { return memory.Span(r.Lo, r.Hi) }

// Pair is a layer bound to its parameters. Calls with disjoint rows may run at once.
type Pair interface {
	// Forward computes Y from X.
	Forward(t *Tile)
	// Backward computes those DX that are not nil from DY: sets them, or adds to what they hold
	// where Add says so.
	Backward(t *Tile)
}

// Tile is a layer's view of some rows on their way through a network.
type Tile struct {
	First   int // number of the first row in the wave
	N       int // rows
	X, DX   [MaxInputs][]float32
	Y, DY   []float32
	Keep    []float32 // Memory.Keep numbers a row
	Scratch []float32 // Memory.Scratch numbers
	Add     [MaxInputs]bool
	Rounded *blas.Rounded // X[0], if a [Feeder] computed it; else nil
}

// Weighted is a Pair with parameters.
type Weighted interface {
	Pair
	// PackTasks lay the parameters out for products. They must run whenever the parameters have
	// changed, before Forward or Backward.
	PackTasks() []Task
	// GradTasks compute the gradient by the parameters over the rows of the wave, after all rows
	// have gone forward and back. w is read when a task runs. They write disjoint blocks.
	GradTasks(w *Wave) []GradTask
}

// Keeper is a Pair that may keep the output's gradient itself.
type Keeper interface {
	// DY is that of all rows of a wave; nil if it is not kept here.
	DY() []float32
}

// Task is a part of the work that does not depend on other parts.
type Task struct {
	Cost float64 // about the multiply-adds it takes; the dearest should start first
	Do   func()
}

// GradTask computes some blocks of the gradient by the parameters.
type GradTask struct {
	Task
	Writes []memory.Block // of Wave.Grad
	// Parts must be done before Do, each by itself and all at once if need be. The cost of the task
	// is that of all. nil: there are none.
	Parts []Task
	// Pack lays the blocks' parameters out for products, once they have changed. nil: the packing
	// tasks do, when all blocks of the layer have.
	Pack func()
}

// Run does the parts and the task.
func (g GradTask) Run() {
	for _, part := range g.Parts {
		part.Do()
	}
	g.Do()
}

// Wave is a part of the rows of a batch, and what becomes of the gradients by parameters over it.
// Sums go on from wave to wave, so that with native products no cut into waves shows in the bits.
// A wave with several lanes is not interrupted: it is first and last.
type Wave struct {
	Rows  int
	First bool       // gradients start from zero; else they go on from what Grad holds
	Last  bool       // the sum ends with this wave
	Scale float32    // the gradient is this times the sum over all rows
	Grad  []float32  // laid out as the parameters
	Lanes blas.Lanes // of the rows
}

// Sum computes a gradient that is a vector, scale times a sum over the rows; add adds that of rows
// lo to hi of the wave to sum.
func (w *Wave) Sum(grad []float32, scale float32, add func(sum []float32, lo, hi int)) {
	if w.Lanes.Several() {
		whole := blas.Dense(grad, 1, len(grad))
		w.Lanes.Sum(whole, nil, func(_, lo, hi int, c blas.Matrix, _ []float32) {
			clear(c.Data)
			add(c.Data, lo, hi)
			kernel.Scale(c.Data, scale)
		})
		return
	}
	if w.First {
		clear(grad)
	}
	add(grad, 0, w.Rows)
	if w.Last {
		kernel.Scale(grad, scale)
	}
}

func (w *Wave) beta() float32 { return beta(!w.First) }

// beta is the factor of what a product's result holds, if it is added to that.
func beta(add bool) float32 {
	if add {
		return 1
	}
	return 0
}
