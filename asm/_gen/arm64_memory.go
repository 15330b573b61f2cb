package main

import "fmt"

// Blocks of a tail pass through a scratch of 64 bytes at the beginning of the frame.

func (a *neon) tail(n gp) { a.f.left = n.(*armValue) }
func (a *neon) full()     { a.f.left = nil }

func (a *neon) scratch() *armValue {
	a.f.scratch = 4 * blockLen
	return a.f.frame
}

// copyTail copies the elements of a tail from one place to another, the last first.
func (a *neon) copyTail(from, to *armValue, load, store, scale string) {
	loop, i, x := a.fresh("tail"), a.copyGP(a.f.left), newGP()
	a.label(loop)
	a.addImm(i, -1)
	a.text(load+" (%N)(%M"+scale+"), %D", out('D', x), in('N', from), in('M', i))
	a.text(store+" %D, (%N)(%M"+scale+")", in('D', x), in('N', to), in('M', i))
	a.branch(i, notEqual, 0, loop)
}

// offset is the address p+off.
func (a *neon) offset(p gp, off int) *armValue {
	if off == 0 {
		return p.(*armValue)
	}
	r := newGP()
	a.text(fmt.Sprintf("ADD $%d, %%N, %%D", off), out('D', r), in('N', p))
	return r
}

func (a *neon) pairs(p gp, off int) vec {
	v := make(vec, a.parts())
	for i := 0; i < len(v); i += 2 {
		x, y := newVector(), newVector()
		a.code(loadQs, off+16*i, out('D', x), out('T', y), in('N', p))
		v[i], v[i+1] = x, y
	}
	return v
}

func (a *neon) putPairs(v vec, p gp, off int) {
	for i := 0; i < a.parts(); i += 2 {
		a.code(storeQs, off+16*i, in('D', v.at(i)), in('T', v.at(i+1)), in('N', p))
	}
}

func (a *neon) load(p gp, off int) vec {
	if a.f.left == nil {
		return a.pairs(p, off)
	}
	return a.loadOr(p, off, vec{a.clear()})
}

func (a *neon) loadOr(p gp, off int, other vec) vec {
	if a.f.left == nil {
		return a.pairs(p, off)
	}
	s := a.scratch()
	a.putPairs(other, s, 0)
	a.copyTail(a.offset(p, off), s, "MOVWU", "MOVW", "<<2")
	return a.pairs(s, 0)
}

func (a *neon) store(v vec, p gp, off int) {
	if a.f.left == nil {
		a.putPairs(v, p, off)
		return
	}
	s := a.scratch()
	a.putPairs(v, s, 0)
	a.copyTail(s, a.offset(p, off), "MOVWU", "MOVW", "<<2")
}

func (a *neon) inTail(v vec) vec {
	if a.f.left == nil {
		return v
	}
	n, out := a.spreadWord(a.f.left), make(vec, a.parts())
	for i := range out {
		lane := uint32(4 * i)
		mask := a.op2(iCMGT, n, a.constant([4]uint32{lane, lane + 1, lane + 2, lane + 3}))
		out[i] = a.op2(vAND, v.at(i), mask)
	}
	return out
}

func (a *neon) loadU8(p gp, off int) vec {
	bytes := newVector()
	if a.f.left == nil {
		a.code(loadQ, off, out('D', bytes), in('N', p))
	} else {
		s := a.scratch()
		a.code(storeQ, 0, in('D', a.clear()), in('N', s))
		a.copyTail(a.offset(p, off), s, "MOVBU", "MOVB", "")
		a.code(loadQ, 0, out('D', bytes), in('N', s))
	}
	lo, hi := a.op1(wideBytes, bytes), a.op1(wideBytes2, bytes)
	return vec{
		a.op1(wideHalves, lo), a.op1(wideHalves2, lo), a.op1(wideHalves, hi),
		a.op1(wideHalves2, hi),
	}
}

func (a *neon) storeU8(v vec, p gp, off int) {
	lo, hi := a.op2(evenH, v.at(0), v.at(1)), a.op2(evenH, v.at(2), v.at(3))
	bytes := a.op2(evenB, lo, hi)
	if a.f.left == nil {
		a.code(storeQ, off, in('D', bytes), in('N', p))
		return
	}
	s := a.scratch()
	a.code(storeQ, 0, in('D', bytes), in('N', s))
	a.copyTail(s, a.offset(p, off), "MOVBU", "MOVB", "")
}

func (a *neon) broadcast(p gp, off int) vec {
	d := newVector()
	a.code(loadSpread, 0, out('D', d), in('N', a.offset(p, off)))
	return vec{d}
}

func (a *neon) loadScalar(p gp, off int) part {
	d := newVector()
	a.code(loadS, off, out('D', d), in('N', p))
	return d
}

func (a *neon) storeScalar(s part, p gp, off int) { a.code(storeS, off, in('D', s), in('N', p)) }
