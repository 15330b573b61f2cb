package method

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/pool"
)

// network is one flat buffer of parameters in training: values, gradient, optimiser.
type network struct {
	name string
	p, g []float32
	opt  *optim.Optimizer
}

// The numbers of the networks in the init stream.
const (
	decoderNet uint32 = iota
	priorNet
)

func newNetwork(name string, l *model.Layout, o Options, seed uint64, number uint32) (*network, error) {
	n := &network{name: name, p: kernel.Floats(l.Size()), g: kernel.Floats(l.Size())}
	l.Init(n.p, seed, number)
	var err error
	n.opt, err = optim.New(optim.Kind(o.Optimizer), n.p, o.EMA)
	return n, err
}

// updateChunk is how many parameters one optimiser task updates.
const updateChunk = 1 << 15

func (n *network) updateTasks() int {
	if len(n.p) == 0 {
		return 0
	}
	return pool.Pieces(len(n.p), updateChunk)
}

// passes counts a row's passes through the network: none through one without parameters.
func (n *network) passes(draws int) float64 {
	if len(n.p) == 0 {
		return 0
	}
	return float64(draws)
}

func (n *network) update(task int) {
	lo, hi := pool.Span(len(n.p), n.updateTasks(), task)
	n.opt.Apply(n.p, n.g, lo, hi)
}

// Names of a network's tensors in a checkpoint, after the network's own name.
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
			ts = append(ts, checkpoint.Tensor{Name: n.name + t.name, Shape: []int{len(t.x)}, F32: t.x})
		}
	}
	return append(ts, checkpoint.Tensor{Name: n.name + "/steps", Shape: []int{1}, U32: n.opt.Steps})
}
