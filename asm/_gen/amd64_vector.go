package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// commutes lists the operations whose operands may change places when the first is in memory.
var commutes = map[binary]bool{
	opAdd: true, opMul: true, opIAdd: true, opIMax: true, opIMin: true, opAnd: true, opOr: true,
	opXor: true,
}

// emitter is a method of avo's context; AVX-512 has another for operands that are broadcast.
type emitter func(ops ...operand.Op)

// choose is the plain form, or the broadcasting one if the operand in memory asks for it.
func (a *amd64) choose(p part, plain, broadcast emitter) emitter {
	if _, mem := p.(operand.Mem); mem && a.wide() {
		return broadcast
	}
	return plain
}

func (a *amd64) binEmitter(op binary, b part) emitter {
	c := a.c
	switch op {
	case opAdd:
		return a.choose(b, c.VADDPS, c.VADDPS_BCST)
	case opSub:
		return a.choose(b, c.VSUBPS, c.VSUBPS_BCST)
	case opMul:
		return a.choose(b, c.VMULPS, c.VMULPS_BCST)
	case opDiv:
		return a.choose(b, c.VDIVPS, c.VDIVPS_BCST)
	case opMax, opMaxC:
		return a.choose(b, c.VMAXPS, c.VMAXPS_BCST)
	case opMin, opMinC:
		return a.choose(b, c.VMINPS, c.VMINPS_BCST)
	case opIAdd:
		return a.choose(b, c.VPADDD, c.VPADDD_BCST)
	case opISub:
		return a.choose(b, c.VPSUBD, c.VPSUBD_BCST)
	case opIMax:
		return a.choose(b, c.VPMAXSD, c.VPMAXSD_BCST)
	case opIMin:
		return a.choose(b, c.VPMINSD, c.VPMINSD_BCST)
	}
	if a.wide() {
		switch op {
		case opAnd:
			return a.choose(b, c.VPANDD, c.VPANDD_BCST)
		case opOr:
			return a.choose(b, c.VPORD, c.VPORD_BCST)
		case opXor:
			return a.choose(b, c.VPXORD, c.VPXORD_BCST)
		}
	}
	switch op {
	case opAnd:
		return func(ops ...operand.Op) { c.VPAND(ops[0], ops[1], ops[2]) }
	case opOr:
		return func(ops ...operand.Op) { c.VPOR(ops[0], ops[1], ops[2]) }
	}
	return func(ops ...operand.Op) { c.VPXOR(ops[0], ops[1], ops[2]) }
}

// binTo is dst = x op y. Intel's max and min give the second operand if either is NaN.
func (a *amd64) binTo(op binary, x, y part, dst reg.VecVirtual) {
	if _, mem := x.(operand.Mem); mem && commutes[op] {
		x, y = y, x
	}
	a.binEmitter(op, y)(y.(operand.Op), a.inReg(x), dst)
}

func (a *amd64) bin(op binary, x, y part) part {
	d := a.reg()
	a.binTo(op, x, y, d)
	return d
}

func (a *amd64) into(op binary, acc, y part) { a.binTo(op, acc, y, acc.(reg.VecVirtual)) }

func (a *amd64) un(op unary, x part) part {
	d := a.reg()
	f := map[unary]emitter{
		opSqrt: a.c.VSQRTPS, opFromInt: a.c.VCVTDQ2PS, opToInt: a.c.VCVTTPS2DQ,
	}[op]
	f(a.inReg(x), d)
	return d
}

func (a *amd64) fma(op ternary, p, x, y part) part {
	c, d := a.c, p.(reg.VecVirtual)
	_, xMem := x.(operand.Mem)
	_, yMem := y.(operand.Mem)
	if xMem && yMem {
		x, xMem = a.inReg(x), false
	}
	switch {
	case op == opHorner && xMem:
		a.choose(x, c.VFMADD132PS, c.VFMADD132PS_BCST)(x.(operand.Op), y.(operand.Op), d)
	case op == opHornerSub && xMem:
		a.choose(x, c.VFMSUB132PS, c.VFMSUB132PS_BCST)(x.(operand.Op), y.(operand.Op), d)
	case op == opHorner:
		a.choose(y, c.VFMADD213PS, c.VFMADD213PS_BCST)(y.(operand.Op), x.(operand.Op), d)
	case op == opHornerSub:
		a.choose(y, c.VFMSUB213PS, c.VFMSUB213PS_BCST)(y.(operand.Op), x.(operand.Op), d)
	default:
		if xMem {
			x, y = y, x
		}
		f := a.choose(y, c.VFMADD231PS, c.VFMADD231PS_BCST)
		if op == opAccumNeg {
			f = a.choose(y, c.VFNMADD231PS, c.VFNMADD231PS_BCST)
		}
		f(y.(operand.Op), x.(operand.Op), d)
	}
	return d
}

func (a *amd64) shift(op shift, x part, n int) part {
	d := a.reg()
	f := map[shift]emitter{opShl: a.c.VPSLLD, opShr: a.c.VPSRLD, opSar: a.c.VPSRAD}[op]
	f(operand.Imm(uint64(n)), a.inReg(x), d)
	return d
}

func (a *amd64) copyPart(x part) part {
	if _, mem := x.(operand.Mem); mem {
		return a.inReg(x)
	}
	d := a.reg()
	a.c.VMOVAPS(x.(operand.Op), d)
	return d
}

func (a *amd64) place() part {
	if a.wide() {
		return a.reg()
	}
	return a.c.AllocLocal(4 * a.lanes)
}

func (a *amd64) assign(dst, src part) {
	if m, ok := dst.(operand.Mem); ok {
		a.c.VMOVUPS(src.(operand.Op), m)
		return
	}
	a.c.VMOVAPS(src.(operand.Op), dst.(operand.Op))
}

func (a *amd64) xorAnd(x, y, c part) part {
	if a.wide() {
		d := a.copyPart(x)
		a.choose(
			c, a.c.VPTERNLOGD, a.c.VPTERNLOGD_BCST,
		)(
			operand.Imm(0x78), c.(operand.Op), y.(operand.Op), d.(operand.Op),
		)
		return d
	}
	return a.bin(opXor, x, a.bin(opAnd, y, c))
}

func (a *amd64) swapBit30(t, x, y part) (x2, y2 part) {
	d, e := a.reg(), a.reg()
	if a.wide() {
		k := a.c.K()
		a.c.VPTESTMD_BCST(a.constant(1<<30), t.(operand.Op), k)
		a.c.VBLENDMPS(y.(operand.Op), x.(operand.Op), k, d)
		a.c.VBLENDMPS(x.(operand.Op), y.(operand.Op), k, e)
		return d, e
	}
	sign := a.shift(opShl, t, 1).(operand.Op)
	a.c.VBLENDVPS(sign, y.(operand.Op), x.(operand.Op), d)
	a.c.VBLENDVPS(sign, x.(operand.Op), y.(operand.Op), e)
	return d, e
}

func (a *amd64) lookup(t, q part) part {
	d := a.reg()
	a.c.VPERMPS(t.(operand.Op), q.(operand.Op), d)
	return d
}

func (a *amd64) swapPairs(x part) part {
	d := a.reg()
	a.c.VPSHUFD(operand.Imm(0xb1), x.(operand.Op), d)
	return d
}

func (a *amd64) zeros() vec {
	v := make(vec, a.parts())
	for i := range v {
		r := a.reg()
		if a.wide() {
			a.c.VPXORD(r, r, r)
		} else {
			a.c.VPXOR(r, r, r)
		}
		v[i] = r
	}
	return v
}

// toX folds a block down to the four lanes of an X register by f.
func (a *amd64) toX(v vec, f func(x, y, d operand.Op)) reg.Register {
	y := a.c.YMM()
	if a.wide() {
		z := v[0].(reg.VecVirtual)
		a.c.VEXTRACTF64X4(operand.Imm(1), z, y)
		f(y, z.AsY(), y)
	} else {
		f(v[1].(operand.Op), v[0].(operand.Op), y)
	}
	x := a.c.XMM()
	if a.wide() {
		a.c.VEXTRACTF32X4(operand.Imm(1), y, x)
	} else {
		a.c.VEXTRACTF128(operand.Imm(1), y, x)
	}
	f(x, y.AsX(), x)
	return x
}

// down folds a block by f: lanes l and l+8, l and l+4, l and l+2, l and l+1.
func (a *amd64) down(v vec, f func(x, y, d operand.Op)) part {
	x := a.toX(v, f)
	for _, order := range []uint64{0x0e, 0x01} { // lane 2 and 3, then lane 1, to the bottom
		t := a.c.XMM()
		a.c.VPSHUFD(operand.Imm(order), x, t)
		f(t, x, t)
		x = t
	}
	return x
}

func (a *amd64) fold(acc vec) part {
	return a.down(acc, func(x, y, d operand.Op) { a.c.VADDPS(x, y, d) })
}

func (a *amd64) foldBy(acc vec, op binary) part {
	f := map[binary]emitter{opIMin: a.c.VPMINSD, opIMax: a.c.VPMAXSD, opMax: a.c.VMAXPS}[op]
	return a.down(acc, func(x, y, d operand.Op) { f(x, y, d) })
}

// Scalars live in X registers; constants are read in place.

func (a *amd64) scalar(p part) operand.Op {
	if r, ok := p.(reg.VecVirtual); ok {
		return r.AsX()
	}
	return p.(operand.Op)
}

func (a *amd64) scalarReg(p part) operand.Op {
	s := a.scalar(p)
	if m, ok := s.(operand.Mem); ok {
		x := a.c.XMM()
		a.c.VMOVSS(m, x)
		return x
	}
	return s
}

func (a *amd64) loadScalar(p gp, off int) part {
	x := a.c.XMM()
	a.c.VMOVSS(at(p, off), x)
	return x
}

func (a *amd64) storeScalar(s part, p gp, off int) { a.c.VMOVSS(a.scalar(s), at(p, off)) }

func (a *amd64) binScalar(op binary, x, y part) part {
	d := a.c.XMM()
	a.scalarTo(op, x, y, d)
	return d
}

func (a *amd64) intoScalar(op binary, acc, y part) { a.scalarTo(op, acc, y, a.scalar(acc)) }

func (a *amd64) scalarTo(op binary, x, y part, d operand.Op) {
	if op == opDiv {
		a.c.VDIVSS(a.scalar(y), a.scalarReg(x), d)
		return
	}
	a.c.VMULSS(a.scalar(y), a.scalarReg(x), d)
}

func (a *amd64) sqrtScalar(x part) part {
	d, s := a.c.XMM(), a.scalarReg(x)
	a.c.VSQRTSS(s, s, d)
	return d
}

func (a *amd64) branchGreater(x, y part, to string) {
	a.c.VUCOMISS(a.scalar(y), a.scalarReg(x))
	a.c.JHI(operand.LabelRef(to))
}

func (a *amd64) double(param string) part {
	p, err := a.c.Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

func (a *amd64) widen(s part) part {
	d, x := a.c.XMM(), a.scalarReg(s)
	a.c.VCVTSS2SD(x, x, d)
	return d
}

func (a *amd64) narrow(s part) part {
	d, x := a.c.XMM(), a.scalar(s)
	a.c.VCVTSD2SS(x, x, d)
	return d
}

func (a *amd64) binDouble(op binary, x, y part) part {
	d := a.c.XMM()
	if op == opDiv {
		a.c.VDIVSD(a.scalar(y), a.doubleReg(x), d)
	} else {
		a.c.VMULSD(a.scalar(y), a.doubleReg(x), d)
	}
	return d
}

func (a *amd64) doubleReg(p part) operand.Op {
	s := a.scalar(p)
	if m, ok := s.(operand.Mem); ok {
		x := a.c.XMM()
		a.c.VMOVSD(m, x)
		return x
	}
	return s
}

func (a *amd64) sqrtDouble(x part) part {
	d, s := a.c.XMM(), a.doubleReg(x)
	a.c.VSQRTSD(s, s, d)
	return d
}

func (a *amd64) branchGreaterDouble(x, y part, to string) {
	a.c.VUCOMISD(a.scalar(y), a.doubleReg(x))
	a.c.JHI(operand.LabelRef(to))
}

func (a *amd64) spread(s part) vec {
	d := a.reg()
	a.c.VBROADCASTSS(a.scalar(s), d)
	return vec{d}
}

func (a *amd64) broadcast(p gp, off int) vec {
	d := a.reg()
	a.c.VBROADCASTSS(at(p, off), d)
	return vec{d}
}
