package method

import (
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// A step checks its losses before it moves anything, and each block of gradients and weights while
// the optimiser has it in the cache. Only if one of these checks fails, the functions below search
// for the first place, which is slow. They return nil if they find no fault.

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// somewhere returns f, or a fault without a place if the search found none: a sum of finite numbers
// overflowed, or it was not in the last wave.
func somewhere(f *Fault) *Fault {
	if f == nil {
		return &Fault{Kind: InLoss, Network: "model", Value: "not finite"}
	}
	return f
}

// squareBlock is the most squares that are summed in single precision, and squareSums how many such
// sums are made at a time.
const squareBlock, squareSums = 1024, 128

// squares returns the sum of the squares of a block of x. It is not finite if an element or its
// square is not. sums is scratch.
func squares(sums, x []float32, b memory.Block) float64 {
	b = b.Joined()
	if b.Rows > 1 {
		return squareRows(sums, x[b.At:], b.Rows, b.Cols, b.Stride)
	}
	whole, rest := b.Cols/squareBlock, b.Cols%squareBlock
	sum := squareRows(sums, x[b.At:], whole, squareBlock, squareBlock)
	return sum + squareRows(sums, x[b.At+whole*squareBlock:], min(1, rest), rest, rest)
}

// squareRows is squares of rows of cols numbers.
func squareRows(sums, x []float32, rows, cols, stride int) (sum float64) {
	for lo := 0; lo < rows; lo += len(sums) {
		part := sums[:min(len(sums), rows-lo)]
		kernel.SquareRows(part, x[lo*stride:], stride, cols)
		for _, s := range part {
			sum += float64(s)
		}
	}
	return sum
}

// overflowing returns the index of the first element that is not finite. If there is none, it
// returns the index of the largest element in blocks whose sum of squares overflows, or -1.
func overflowing(x []float32) int {
	if i := kernel.NotFinite(x); i >= 0 {
		return i
	}
	largest, sums := -1, make([]float32, squareSums)
	for lo := 0; lo < len(x); lo += squareBlock {
		hi := min(len(x), lo+squareBlock)
		if finite(squares(sums, x, memory.Span(lo, hi))) {
			continue
		}
		for i, v := range x[lo:hi] {
			if largest < 0 || math.Abs(float64(v)) > math.Abs(float64(x[largest])) {
				largest = lo + i
			}
		}
	}
	return largest
}

func text(v float32) string { return fmt.Sprintf("%.3g", v) }

// rows are the rows of a minibatch: draws rows for each particle of each datapoint.
type rows struct {
	index            []int
	particles, draws int
}

func (r rows) len() int { return len(r.index) * r.particles * r.draws }

// name sets the datapoint and the particle of f to those of row i of the minibatch.
func (r rows) name(f *Fault, i int) *Fault {
	m, n := r.index[i/(r.particles*r.draws)], i/r.draws%r.particles
	f.Datapoint = &m
	if r.particles > 1 || r.draws > 1 {
		f.Particle = &n
	}
	return f
}

// images searches the images of a minibatch, of dim numbers each.
func (r rows) images(x []float32, dim int) *Fault {
	r.particles, r.draws = 1, 1
	for i := range r.index {
		if k := overflowing(x[i*dim : (i+1)*dim]); k >= 0 {
			return r.name(&Fault{Kind: InData, Value: text(x[i*dim+k]), Try: tryData}, i)
		}
	}
	return nil
}

// latents searches the latents of a minibatch, of d numbers each.
func (r rows) latents(z []float32, d int) *Fault {
	if i := kernel.NotFinite(z[:r.len()*d]); i >= 0 {
		return r.name(&Fault{Kind: InParticle, Value: text(z[i])}, i/d)
	}
	return nil
}

// losses searches the losses, one number a row.
func (r rows) losses(network string, loss []float32) *Fault {
	if i := kernel.NotFinite(loss[:r.len()]); i >= 0 {
		return r.name(&Fault{Kind: InLoss, Network: network, Value: text(loss[i])}, i)
	}
	return nil
}

// dataLosses searches the decoder's losses, which need not be finite where the squared errors are.
func (r rows) dataLosses(loss []float64) *Fault {
	i := slices.IndexFunc(loss[:r.len()], func(v float64) bool { return !finite(v) })
	if i < 0 {
		return nil
	}
	f := &Fault{Kind: InLoss, Network: "decoder", Value: text(float32(loss[i]))}
	return r.name(f, i)
}

// layer searches what a layer computed for the rows from number first on.
func (r rows) layer(kind Kind, network string, v model.Values, first int) *Fault {
	i := kernel.NotFinite(v.X)
	if i < 0 {
		return nil
	}
	f := &Fault{Kind: kind, Network: network, Layer: v.Layer, Value: text(v.X[i])}
	return r.name(f, first+i/v.Width)
}

// activations runs a network forward again, tile by tile, and searches the outputs of its layers.
// fill sets the inputs of a pass to rows lo to hi.
func (r rows) activations(
	network string, t *model.Tape, tile int, fill func(p *model.Pass, lo, hi int),
) (fault *Fault) {
	for lo := 0; lo < r.len() && fault == nil; lo += tile {
		hi := min(r.len(), lo+tile)
		t.Begin(lo)
		pass := t.Take(lo, hi)
		fill(pass, lo, hi)
		pass.Visit = func(v model.Values) {
			if fault == nil {
				fault = r.layer(InActivation, network, v, lo)
			}
		}
		pass.Forward()
		pass.Release()
	}
	return fault
}

// prior does the same for a prior, whose network has rows for each draw, with the noise of the
// step. evaluate evaluates rows lo to hi.
func (r rows) prior(t prior.Tape, tile int, evaluate func(lo, hi int)) (fault *Fault) {
	n := r.len()
	r.draws = t.Draws()
	defer t.Visit(nil)
	for lo := 0; lo < n && fault == nil; lo += tile {
		t.Wave(lo)
		t.Visit(func(v model.Values) {
			if fault == nil {
				fault = r.layer(InActivation, "prior", v, lo*r.draws)
			}
		})
		evaluate(lo, min(n, lo+tile))
	}
	return fault
}

// priorGradients searches the gradients by the outputs of a prior's layers.
func (r rows) priorGradients(t prior.Tape, waves []wave) *Fault {
	r.draws = t.Draws()
	return r.gradients("prior", t.Gradients(), waves)
}

// gradients searches the gradients by the outputs of a network's layers, which are those of the
// last wave.
func (r rows) gradients(network string, all []model.Values, waves []wave) *Fault {
	each := r.particles * r.draws
	first, last := waves[len(waves)-1].first, waves[len(waves)-1].last
	for _, v := range all {
		v.X = v.X[:(last-first)*each*v.Width]
		if f := r.layer(InGradient, network, v, first*each); f != nil {
			return f
		}
	}
	return nil
}

// badWeight searches the network's parameters at the start of a step.
func (n *network) badWeight() *Fault { return n.weight(kernel.NotFinite) }

// newWeight searches the parameters after the optimiser's step, which must not be too large either.
func (n *network) newWeight() *Fault { return n.weight(overflowing) }

func (n *network) weight(bad func(x []float32) int) *Fault {
	for _, p := range n.layout.Params() {
		if i := bad(n.p[p.Offset : p.Offset+p.Len]); i >= 0 {
			return n.element(InWeight, p, i, n.p)
		}
	}
	return nil
}

// badGradient searches the gradients by the network's parameters, the last layers first.
func (n *network) badGradient() *Fault {
	params := n.layout.Params()
	for k := len(params) - 1; k >= 0; k-- {
		p := params[k]
		if i := overflowing(n.g[p.Offset : p.Offset+p.Len]); i >= 0 {
			return n.element(InGradient, p, i, n.g)
		}
	}
	return nil
}

// element returns the fault of element i of a parameter; values are those of all parameters.
func (n *network) element(kind Kind, p model.Param, i int, values []float32) *Fault {
	return &Fault{
		Kind: kind, Network: n.name, Parameter: p.Name + place(p.Shape, i),
		Value: text(values[p.Offset+i]),
	}
}

// place is the indices of element i of an array of the given shape: [2, 0, 31].
func place(shape []int, i int) string {
	at := make([]int, len(shape))
	for k := len(shape) - 1; k >= 0; k-- {
		at[k], i = i%shape[k], i/shape[k]
	}
	return "[" + config.Text(at) + "]"
}

// settle adds the norm of the gradient of the update to the stats, and reports whether gradient and
// new weights are finite. It sums in the order of the bands, whichever worker updated them.
func (n *network) settle(s *Stats) bool {
	var gradient, weights float64
	for i, v := range n.gSquare {
		gradient += v
		weights += n.pSquare[i]
	}
	s.GradientNorm[n.number] = math.Sqrt(gradient)
	return finite(gradient) && finite(weights)
}
