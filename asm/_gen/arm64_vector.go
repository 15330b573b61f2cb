package main

import "math"

func (a *neon) op1(f *armForm, x part) part {
	d := newVector()
	a.code(f, 0, out('D', d), in('N', x))
	return d
}

func (a *neon) op2(f *armForm, x, y part) part {
	d := newVector()
	a.code(f, 0, out('D', d), in('N', x), in('M', y))
	return d
}

func (a *neon) konstInt(u uint32) vec { return vec{a.constant([4]uint32{u, u, u, u})} }
func (a *neon) konst(f float32) vec   { return a.konstInt(math.Float32bits(f)) }

// table takes the two registers that lookups read.
func (a *neon) table(t [8]uint32) part {
	a.f.table = true
	var pair [2]*armValue
	for i := range pair {
		v := a.constant([4]uint32(t[4*i:]))
		v.fixed, v.reg = true, tableReg+i
		pair[i] = v
	}
	return pair[0]
}

// lookup makes the numbers of the entry's four bytes from its own.
func (a *neon) lookup(_, q part) part {
	j := a.op2(vAND, q, a.konstInt(7)[0])
	j = a.op2(iMUL, j, a.konstInt(0x04040404)[0])
	j = a.op2(iADD, j, a.konstInt(0x03020100)[0])
	d := newVector()
	a.code(lookup2, 0, out('D', d), in('M', j))
	return d
}

func (a *neon) swapPairs(x part) part { return a.op1(swapS, x) }

var armBinary = map[binary]*armForm{
	opAdd: fADD, opSub: fSUB, opMul: fMUL, opDiv: fDIV, opMax: fMAX, opMin: fMIN,
	opIAdd: iADD, opISub: iSUB, opIMax: iMAX, opIMin: iMIN, opAnd: vAND, opOr: vORR, opXor: vEOR,
}

// bin: FMAXNM and FMINNM would not do for opMaxC and opMinC, since they keep signaling NaN.
func (a *neon) bin(op binary, x, y part) part {
	switch op {
	case opMaxC:
		return a.choose(a.op2(fCMGT, x, y), x, y)
	case opMinC:
		return a.choose(a.op2(fCMGT, y, x), x, y)
	}
	return a.op2(armBinary[op], x, y)
}

// choose turns mask into x where it is set, and y elsewhere.
func (a *neon) choose(mask, x, y part) part {
	a.code(vBSL, 0, both('D', mask), in('N', x), in('M', y))
	return mask
}

func (a *neon) swapBit30(t, x, y part) (x2, y2 part) {
	mask := a.op2(iTEST, t, a.konstInt(1 << 30)[0])
	return a.choose(a.copyPart(mask), y, x), a.choose(mask, x, y)
}

func (a *neon) xorAnd(x, y, c part) part { return a.op2(vEOR, x, a.op2(vAND, y, c)) }

func (a *neon) into(op binary, acc, y part) {
	a.code(armBinary[op], 0, out('D', acc), in('N', acc), in('M', y))
}

func (a *neon) un(op unary, x part) part {
	return a.op1(map[unary]*armForm{opSqrt: fSQRT, opFromInt: sCVTF, opToInt: fCVTZS}[op], x)
}

// fma: the machine has only the accumulating form, so a polynomial's coefficient is copied first.
func (a *neon) fma(op ternary, p, x, y part) part {
	switch op {
	case opAccum:
		a.code(fMLA, 0, both('D', p), in('N', x), in('M', y))
		return p
	case opAccumNeg:
		a.code(fMLS, 0, both('D', p), in('N', x), in('M', y))
		return p
	}
	start := copyVector
	if op == opHornerSub {
		start = fNEG
	}
	d := a.op1(start, y)
	a.code(fMLA, 0, both('D', d), in('N', p), in('M', x))
	return d
}

func (a *neon) shift(op shift, x part, n int) part {
	d := newVector()
	a.code(
		map[shift]*armForm{opShl: shiftL, opShr: shiftR, opSar: shiftA}[op], n, out('D', d),
		in('N', x),
	)
	return d
}

func (a *neon) copyPart(x part) part { return a.op1(copyVector, x) }

func (a *neon) assign(dst, src part) { a.code(copyVector, 0, out('D', dst), in('N', src)) }

func (a *neon) place() part { return newVector() }

func (a *neon) clear() part {
	d := newVector()
	a.code(zeroVector, 0, out('D', d))
	return d
}

func (a *neon) zeros() vec {
	v := make(vec, a.parts())
	for i := range v {
		v[i] = a.clear()
	}
	return v
}

// down folds a block by f: lanes l and l+8, l and l+4, l and l+2, l and l+1.
func (a *neon) down(v vec, f *armForm) part {
	x := a.op2(f, a.op2(f, v.at(0), v.at(2)), a.op2(f, v.at(1), v.at(3)))
	for _, n := range []int{8, 4} {
		d := newVector()
		a.code(rotate, n, out('D', d), in('N', x), in('M', x))
		x = a.op2(f, x, d)
	}
	return x
}

func (a *neon) fold(acc vec) part                   { return a.down(acc, fADD) }
func (a *neon) foldBy(acc vec, op binary) part      { return a.down(acc, armBinary[op]) }
func (a *neon) sqrtScalar(x part) part              { return a.op1(scalarSQRT, x) }
func (a *neon) spread(s part) vec                   { return vec{a.op1(spreadLane, s)} }
func (a *neon) binScalar(op binary, x, y part) part { return a.op2(armScalar[op], x, y) }

var armScalar = map[binary]*armForm{opMul: scalarMUL, opDiv: scalarDIV}

func (a *neon) intoScalar(op binary, acc, y part) {
	a.code(armScalar[op], 0, out('D', acc), in('N', acc), in('M', y))
}

func (a *neon) branchGreater(x, y part, to string) {
	a.code(scalarCMP, 0, in('N', x), in('M', y))
	a.f.add(armInstr{text: "BGT " + to, to: to})
}

func (a *neon) double(param string) part {
	s := newVector()
	a.text("FMOVD "+a.param(param, "")+", %D", out('D', s))
	return s
}

func (a *neon) widen(s part) part                   { return a.op1(widenS, s) }
func (a *neon) narrow(s part) part                  { return a.op1(narrowD, s) }
func (a *neon) sqrtDouble(x part) part              { return a.op1(doubleSQRT, x) }
func (a *neon) binDouble(op binary, x, y part) part { return a.op2(armDouble[op], x, y) }

var armDouble = map[binary]*armForm{opMul: doubleMUL, opDiv: doubleDIV}

func (a *neon) branchGreaterDouble(x, y part, to string) {
	a.code(doubleCMP, 0, in('N', x), in('M', y))
	a.f.add(armInstr{text: "BGT " + to, to: to})
}
