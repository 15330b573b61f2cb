package model

import (
	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/memory"
)

// Pass takes a tile of rows through a network: set the inputs, call Forward, read Out; set DOut to
// the gradient of the loss by the output, and call Backward; then Release.
type Pass struct {
	tape        *Tape
	first, rows int
	scratch     []float32
	tiles       []layer.Tile   // what each layer sees
	rounded     []blas.Rounded // what each layer is fed with

	// Visit, unless nil, is called after each layer's Forward with its output. It serves to find
	// out where numbers stopped being finite. Release sets it to nil.
	Visit func(v Values)
}

func (t *Tape) newPass(a *memory.Arena) *Pass {
	p := &Pass{
		tape:    t,
		scratch: a.Floats(memory.Activations, t.plan.row*t.size.Tile+t.plan.call),
	}
	a.Fill(func() {
		p.tiles = make([]layer.Tile, len(t.net.nodes))
		p.rounded = make([]blas.Rounded, len(t.net.nodes))
	})
	return p
}

// at returns the pass's first n rows of an array: all is that of the wave, if it is kept.
func (p *Pass) at(where place, all []float32, n int) []float32 {
	switch where.kind {
	case kept:
		return all[p.first*where.width:][:n*where.width]
	case scratch:
		return p.scratch[where.span.offset*p.tape.size.Tile:][:n*where.width]
	}
	return nil
}

// cut gives the layer of node i its first n rows.
func (p *Pass) cut(i, n int) {
	t, tile := p.tape, &p.tiles[i]
	node, at := &t.net.nodes[i], &t.plan.nodes[i]
	tile.First, tile.N, tile.Add = p.first, n, at.add
	tile.Y, tile.DY = p.at(at.value, t.values[i], n), p.at(at.grad, t.grads[i], n)
	tile.Keep = p.at(at.own, nil, n)
	tile.Scratch = p.scratch[t.plan.row*t.size.Tile:][:at.memory.Scratch]
	for k, in := range node.in {
		from := &t.plan.nodes[in]
		tile.X[k] = p.at(from.value, t.values[in], n)
		tile.DX[k] = p.at(from.grad, t.grads[in], n)
	}
	if at.spare.kind == scratch {
		tile.X[0] = p.at(at.spare, nil, n)
	}
}

// In is the rows of an input. Forward may overwrite them.
func (p *Pass) In(input int) []float32 { return p.tiles[p.tape.net.inputs[input]].Y }

// SetCondition sets the input [Condition], if the network has one. conditions has a row for every
// each rows of the batch, of which the pass's first is row first; nil: no row has a condition.
func (p *Pass) SetCondition(conditions []float32, first, each int) {
	input := p.tape.net.Input(Condition)
	if input < 0 {
		return
	}
	in, width := p.In(input), p.tape.net.Width(input)
	if conditions == nil {
		clear(in)
		return
	}
	for i := range p.rows {
		c := (first + i) / each
		copy(in[i*width:(i+1)*width], conditions[c*width:(c+1)*width])
	}
}

// Out is the rows of the output, from Forward until Backward.
func (p *Pass) Out() []float32 { return p.tiles[p.tape.net.out].Y }

// DOut is the gradient of the loss by the rows of the output.
func (p *Pass) DOut() []float32 { return p.tiles[p.tape.net.out].DY }

// Forward computes the output.
func (p *Pass) Forward() {
	for i := range p.tiles {
		p.forward(i)
	}
}

func (p *Pass) forward(i int) {
	t, tile := p.tape, &p.tiles[i]
	if t.pairs[i] == nil {
		return
	}
	if p.feed(i) {
		return
	}
	if at := &t.plan.nodes[i]; at.spare.kind == scratch {
		in := t.net.nodes[i].in[0]
		copy(tile.X[0], p.tiles[in].Y)
	}
	t.pairs[i].Forward(tile)
	if p.Visit != nil {
		p.Visit(Values{t.net.nodes[i].name, t.plan.nodes[i].value.width, tile.Y})
	}
}

// ForwardAt is Forward of a network with an input [Lambda] for rows that all have the level lambda:
// what depends on it alone is computed once.
func (p *Pass) ForwardAt(lambda float32) {
	t := p.tape
	for i := range p.tiles {
		node := &t.net.nodes[i]
		if !node.level {
			p.forward(i)
			continue
		}
		p.cut(i, 1)
		if node.layer == nil {
			p.tiles[i].Y[0] = lambda
		}
		p.forward(i)
		p.cut(i, p.rows)
		if y, w := p.tiles[i].Y, t.plan.nodes[i].value.width; t.plan.nodes[i].spread {
			for lo := w; lo < len(y); lo += w {
				copy(y[lo:lo+w], y[:w])
			}
		}
	}
}

// Backward computes the gradient by the first input into din, unless that is nil, and prepares the
// gradient by the parameters. It overwrites what Forward computed.
func (p *Pass) Backward(din []float32) {
	t := p.tape
	first := t.net.inputs[0]
	for i := len(p.tiles) - 1; i >= 0; i-- {
		if t.pairs[i] == nil || !t.plan.nodes[i].back {
			continue
		}
		tile := &p.tiles[i]
		for k, in := range t.net.nodes[i].in {
			if in == first {
				tile.DX[k] = din
			}
		}
		t.pairs[i].Backward(tile)
	}
}

// Release ends the pass.
func (p *Pass) Release() {
	p.Visit = nil
	p.tape.idle.release(p)
}
