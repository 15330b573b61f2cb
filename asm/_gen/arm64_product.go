package main

import "fmt"

// tile leaves registers for the row of b and numbers of a.
func (a *neon) tile() (rows, blocks int) { return 6, 1 }

// groupRows is half as many rows: a block has two accumulators.
func (a *neon) groupRows() int { return 3 }

// armColumn has a pointer for every row, which the load itself moves on.
type armColumn struct {
	rows []*armValue
	step *armValue
}

func (a *neon) column(p, stride, step gp, rows int) column {
	c := armColumn{step: step.(*armValue)}
	for range rows {
		c.rows = append(c.rows, a.copyGP(p).(*armValue))
		a.addScaled(p, stride, 1)
	}
	return c
}

func (a *neon) entry(col column, i int) vec {
	c, d := col.(armColumn), newVector()
	a.code(loadSpreadStep, 0, out('D', d), both('N', c.rows[i]), in('M', c.step))
	return vec{d}
}

func (a *neon) next(column) {}

func (a *neon) skip(col column, n gp) {
	for _, p := range col.(armColumn).rows {
		a.addScaled(p, n, 1)
	}
}

// ahead has the same pointers, and the distance from them instead of the step.
func (a *neon) ahead(col column, n int) column {
	c := col.(armColumn)
	distance := newGP()
	a.text(fmt.Sprintf("MOVD $%d, %%D", n), out('D', distance))
	a.mulGP(distance, c.step)
	return armColumn{rows: c.rows, step: distance}
}

func (a *neon) touch(col column, i int) {
	c := col.(armColumn)
	a.code(prefetchAt, 0, in('N', c.rows[i]), in('M', c.step))
}

// transposed transposes one 4 x 4 square after the other.
func (a *neon) transposed(col column) (blocks [4]vec) {
	c := col.(armColumn)
	for i := 0; i < blockLen; i += 4 {
		var r [4]*armValue
		for k := range r {
			r[k] = newVector()
			a.code(loadQStep, 0, out('D', r[k]), both('N', c.rows[i+k]))
		}
		for k, pair := range [][2]part{
			{a.op2(zip1S, r[0], r[1]), a.op2(zip1S, r[2], r[3])},
			{a.op2(zip2S, r[0], r[1]), a.op2(zip2S, r[2], r[3])},
		} {
			blocks[2*k] = append(blocks[2*k], a.op2(zip1D, pair[0], pair[1]))
			blocks[2*k+1] = append(blocks[2*k+1], a.op2(zip2D, pair[0], pair[1]))
		}
	}
	return blocks
}

func (a *neon) prefetch(p gp, off int) {
	a.text(fmt.Sprintf("PRFM %d(%%N), PLDL1KEEP", off), in('N', p))
}
