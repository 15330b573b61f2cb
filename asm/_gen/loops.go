package main

import "fmt"

// stream is an array that a loop walks along, with the size of its elements in bytes.
type stream struct {
	p    gp
	size int
}

func (s stream) off(block int) int { return block * blockLen * s.size }

// floats are the streams of float32 parameters.
func (m machine) floats(params ...string) []stream {
	out := make([]stream, len(params))
	for i, p := range params {
		out[i] = stream{m.base(p), 4}
	}
	return out
}

func (m machine) get(s stream, block int) vec    { return m.load(s.p, s.off(block)) }
func (m machine) put(v vec, s stream, block int) { m.store(v, s.p, s.off(block)) }
func (m machine) advance(s stream, n gp)         { m.addScaled(s.p, n, s.size) }
func (m machine) restart(s stream) stream        { return stream{m.copyGP(s.p), s.size} }

// span runs body for every block of n elements, consuming n and leaving the streams behind their
// last element. body gets the number of the block from the streams' present place. Labels begin
// with name.
func (m machine) span(name string, n gp, unroll int, streams []stream, body func(block int)) {
	m.spans(name, n, []int{unroll, 1}[:min(unroll, 2)], streams, func(blocks int) {
		for i := range blocks {
			body(i)
		}
	})
}

// mixed is span for a body with a long chain of operations: where a block is one register, it
// interleaves the chains of several blocks.
func (m machine) mixed(name string, n gp, streams []stream, body func(block int)) {
	if m.parts() > 1 {
		m.span(name, n, 1, streams, body)
		return
	}
	m.spans(name, n, []int{mixedBlocks, 1}, streams, func(blocks int) {
		m.interleave(func() {
			for i := range blocks {
				body(i)
			}
		}, func() {})
	})
}

const mixedBlocks = 2

// spans is span for a body that handles several blocks at once: as many as the first of unrolls
// while there are that many, then as many as the next, the last of which is 1, then the elements
// that do not fill a block.
func (m machine) spans(
	name string, n gp, unrolls []int, streams []stream, body func(blocks int),
) {
	for _, u := range unrolls {
		loop := fmt.Sprintf("%s%d", name, u)
		m.branch(n, less, u*blockLen, loop+"end")
		m.label(loop)
		body(u)
		for _, s := range streams {
			m.addImm(s.p, u*blockLen*s.size)
		}
		m.addImm(n, -u*blockLen)
		m.branch(n, greaterEqual, u*blockLen, loop)
		m.label(loop + "end")
	}
	m.branch(n, equal, 0, name+"done")
	m.tail(n)
	body(1)
	m.full()
	for _, s := range streams {
		m.advance(s, n)
	}
	m.label(name + "done")
}

// eachRow runs body for every one of n rows, consuming n.
func (m machine) eachRow(n gp, body func()) {
	m.branch(n, equal, 0, "rowsdone")
	m.label("rows")
	body()
	m.addImm(n, -1)
	m.branch(n, notEqual, 0, "rows")
	m.label("rowsdone")
}

// perRow is the number of the present row in an array of one float32 per row, in all lanes; it
// steps to the next row.
func (m machine) perRow(s stream) vec {
	v := m.broadcast(s.p, 0)
	m.addImm(s.p, 4)
	return v
}
