package blas

import "github.com/plume-ml/plume/kernel"

// FinishesSiLU reports whether [Factor.MulSiLU] can be used with a factor of so many rows and
// columns.
func (b *Backend) FinishesSiLU(rows, cols int) bool {
	return b.Keeps() && b.order.packed.FinishesSiLU() && rows <= blockK && cols >= Group/2
}

// RoundedIn is [Backend.Rounded] in memory of rows x cols numbers, for a factor's columns that
// FinishesSiLU takes.
func (b *Backend) RoundedIn(memory []float32, rows, cols int) Rounded {
	r := Rounded{order: b.order, rows: rows, cols: cols, stride: rows * cacheLine}
	r.data = memory[:whole(cols)/Group*r.stride]
	return r
}

// MulSiLU is silu(a f + bias), rounded, and with slopes, unless it has no rows, its derivative: the
// bits of [Factor.Mul], [kernel.SiLU] and [Rounded.Set]. a is not patches.
func (f *Factor) MulSiLU(a Left, bias []float32, slopes Matrix, to Rounded) {
	if !f.set {
		panic(errUnset)
	}
	o := f.backend.order
	if a.m.Cols != f.rows || a.m.Rows != to.rows || f.cols != to.cols || len(bias) != f.cols ||
		!a.valid() || a.gathered() || to.order != o ||
		slopes.Rows > 0 && (slopes.Rows != to.rows || slopes.Cols != to.cols || !slopes.valid()) {
		panic(errShape)
	}
	w := o.workspace()
	defer w.release()
	k := reach{n: o.depth(f.rows), parts: 1}
	if a.kept.order != nil {
		k = reach{n: cacheLine, parts: k.n / cacheLine, jump: a.kept.stride - cacheLine}
	}
	for i := 0; i < to.rows; i += siluRows {
		rows := min(siluRows, to.rows-i)
		block := w.leftBlock(&a, N, i, rows, 0, f.rows, rows)
		var d []float32
		if slopes.Rows > 0 {
			d = slopes.Data[i*slopes.Stride:]
		}
		o.packed.MulSiLU(
			to.from(i, 0), to.stride, d, slopes.Stride, bias, block.data, block.rs, k.jump,
			f.panels, o.depth(f.rows)*kernel.HalfCols, rows, 2*k.n, k.parts,
		)
	}
}

// siluRows is how many rows meet a panel at a time: as many as a call takes.
const siluRows = 128
