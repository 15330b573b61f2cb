package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	philoxRounds = 10
	philoxM0     = 0xD2511F53
	philoxM1     = 0xCD9E8D57
	philoxW0     = 0x9E3779B9
	philoxW1     = 0xBB67AE85
)

// philoxKey is what all groups of a call share. The generator works on 64-bit lanes whose
// upper halves are ignored, since the product takes only the lower: no shuffles in its rounds.
type philoxKey struct {
	rounds operand.Mem // the two key words of each round, on the stack
	// A group's blocks differ in their lowest counter word alone, and groups seldom in the next
	// one, high. What the first three rounds make of the other words is kept from group to group:
	// of the stream (c2), of the step (c0), and of the word that comes from high (c2High, c3High).
	high, start        operand.Mem   // high, and the first round's c0 without it
	c2                 []operand.Mem // for each stream
	c0, c2High, c3High operand.Mem
	m0, m1             operand.Op
	first              [4]operand.Mem // AVX2: the words of the first stretch
	pack               reg.VecVirtual // AVX-512: even words of two registers
}

// slot is the size of one word of the key: AVX-512 broadcasts it as it reads it.
func (a *amd64) slot() int {
	if a.wide() {
		return 8
	}
	return 4 * a.lanes
}

// keep stores a 32-bit word for use as an operand.
func (a *amd64) keep(word reg.GPVirtual, m operand.Mem) {
	if a.wide() {
		a.c.MOVQ(word, m)
		return
	}
	x, y := a.c.XMM(), a.c.YMM()
	a.c.VMOVD(word.As32(), x)
	a.c.VPBROADCASTD(x, y)
	a.c.VMOVDQU(y, m)
}

func (a *amd64) philoxInit(streams ...string) {
	n := a.slot()
	k := &a.key
	k.rounds = a.c.AllocLocal(2 * philoxRounds * n)
	lo := a.integer("seed").(reg.GPVirtual)
	hi := a.copyGP(lo).(reg.GPVirtual)
	a.c.SHRQ(operand.Imm(32), hi)
	a.firstRounds(lo, hi, streams)
	for r := range philoxRounds {
		a.keep(lo, k.rounds.Offset(2*r*n))
		a.keep(hi, k.rounds.Offset((2*r+1)*n))
		a.c.ADDL(operand.U32(philoxW0), lo.As32())
		a.c.ADDL(operand.U32(philoxW1), hi.As32())
	}
	k.m0, k.m1 = a.constant(philoxM0), a.constant(philoxM1)
	if !a.wide() {
		for w := range k.first {
			k.first[w] = a.c.AllocLocal(4 * a.lanes)
		}
	} else {
		for _, m := range []*operand.Op{&k.m0, &k.m1} {
			z := a.c.ZMM()
			a.c.VPBROADCASTD(*m, z)
			*m = z
		}
		words := make([]uint32, blockLen)
		for i := range words {
			words[i] = uint32(2 * i)
		}
		k.pack = a.c.ZMM()
		a.c.VMOVDQU32(a.constant(words...), k.pack)
	}
}

// firstRounds prepares what depends on the key, the step and the streams.
func (a *amd64) firstRounds(lo, hi reg.GPVirtual, streams []string) {
	k, n := &a.key, a.slot()
	k.c2 = make([]operand.Mem, len(streams))
	for i, name := range streams {
		k.c2[i] = a.c.AllocLocal(n)
		stream := a.integer(name).(reg.GPVirtual)
		a.c.XORQ(hi, stream)
		a.keep(stream, k.c2[i])
	}
	for _, m := range []*operand.Mem{&k.c0, &k.c2High, &k.c3High} {
		*m = a.c.AllocLocal(n)
	}
	k.high, k.start = a.c.AllocLocal(8), a.c.AllocLocal(8)
	a.c.MOVQ(operand.I32(-1), k.high) // no group's

	product, word := a.integer("step").(reg.GPVirtual), a.c.GP64()
	a.c.MOVL(operand.U32(philoxM1), word.As32())
	a.c.IMULQ(word, product)
	a.c.MOVL(lo.As32(), word.As32())
	a.c.ADDL(operand.U32(philoxW0), word.As32())
	a.c.XORL(product.As32(), word.As32())
	a.keep(word, k.c0)
	a.c.SHRQ(operand.Imm(32), product)
	a.c.XORL(lo.As32(), product.As32())
	a.c.MOVQ(product, k.start)
}

func (a *amd64) philoxHigh(g gp) {
	k, n := &a.key, a.slot()
	same := a.fresh("high")
	high := a.copyGP(g).(reg.GPVirtual)
	a.c.SHRQ(operand.Imm(29), high)
	a.c.CMPQ(high, k.high)
	a.c.JEQ(operand.LabelRef(same))
	a.c.MOVQ(high, k.high)
	product := a.c.GP64()
	a.c.XORL(k.start, high.As32())
	a.c.MOVL(operand.U32(philoxM0), product.As32())
	a.c.IMULQ(high, product)
	a.c.MOVL(product.As32(), high.As32())
	a.c.XORL(k.rounds.Offset(5*n), high.As32())
	a.keep(high, k.c3High)
	a.c.SHRQ(operand.Imm(32), product)
	a.c.XORL(k.rounds.Offset(3*n), product.As32())
	a.keep(product, k.c2High)
	a.label(same)
}

// lanes64 are the block numbers in a group of each 64-bit lane, by register. AVX2 pairs them so
// that taking even words within its 128-bit halves gives blocks in order.
func (a *amd64) lanes64() [][]uint32 {
	if a.wide() {
		return [][]uint32{{0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0}}
	}
	return [][]uint32{{0, 0, 1, 0, 4, 0, 5, 0}, {2, 0, 3, 0, 6, 0, 7, 0}}
}

func (a *amd64) philox(stream int, g gp) (even, odd vec) {
	for range a.parts() {
		even, odd = append(even, a.place()), append(odd, a.place())
	}
	stretches, finish := a.philoxNext(stream, g, even, odd)
	for _, s := range stretches {
		s()
	}
	finish()
	return even, odd
}

// philoxNext has a stretch for each register of blocks. AVX2, which has few registers, keeps words
// in memory: those of the first stretch, and even and odd.
func (a *amd64) philoxNext(stream int, g gp, even, odd vec) (stretches []func(), finish func()) {
	lanes := a.lanes64()
	words := make([][4]operand.Op, len(lanes))
	for i, l := range lanes {
		stretches = append(stretches, func() {
			words[i] = a.philoxBlocks(stream, a.firstBlock(g), l)
			if i < len(lanes)-1 {
				for w, r := range words[i] {
					a.c.VMOVUPS(r, a.key.first[w])
					words[i][w] = a.key.first[w]
				}
			}
		})
	}
	finish = func() {
		for w := range 4 {
			to := even
			if w%2 == 1 {
				to = odd
			}
			if !a.wide() {
				y := a.c.YMM()
				a.c.VMOVUPS(words[0][w], y)
				a.c.VSHUFPS(operand.Imm(0x88), words[1][w], y, y)
				a.assign(to[w/2], y)
			} else if w < 2 {
				a.c.VPERMT2D(words[0][w+2], a.key.pack, words[0][w])
				a.assign(to[0], words[0][w])
			}
		}
	}
	return stretches, finish
}

// firstBlock is the number of the group's first block in 64-bit lanes.
func (a *amd64) firstBlock(g gp) operand.Op {
	block := a.copyGP(g).(reg.GPVirtual)
	a.c.SHLQ(operand.Imm(3), block)
	first := a.reg()
	if a.wide() {
		a.c.VPBROADCASTQ(block, first)
	} else {
		x := a.c.XMM()
		a.c.VMOVQ(block, x)
		a.c.VPBROADCASTQ(x, first)
	}
	return first
}

// philoxBlocks runs one register of blocks through the ten rounds, whose beginning is philoxKey's.
func (a *amd64) philoxBlocks(stream int, first operand.Op, lanes []uint32) [4]operand.Op {
	k, n := a.key, a.slot()
	block := a.reg()
	a.c.VPADDQ(a.constant(lanes...), first, block)
	product, c2 := a.product(k.m0, block)
	a.xor(c2, k.c2[stream])
	c1, c0 := a.product(k.m1, c2)
	a.xor(c0, k.c0)
	a.xor(product, k.c2High)
	c3, hi := a.product(k.m0, c0)
	lo, next := a.product(k.m1, product)
	a.xor3(next, c1, k.rounds.Offset(4*n))
	a.xor(hi, k.c3High)
	c := [4]operand.Op{next, lo, hi, c3}
	for r := 3; r < philoxRounds; r++ {
		lo0, hi0 := a.product(k.m0, c[0])
		lo1, hi1 := a.product(k.m1, c[2])
		a.xor3(hi1, c[1], k.rounds.Offset(2*r*n))
		a.xor3(hi0, c[3], k.rounds.Offset((2*r+1)*n))
		c = [4]operand.Op{hi1, lo1, hi0, lo0}
	}
	return c
}

// product is the 64-bit product of lower halves, and its upper half.
func (a *amd64) product(m, x operand.Op) (lo, hi reg.VecVirtual) {
	lo, hi = a.reg(), a.reg()
	a.c.VPMULUDQ(m, x, lo)
	a.c.VPSRLQ(operand.Imm(32), lo, hi)
	return lo, hi
}

// xor is d ^= key word.
func (a *amd64) xor(d reg.VecVirtual, key operand.Mem) {
	if a.wide() {
		a.c.VPXORD_BCST(key, d, d)
		return
	}
	a.c.VPXOR(key, d, d)
}

// xor3 is d ^= x ^ key word.
func (a *amd64) xor3(d, x operand.Op, key operand.Mem) {
	if a.wide() {
		a.c.VPTERNLOGD_BCST(operand.Imm(0x96), key, x, d)
		return
	}
	a.c.VPXOR(x, d, d)
	a.c.VPXOR(key, d, d)
}

func (a *amd64) halves(x, y vec) (vec, vec) {
	if !a.wide() {
		return vec{x[0], y[0]}, vec{x[1], y[1]}
	}
	lo, hi := a.c.ZMM(), a.c.ZMM()
	a.c.VSHUFF64X2(operand.Imm(0x44), y[0].(operand.Op), x[0].(operand.Op), lo)
	a.c.VSHUFF64X2(operand.Imm(0xee), y[0].(operand.Op), x[0].(operand.Op), hi)
	return vec{lo}, vec{hi}
}
