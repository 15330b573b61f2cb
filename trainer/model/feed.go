package model

import "github.com/plume-ml/plume/trainer/layer"

// fedBy returns the linear layer whose output node i, a SiLU, turns into what another linear layer
// alone reads, rounded. The first can compute what the last reads, so the memory of node i's output
// is in use as soon as the first computes.
func (p *planner) fedBy(i int) (by Node, ok bool) {
	node := &p.Net.nodes[i]
	if _, is := node.layer.(layer.SiLU); !is || len(p.consumers[i]) != 1 || Node(i) == p.out {
		return 0, false
	}
	by = node.in[0]
	_, from := p.Net.nodes[by].layer.(layer.Linear)
	_, to := p.Net.nodes[p.consumers[i][0]].layer.(layer.Linear)
	return by, from && to && len(p.consumers[by]) == 1 && by != p.out && p.products.Keeps()
}

// setFeeding says that node i is computed so, where products can.
func (p *planner) setFeeding(i int) {
	by, ok := p.fedBy(i)
	if !ok {
		return
	}
	in := p.Net.nodes[p.Net.nodes[by].in[0]].shape
	if p.products.FinishesSiLU(in.C, p.Net.nodes[i].shape.C) {
		p.plan.nodes[by].feeds, p.plan.nodes[i].passed = p.consumers[i][0], true
	}
}

// feed computes what node i feeds, and reports whether nothing else is to be computed for node i.
// If values are visited, all of them are computed.
func (p *Pass) feed(i int) (done bool) {
	t := p.tape
	at := &t.plan.nodes[i]
	switch {
	case at.passed:
		return p.Visit == nil
	case at.feeds == 0:
		return false
	}
	tile, reader := &p.tiles[i], &p.tiles[at.feeds]
	reader.Rounded = nil
	if p.Visit != nil {
		return false
	}
	from, reads := t.pairs[i].(layer.Feeder), t.pairs[at.feeds].(layer.Feeder)
	to, kept := reads.Fed(tile.First, tile.N)
	if !kept {
		s := t.net.nodes[i].shape
		to = t.net.products.RoundedIn(reader.X[0], tile.N*s.Pixels(), s.C)
	}
	p.rounded[i] = to
	reader.Rounded = &p.rounded[i]
	silu := t.net.nodes[at.feeds].in[0]
	from.ForwardSiLU(tile, t.plan.nodes[silu].back, to)
	return true
}
