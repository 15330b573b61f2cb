package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile fills the registers but for the row of b and one number of a.
func (a *amd64) tile() (rows, blocks int) {
	if a.wide() {
		return 14, 2
	}
	return 6, 1
}

// groupRows is half as many rows: a block has two accumulators.
func (a *amd64) groupRows() int {
	if a.wide() {
		return 7
	}
	return 3
}

// amd64Column reaches seven rows from each base through multiples of the stride.
type amd64Column struct {
	bases []reg.GPVirtual
	odd   map[int]reg.GPVirtual // multiples of the stride
	step  reg.GPVirtual
	later *[]reg.GPVirtual // the bases of the column ahead
}

const rowsFromBase = 7

// strides are the rows from a base as an odd multiple of the stride and a scale.
var strides = [rowsFromBase]struct{ odd, scale int }{
	{0, 0}, {1, 1}, {1, 2}, {3, 1}, {1, 4}, {5, 1}, {3, 2},
}

func (a *amd64) column(p, stride, step gp, rows int) column {
	s := stride.(reg.GPVirtual)
	c := amd64Column{
		bases: []reg.GPVirtual{p.(reg.GPVirtual)}, odd: map[int]reg.GPVirtual{1: s},
		step: step.(reg.GPVirtual), later: new([]reg.GPVirtual),
	}
	if rows > 3 {
		c.odd[3] = a.multiple(s, 2)
	}
	if rows > 5 {
		c.odd[5] = a.multiple(s, 4)
	}
	for n := rowsFromBase; n < rows; n += rowsFromBase {
		base := a.c.GP64()
		a.c.LEAQ(operand.Mem{Base: c.bases[len(c.bases)-1], Index: c.odd[3], Scale: 2}, base)
		a.c.ADDQ(s, base)
		c.bases = append(c.bases, base)
	}
	return c
}

// multiple is s + n*s.
func (a *amd64) multiple(s reg.GPVirtual, n int) reg.GPVirtual {
	r := a.c.GP64()
	a.c.LEAQ(operand.Mem{Base: s, Index: s, Scale: uint8(n)}, r)
	return r
}

// row is the memory that row i of a column begins with.
func (c amd64Column) row(i int) operand.Mem {
	s := strides[i%rowsFromBase]
	m := operand.Mem{Base: c.bases[i/rowsFromBase]}
	if s.odd > 0 {
		m.Index, m.Scale = c.odd[s.odd], uint8(s.scale)
	}
	return m
}

func (a *amd64) entry(c column, i int) vec {
	r := a.reg()
	a.c.VBROADCASTSS(c.(amd64Column).row(i), r)
	return vec{r}
}

// transposed puts rows 4q+i into quarter q of register i, and transposes each 4 x 4 square of
// quarters q.
func (a *amd64) transposed(c column) (out [4]vec) {
	for p := range a.parts() {
		var rows [4]reg.VecVirtual
		for i := range rows {
			rows[i] = a.quarters(c.(amd64Column), a.lanes*p+i)
		}
		for k, t := range a.square(rows) {
			out[k] = append(out[k], t)
		}
	}
	return out
}

// quarters is 4 numbers of rows i, i+4 and so on, side by side.
func (a *amd64) quarters(c amd64Column, i int) reg.VecVirtual {
	r := a.reg()
	a.c.VMOVUPS(c.row(i), r.AsX())
	for q := 1; q < a.lanes/4; q++ {
		m := c.row(i + 4*q)
		if a.wide() {
			a.c.VINSERTF32X4(operand.Imm(uint64(q)), m, r, r)
		} else {
			a.c.VINSERTF128(operand.Imm(uint64(q)), m, r, r)
		}
	}
	return r
}

// square turns the squares, using the registers that it was given.
func (a *amd64) square(r [4]reg.VecVirtual) [4]reg.VecVirtual {
	var low, high [2]reg.VecVirtual
	for i := range low {
		low[i], high[i] = a.reg(), r[2*i]
		a.c.VUNPCKLPS(r[2*i+1], r[2*i], low[i])
		a.c.VUNPCKHPS(r[2*i+1], r[2*i], high[i])
	}
	out := [4]reg.VecVirtual{a.reg(), low[0], a.reg(), high[0]}
	a.c.VUNPCKLPD(low[1], low[0], out[0])
	a.c.VUNPCKHPD(low[1], low[0], out[1])
	a.c.VUNPCKLPD(high[1], high[0], out[2])
	a.c.VUNPCKHPD(high[1], high[0], out[3])
	return out
}

func (a *amd64) next(col column) { a.skip(col, col.(amd64Column).step) }

func (a *amd64) skip(col column, n gp) {
	c := col.(amd64Column)
	for _, p := range append(c.bases, *c.later...) {
		a.c.ADDQ(n.(reg.Register), p)
	}
}

func (a *amd64) ahead(col column, n int) column {
	c := col.(amd64Column)
	distance := a.c.GP64()
	a.c.IMUL3Q(operand.U32(n), c.step, distance)
	for _, p := range c.bases {
		base := a.c.GP64()
		a.c.LEAQ(operand.Mem{Base: p, Index: distance, Scale: 1}, base)
		*c.later = append(*c.later, base)
	}
	return amd64Column{bases: *c.later, odd: c.odd}
}

func (a *amd64) touch(c column, i int) { a.c.PREFETCHT0(c.(amd64Column).row(i)) }

func (a *amd64) prefetch(p gp, off int) { a.c.PREFETCHT0(at(p, off)) }
