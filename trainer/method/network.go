package method

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// network is one flat buffer of parameters in training, with its gradient and its optimiser. Its
// tasks lay the parameters out for products (pack), and compute the gradient by blocks (reduce).
// After the last rows of a pass (lesson), a task also adds its blocks to the sum of the step's
// gradients; or the last task of a band updates the band's parameters and lays them out anew.
type network struct {
	name   string
	number uint32    // decoderNet, ...
	p, g   []float32 // parameters and gradient
	sum    []float32 // sum of a step's gradients before the last, if they are averaged
	opt    *optim.Optimizer
	layout *model.Layout

	held   [][]float32 // sums of lanes that wait (lanes.go)
	now    wave        // whose part the gradient tasks compute
	tape   weightTape
	clock  *phase.Clock
	work   float64        // multiplications of the products for a row, forward
	packed bool           // the tape's packed weights are up to date
	summed int            // number of the step's gradients in sum
	then   func(task int) // what follows a task's part of the gradient; nil: nothing

	// The band of each task. Sums of squares of the gradient of each band and of its new
	// parameters, by the number of its first task, and scratch to compute them.
	bands            []*band
	gSquare, pSquare []float64
	sums             pool.Scratch[[]float32]

	// The tasks, made once so that a step does not allocate.
	packTask, reduceTask, emptyTask, accumulateTask, updateTask func(task int)
}

// weightTape is the part of a network's tape that concerns its weights.
type weightTape interface {
	model.Packer
	Reduce(w layer.Wave)
	GradTasks() int
	GradPieces() int
	GradPiece(piece int) (task int, done bool)
	Writes(task int) []memory.Block
	Updated(task int)
	Work() float64
}

// The numbers of the networks in the streams of their initial weights and of their noise.
const (
	decoderNet uint32 = iota
	priorNet
	encoderNet
)

// Networks lists the names of the networks in the order of Stats.GradientNorm.
var Networks = [3]string{decoderNet: "decoder", priorNet: "prior", encoderNet: "encoder"}

// newNetwork makes the network with the given number and the parameters of l, to be trained with
// the setup's options.
func (s *Setup) newNetwork(a *memory.Arena, number uint32, l *model.Layout) (*network, error) {
	o, size := &s.Options, l.Size()
	n := &network{
		name: Networks[number], number: number, layout: l,
		p: a.Floats(memory.Parameters, size), g: a.Floats(memory.Gradients, size),
	}
	for range s.waiting() {
		n.held = append(n.held, a.Floats(memory.Gradients, size))
	}
	var err error
	if n.opt, err = optim.New(a, o.Optimizer, size, o.EMA); err != nil {
		return nil, err
	}
	if o.ParamDrag > 0 {
		n.opt.UseMomentum(a, o.ParamDrag, size)
	}
	if number == decoderNet {
		n.opt.WeightDecay, n.opt.Spared = o.DecoderDecay, scalesOf(l)
	}
	a.Fill(func() {
		l.Init(n.p, s.Seed, number)
		n.opt.StartAverage(n.p)
	})
	return n, nil
}

// scalesOf are the scales among the parameters, which do not decay: that would draw them to a tenth
// of a standard deviation, and those of tables of few rows would stay far below what maximises the
// likelihood (bench/study). They do not learn faster than others, either: they would be large
// before the decoder has learnt, and the latents would then never be of use.
func scalesOf(l *model.Layout) optim.Spared {
	for _, p := range l.Params() {
		if p.Name == model.Scales {
			return optim.Spared{Lo: p.Offset, Hi: p.Offset + p.Len}
		}
	}
	return optim.Spared{}
}

// follow prepares the network for the steps of a flow with course c.
func (n *network) follow(a *memory.Arena, s Setup, c course) {
	if c.average {
		n.sum = a.Floats(memory.Gradients, n.layout.Size())
	}
	o := &s.Options
	n.opt.Noise = optim.Noise{
		Scale: o.ParamNoise / math.Sqrt(float64(s.Train.Len()*o.Particles)),
		Seed:  s.Seed, Network: n.number,
	}
}

// bind sets the network's tape, which must be bound to its parameters.
func (n *network) bind(s Setup, t weightTape) {
	n.tape, n.clock, n.work = t, s.Clock, t.Work()
	n.packTask, n.reduceTask, n.emptyTask = n.packPart, n.reducePart, n.emptyPart
	n.accumulateTask, n.updateTask = n.accumulatePart, n.updatePart
	n.bands = newBands(t.GradTasks(), t.Writes)
	n.gSquare, n.pSquare = make([]float64, t.GradTasks()), make([]float64, t.GradTasks())
	n.sums = pool.NewScratch(s.Pool, func() []float32 { return make([]float32, squareSums) })
}

// pack returns the tasks that lay the parameters out for products, none if they have not changed.
func (n *network) pack() pool.Group {
	if n.packed {
		return pool.Group{}
	}
	n.packed = true
	return pool.Group{N: n.tape.PackTasks(), Do: n.packTask}
}

func (n *network) packPart(task int) {
	defer n.clock.Enter(phase.Pack).End()
	n.tape.Pack(task)
}

// reduce returns the tasks that compute the part of a wave in the gradient of the mean loss over so
// many rows of each datapoint, g.
func (n *network) reduce(w wave, each int) pool.Group {
	rows := w.rows(each)
	rows.Grad = n.g
	n.tape.Reduce(rows)
	n.now, n.then = w, nil
	if w.first == w.last {
		return pool.Group{N: n.tape.GradTasks(), Do: n.emptyTask}
	}
	return pool.Group{N: n.tape.GradPieces(), Do: n.reduceTask}
}

// lesson is what a network learns at the end of a pass: its gradient joins the sum of a number of
// earlier ones or, with the last pass, the optimiser makes a step with the mean of all.
type lesson struct {
	*network
	each    int // rows of each datapoint
	earlier int // gradients in the sum
	last    bool
	lr      float64 // learning rate of the step
}

// whole returns the tasks that compute the part of the last wave, and do what follows.
func (l lesson) whole(w wave) pool.Group {
	tasks := l.reduce(w, l.each)
	l.then = l.following()
	return tasks
}

// rest returns the tasks that do what follows, once the gradient is there.
func (l lesson) rest() pool.Group {
	return pool.Group{N: l.tape.GradTasks(), Do: l.following()}
}

// following is what follows a task's part of the gradient.
func (l lesson) following() func(task int) {
	if l.summed = l.earlier; !l.last {
		return l.accumulateTask
	}
	l.opt.Begin(l.lr)
	return l.updateTask
}

func (n *network) reducePart(piece int) {
	now := n.clock.Enter(phase.Reduce)
	task, done := n.tape.GradPiece(piece)
	if done {
		n.join(task)
	}
	if now.End(); done && n.then != nil {
		n.then(task)
	}
}

// emptyPart is a task's part of the gradient of a lane without datapoints.
func (n *network) emptyPart(task int) {
	now := n.clock.Enter(phase.Reduce)
	for _, b := range n.tape.Writes(task) {
		for lo, hi := range b.Runs() {
			clear(n.g[lo:hi])
		}
	}
	n.join(task)
	if now.End(); n.then != nil {
		n.then(task)
	}
}

// join adds the sums that wait to a task's part of the gradient, once the sum of a lane or of
// several is there, and makes it wait itself unless it is the last.
func (n *network) join(task int) {
	w := &n.now
	if !w.ends || w.joins == 0 && !w.holds {
		return
	}
	for _, b := range n.tape.Writes(task) {
		for lo, hi := range b.Runs() {
			for i := range w.joins {
				kernel.Add(n.g[lo:hi], n.held[w.waiting-1-i][lo:hi])
			}
			if w.holds {
				copy(n.held[w.waiting-w.joins][lo:hi], n.g[lo:hi])
			}
		}
	}
}

// The products of a pass for each of the parameters' matrices: forward, with the gradient by the
// input, and with that by the parameters.
const onlyForward, throughInput, byParameters = 1, 2, 3

// count adds the pass of rows through the network to the stats, unless it has no parameters.
func (n *network) count(s *Stats, rows float64, products int) {
	if len(n.p) > 0 {
		s.Evaluations += rows
		s.Operations += 2 * float64(products) * rows * n.work
	}
}

func (n *network) accumulatePart(task int) {
	defer n.clock.Enter(phase.Optimizer).End()
	for _, b := range n.tape.Writes(task) {
		for lo, hi := range b.Runs() {
			if n.summed == 0 {
				copy(n.sum[lo:hi], n.g[lo:hi])
			} else {
				kernel.Add(n.sum[lo:hi], n.g[lo:hi])
			}
		}
	}
}

// updatePart updates the parameters of a task's band, and lays them out for products, if the
// gradients of the band's other tasks are there.
func (n *network) updatePart(task int) {
	band := n.bands[task]
	if !band.done() {
		return
	}
	now := n.clock.Enter(phase.Optimizer)
	if n.summed > 0 {
		n.average(band.blocks)
	}
	first := band.tasks[0]
	n.sums.Use(func(sums []float32) {
		n.gSquare[first], n.pSquare[first] = n.step(sums, band.blocks)
	})
	defer now.Enter(phase.Pack).End()
	for _, task := range band.tasks {
		n.tape.Updated(task)
	}
}

// stepLen is the most numbers that the optimiser goes through at a time: a core's own cache has
// their parameters, gradient and moments from the first squares to the last.
const stepLen = 1 << 14

// step updates the parameters of blocks, and returns the sums of the squares of their gradient and
// of the new parameters. A sum is not finite if one of the numbers, or its square, is not. Then it
// does not apply the gradient, so that the search for the fault can find it.
func (n *network) step(sums []float32, blocks []memory.Block) (gradient, parameters float64) {
	for _, b := range blocks {
		for b := range b.Parts(stepLen) {
			square := squares(sums, n.g, b)
			if gradient += square; finite(square) {
				n.opt.Apply(n.p, n.g, b)
				parameters += squares(sums, n.p, b)
			}
		}
	}
	return gradient, parameters
}

// average turns blocks of the gradient into the mean of it and of those in the sum.
func (n *network) average(blocks []memory.Block) {
	share := float32(1 / float64(n.summed+1))
	for _, b := range blocks {
		for lo, hi := range b.Runs() {
			kernel.Combine(n.g[lo:hi], share, n.sum[lo:hi], share, nil, 0)
		}
	}
}

// Names of a network's tensors, after the network's own name. In a checkpoint each parameter has a
// tensor of its own, named by its path: decoder.up1.block0.conv1.weight, and the same with the
// second part of the name here after it: decoder.up1.block0.conv1.weight/ema.
const (
	tensorParams = "/params"
	tensorEMA    = "/ema"
)

func (n *network) tensors() []checkpoint.Tensor {
	if len(n.p) == 0 {
		return nil
	}
	var ts []checkpoint.Tensor
	for _, t := range []struct {
		name string
		x    []float32
	}{{tensorParams, n.p}, {tensorEMA, n.opt.EMA}, {"/moment1", n.opt.M}, {"/moment2", n.opt.V}} {
		if t.x != nil {
			ts = append(ts, parameterTensor(n.name, t.name, n.layout, t.x))
		}
	}
	return append(ts, checkpoint.Tensor{Name: n.name + "/steps", Shape: []int{1}, U32: n.opt.Steps})
}

// parameterTensor is numbers of a network's parameters, laid out as these are.
func parameterTensor(network, what string, l *model.Layout, x []float32) checkpoint.Tensor {
	t := checkpoint.Tensor{Name: network + what, Shape: []int{len(x)}, F32: x}
	if what == tensorParams {
		what = ""
	}
	for _, p := range l.Params() {
		t.Parts = append(t.Parts,
			checkpoint.Part{Name: network + "." + p.Name + what, Shape: p.Shape})
	}
	return t
}
