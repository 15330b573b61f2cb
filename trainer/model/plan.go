package model

import (
	"cmp"
	"slices"

	"github.com/plume-ml/plume/trainer/layer"
)

// plan says where the values of a pass lie. Those that gradients by parameters read are kept for
// all rows of a wave. The others share the scratch memory of the pass: a number's place is free
// again after its last reader.
//
// Time runs over the calls of a pass: Forward of node i at time i, what the caller does with the
// output at time n, and Backward of node i at time 2n - i.
type plan struct {
	use   Use
	nodes []placed
	row   int // numbers of scratch a row
	call  int // numbers of scratch within a call
}

// placed says where the arrays of a node lie.
type placed struct {
	memory layer.Memory
	value  place // its output
	grad   place // the gradient by it; the first input's belongs to the caller
	own    place // what the layer keeps
	spare  place // a copy of the first input for a layer that spoils it while others read it
	add    [layer.MaxInputs]bool
	back   bool // there is a gradient by its output, and Backward of its layer
	feeds  Node // what its layer feeds through the SiLU behind it; 0: nothing
	passed bool // it is such a SiLU
	spread bool // it depends on the level alone, and has a reader that does not
}

// place is where an array lies: nowhere, in an array of all rows, or in the scratch memory.
type place struct {
	kind  placeKind
	span  *span
	width int // numbers a row
}

type placeKind uint8

const (
	nowhere placeKind = iota
	kept
	scratch
)

// span is numbers of scratch, from their first use to their last.
type span struct {
	width       int
	first, last int
	offset      int
}

// planner makes a plan.
type planner struct {
	*Net
	plan
	spans     []*span
	consumers [][]Node // of each node, in order
}

// plan returns the plan of a tape.
func (n *Net) plan(use Use) *plan {
	if n.frozen != nil {
		use = min(use, Differentiate) // constants have no gradient
	}
	p := &planner{Net: n, consumers: make([][]Node, len(n.nodes))}
	p.plan = plan{use: use, nodes: make([]placed, len(n.nodes))}
	for i, node := range n.nodes {
		p.plan.nodes[i].back = use == Train && node.gradient ||
			use == Differentiate && node.through
		if node.layer == nil {
			continue
		}
		memory := node.layer.Memory(n.shapes(node.in)...)
		p.plan.nodes[i].memory = memory.With(n.products)
		p.call = max(p.call, p.plan.nodes[i].memory.Scratch)
		for k, in := range node.in {
			if !slices.Contains(node.in[:k], in) {
				p.consumers[in] = append(p.consumers[in], Node(i))
			}
		}
	}
	for i := range n.nodes {
		p.setFeeding(i)
		p.placeValue(i)
		p.placeOwn(i)
		mixed := func(c Node) bool { return !n.nodes[c].level }
		p.plan.nodes[i].spread = n.nodes[i].level &&
			(Node(i) == n.out || slices.ContainsFunc(p.consumers[i], mixed))
	}
	for i := len(n.nodes) - 1; i >= 0; i-- {
		p.placeGradient(i)
	}
	p.row = pack(p.spans)
	return &p.plan
}

func (p *planner) backward(i Node) int { return 2*len(p.Net.nodes) - int(i) }

// scratch is a new array from the first time to the last.
func (p *planner) scratch(width, first, last int) place {
	s := &span{width: width, first: first, last: last}
	p.spans = append(p.spans, s)
	return place{kind: scratch, span: s, width: width}
}

// lastRead is the time when node i's value is read last.
func (p *planner) lastRead(i int) (last int) {
	last = i
	if Node(i) == p.out || p.Net.nodes[i].layer == nil { // the caller may read it
		last = len(p.Net.nodes)
	}
	for _, c := range p.consumers[i] {
		last = max(last, int(c))
		if at := p.plan.nodes[c]; at.back && at.memory.ReadsX {
			last = max(last, p.backward(c))
		}
	}
	return last
}

// placeValue places node i's output.
func (p *planner) placeValue(i int) {
	width, last := p.Net.nodes[i].shape.Len(), p.lastRead(i)
	at := &p.plan.nodes[i]
	keeps := func(c Node) bool {
		return p.plan.nodes[c].memory.KeepsX && p.Net.nodes[c].in[0] == Node(i)
	}
	if p.use == Train && slices.ContainsFunc(p.consumers[i], keeps) {
		at.value = place{kind: kept, width: width}
		return
	}
	if in := p.Net.nodes[i].in; len(in) > 0 && at.memory.InPlace {
		from := p.plan.nodes[in[0]].value
		if from.kind == scratch && from.width == width && from.span.last == i {
			from.span.last = last
			at.value = from
			return
		}
	}
	first := i
	if p.Net.nodes[i].layer == nil {
		first = -1 // the caller sets all inputs first
	}
	if by, ok := p.fedBy(i); ok {
		first = int(by)
	}
	at.value = p.scratch(width, first, last)
}

// placeOwn places what the layer of node i keeps, and the copy of an input that it would spoil for
// others.
func (p *planner) placeOwn(i int) {
	at := &p.plan.nodes[i]
	last := i
	if at.back {
		last = p.backward(Node(i))
	}
	if at.memory.Keep > 0 {
		at.own = p.scratch(at.memory.Keep, i, last)
	}
	if !at.memory.Spoils {
		return
	}
	in := p.Net.nodes[i].in[0]
	value := p.plan.nodes[in].value
	if value.kind == kept || len(p.consumers[in]) > 1 || in == p.out {
		at.spare = p.scratch(value.width, i, last)
	}
}

// placeGradient places the gradient by node i, whose consumers come after it, and so were placed
// before it.
func (p *planner) placeGradient(i int) {
	node, at := p.Net.nodes[i], &p.plan.nodes[i]
	if !at.back {
		return
	}
	first, by := len(p.Net.nodes), Node(-1) // the caller sets the gradient by the output
	if consumers := p.consumers[i]; Node(i) != p.out && len(consumers) > 0 {
		by = consumers[len(consumers)-1]
		first = p.backward(by)
	}
	set := Node(i) == p.out
	for _, c := range slices.Backward(p.consumers[i]) {
		for k, in := range p.Net.nodes[c].in {
			if in == Node(i) {
				p.plan.nodes[c].add[k] = set
				set = true
			}
		}
	}
	width, last := node.shape.Len(), p.backward(Node(i))
	switch {
	case node.layer == nil: // the caller's
	case p.use == Train && at.memory.KeepsDY:
		at.grad = place{kind: kept, width: width}
	case by >= 0 && p.passesOn(by, Node(i)):
		at.grad = p.plan.nodes[by].grad
		at.grad.span.last = last
	default:
		at.grad = p.scratch(width, first, last)
	}
}

// passesOn reports whether the gradient by node i can lie where that by the output of c lies, which
// c reads and is the first to turn into the former.
func (p *planner) passesOn(c, i Node) bool {
	by := p.plan.nodes[c]
	in := p.Net.nodes[c].in
	return by.memory.InPlaceBack && in[0] == i && !slices.Contains(in[1:], i) &&
		by.grad.kind == scratch && by.grad.width == p.Net.nodes[i].shape.Len()
}

// pack gives each span its offset, the largest first, each at the lowest place that is free as long
// as it lasts, and returns the numbers of scratch a row.
func pack(spans []*span) (size int) {
	order := slices.Clone(spans)
	slices.SortStableFunc(order, func(a, b *span) int { return cmp.Compare(b.width, a.width) })
	var done []*span
	for _, s := range order {
		for _, d := range done { // in the order of their offsets
			if d.first <= s.last && s.first <= d.last {
				if s.offset+s.width <= d.offset {
					break
				}
				s.offset = max(s.offset, d.offset+d.width)
			}
		}
		at, _ := slices.BinarySearchFunc(done, s, func(a, b *span) int {
			return cmp.Compare(a.offset, b.offset)
		})
		done = slices.Insert(done, at, s)
		size = max(size, s.offset+s.width)
	}
	return size
}
