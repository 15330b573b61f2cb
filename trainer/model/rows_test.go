package model

import (
	"slices"
	"testing"
)

// TestRowsShareNoMemory: a pass forward and back writes neither to the scratch of another pass,
// which another worker may be using, nor to what is kept of rows outside its range.
func TestRowsShareNoMemory(t *testing.T) {
	for _, net := range []*Net{
		NewMLP(nil, 2, 3, 9, 4, 2), NewEncoder(nil, 5, 2, 6, 3), NewResidualScore(nil, 3, 6, 2, 4),
	} {
		p := make([]float32, net.Layout().Size())
		net.Layout().Init(p, 1, 0)
		const rows, split = 8, 3
		tape := net.NewTape(nil, p, Size{Rows: rows, Passes: 2}, Train)
		for i := range tape.PackTasks() {
			tape.Pack(i)
		}
		idle := tape.Take(0, 1)
		for _, span := range [][2]int{{0, split}, {split, rows}} {
			blank(idle.scratch)
			kept := slices.Concat(tape.values, tape.grads)
			for _, x := range kept {
				blank(x)
			}
			pass := tape.Take(span[0], span[1])
			for i := range net.inputs {
				clear(pass.In(i))
			}
			pass.Forward()
			clear(pass.DOut())
			pass.Backward(nil)
			pass.Release()
			wrote := anyNumber(idle.scratch)
			for _, x := range kept {
				width := len(x) / rows
				wrote = wrote || anyNumber(x[:span[0]*width]) || anyNumber(x[span[1]*width:])
				if len(x) > 0 && !anyNumber(x[span[0]*width:span[1]*width]) {
					t.Errorf("rows %v: an array that is kept was not written", span)
				}
			}
			if wrote {
				t.Errorf("a pass of rows %v wrote outside their memory", span)
			}
		}
	}
}

// anyNumber reports whether an element of x is not NaN.
func anyNumber(x []float32) bool {
	return slices.ContainsFunc(x, func(v float32) bool { return v == v })
}
