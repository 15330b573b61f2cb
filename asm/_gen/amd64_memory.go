package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tail prepares masks for n lanes from tables: a bit mask, or words that are all ones n times and
// then zero.
func (a *amd64) tail(n gp) {
	table := a.c.GP64()
	if a.wide() {
		words := make([]uint32, blockLen)
		for i := range words {
			words[i] = 1<<i - 1
		}
		a.c.LEAQ(a.constant(words...), table)
		k := a.c.K()
		a.c.KMOVW(operand.Mem{Base: table, Index: n.(reg.Register), Scale: 4}, k)
		a.mask = k
		return
	}
	words := make([]uint32, 2*blockLen)
	for i := range blockLen {
		words[i] = 1<<32 - 1
	}
	r := n.(reg.Register)
	a.c.LEAQ(a.constant(words...), table)
	a.c.NEGQ(r)
	a.c.LEAQ(operand.Mem{Base: table, Index: r, Scale: 4, Disp: 4 * blockLen}, table)
	a.c.NEGQ(r)
	a.maskAt = table
	a.left = n
}

func (a *amd64) full() { a.mask, a.maskAt = nil, nil }

// wordMask is the mask of register i of a block.
func (a *amd64) wordMask(i int) operand.Op {
	r := a.c.YMM()
	a.c.VMOVDQU(operand.Mem{Base: a.maskAt, Disp: 4 * a.lanes * i}, r)
	return r
}

func (a *amd64) load(p gp, off int) vec {
	v := make(vec, a.parts())
	for i := range v {
		m, r := at(p, off+4*a.lanes*i), a.reg()
		switch {
		case a.mask != nil:
			a.c.VMOVUPS_Z(m, a.mask, r)
		case a.maskAt != nil:
			a.c.VMASKMOVPS(m, a.wordMask(i), r)
		default:
			a.c.VMOVUPS(m, r)
		}
		v[i] = r
	}
	return v
}

func (a *amd64) loadOr(p gp, off int, other vec) vec {
	if a.mask == nil && a.maskAt == nil {
		return a.load(p, off)
	}
	v := make(vec, a.parts())
	for i := range v {
		m, r := at(p, off+4*a.lanes*i), a.copyPart(other.at(i)).(reg.VecVirtual)
		if a.mask != nil {
			a.c.VMOVUPS(m, a.mask, r)
		} else {
			mask, x := a.wordMask(i), a.c.YMM()
			a.c.VMASKMOVPS(m, mask, x)
			a.c.VBLENDVPS(mask, x, r, r)
		}
		v[i] = r
	}
	return v
}

func (a *amd64) inTail(v vec) vec {
	if a.mask == nil && a.maskAt == nil {
		return v
	}
	out := make(vec, a.parts())
	for i := range out {
		r := a.reg()
		if a.mask != nil {
			a.c.VMOVAPS_Z(v.at(i).(operand.Op), a.mask, r)
		} else {
			a.c.VANDPS(a.wordMask(i), v.at(i).(operand.Op), r)
		}
		out[i] = r
	}
	return out
}

func (a *amd64) store(v vec, p gp, off int) {
	for i := range a.parts() {
		m, r := at(p, off+4*a.lanes*i), v.at(i).(operand.Op)
		switch {
		case a.mask != nil:
			a.c.VMOVUPS(r, a.mask, m)
		case a.maskAt != nil:
			a.c.VMASKMOVPS(r, a.wordMask(i), m)
		default:
			a.c.VMOVUPS(r, m)
		}
	}
}

func (a *amd64) loadU8(p gp, off int) vec {
	if a.wide() {
		r := a.c.ZMM()
		if a.mask != nil {
			a.c.VPMOVZXBD_Z(at(p, off), a.mask, r)
		} else {
			a.c.VPMOVZXBD(at(p, off), r)
		}
		return vec{r}
	}
	m := at(p, off)
	if a.maskAt != nil {
		m = a.bytes()
		a.copyBytes(at(p, off), m)
	}
	v := make(vec, 2)
	for i := range v {
		r := a.c.YMM()
		a.c.VPMOVZXBD(m.Offset(8*i), r)
		v[i] = r
	}
	return v
}

func (a *amd64) storeU8(v vec, p gp, off int) {
	if a.wide() {
		if a.mask != nil {
			a.c.VPMOVDB(v[0].(operand.Op), a.mask, at(p, off))
		} else {
			a.c.VPMOVDB(v[0].(operand.Op), at(p, off))
		}
		return
	}
	words, hi := a.c.YMM(), a.c.XMM()
	a.c.VPACKSSDW(v[1].(operand.Op), v[0].(operand.Op), words)
	a.c.VPERMQ(operand.Imm(0xd8), words, words)
	a.c.VEXTRACTI128(operand.Imm(1), words, hi)
	a.c.VPACKUSWB(hi, words.AsX(), hi)
	if a.maskAt == nil {
		a.c.VMOVDQU(hi, at(p, off))
		return
	}
	m := a.bytes()
	a.c.VMOVDQU(hi, m)
	a.copyBytes(m, at(p, off))
}

// bytes is the function's scratch for the tail of a byte array: AVX2 has no masks for bytes.
func (a *amd64) bytes() operand.Mem {
	if a.scratch.Base == nil {
		a.scratch = a.c.AllocLocal(blockLen)
	}
	return a.scratch
}

// copyBytes copies the bytes of a tail one by one.
func (a *amd64) copyBytes(from, to operand.Mem) {
	loop, i, b := a.fresh("bytes"), a.c.GP64(), a.c.GP64()
	src, dst := a.c.GP64(), a.c.GP64()
	a.c.LEAQ(from, src)
	a.c.LEAQ(to, dst)
	a.c.MOVQ(a.left.(operand.Op), i)
	a.label(loop)
	a.c.MOVBQZX(operand.Mem{Base: src, Index: i, Scale: 1, Disp: -1}, b)
	a.c.MOVB(b.As8(), operand.Mem{Base: dst, Index: i, Scale: 1, Disp: -1})
	a.c.DECQ(i)
	a.c.JNE(operand.LabelRef(loop))
}
