package model

import (
	"math"
	"slices"
	"testing"
)

// TestRowsShareNoScratch: a backward pass does not write to the scratch of rows outside its range,
// which another worker may be using, for layers of different widths.
func TestRowsShareNoScratch(t *testing.T) {
	net := NewMLP(nil, 2, 3, 9, 4, 2)
	p := make([]float32, net.Layout().Size())
	net.Layout().Init(p, 1, 0)
	const rows, split = 8, 3
	tape := net.NewTape(nil, p, rows, Train).(*mlpTape)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	tape.Forward(0, rows)

	nan := float32(math.NaN())
	for _, span := range [][2]int{{0, split}, {split, rows}} {
		for i := range tape.back {
			tape.back[i] = nan
		}
		tape.Backward(span[0], span[1], nil)
		width := len(tape.back) / rows
		outside := slices.Concat(tape.back[:span[0]*width], tape.back[span[1]*width:])
		if i := slices.IndexFunc(outside, func(v float32) bool { return v == v }); i >= 0 {
			t.Errorf("backward pass of rows %d to %d wrote outside their scratch", span[0], span[1])
		}
	}
}
