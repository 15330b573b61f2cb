package main

import "github.com/mmcloughlin/avo/ir"

// Comments that mark the stretches to be mixed until the file is closed.
const (
	firstMark  = "mix: first"
	secondMark = "mix: second"
	endMark    = "mix: end"
)

// interleave mixes only where there are 32 registers.
func (a *amd64) interleave(first, second func()) {
	if !a.wide() {
		first()
		second()
		return
	}
	a.c.Comment(firstMark)
	first()
	a.c.Comment(secondMark)
	second()
	a.c.Comment(endMark)
}

// mix merges the marked stretches of a function evenly, keeping the order within each.
func mix(nodes []ir.Node) (out []ir.Node) {
	var first, second []ir.Node
	dst := &out
	for _, n := range nodes {
		if c, ok := n.(*ir.Comment); ok {
			switch c.Lines[0] {
			case firstMark:
				dst = &first
			case secondMark:
				dst = &second
			case endMark:
				out = append(out, merge(first, second)...)
				first, second, dst = nil, nil, &out
			}
			continue
		}
		*dst = append(*dst, n)
	}
	return out
}

func merge(a, b []ir.Node) (out []ir.Node) {
	total := len(a) + len(b)
	for i, j := 0, 0; len(out) < total; {
		if j == len(b) || i < len(a) && i*len(b) <= j*len(a) {
			out, i = append(out, a[i]), i+1
		} else {
			out, j = append(out, b[j]), j+1
		}
	}
	return out
}
