package memory_test

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/memory"
)

// places lists the numbers of blocks in their order.
func places(blocks ...memory.Block) (all []int) {
	for _, b := range blocks {
		for lo, hi := range b.Runs() {
			for i := lo; i < hi; i++ {
				all = append(all, i)
			}
		}
	}
	return all
}

// TestJoin: blocks that make whole rows together are one span, those that leave gaps stay.
func TestJoin(t *testing.T) {
	left := memory.Block{At: 10, Rows: 3, Cols: 4, Stride: 9}
	right := memory.Block{At: 14, Rows: 3, Cols: 5, Stride: 9}
	short := memory.Block{At: 14, Rows: 3, Cols: 3, Stride: 9}
	for _, c := range []struct {
		name         string
		blocks, want []memory.Block
	}{
		{"none", nil, nil},
		{"one block", []memory.Block{left}, []memory.Block{left}},
		{"columns", []memory.Block{right, left}, []memory.Block{memory.Span(10, 37)}},
		{"gaps", []memory.Block{short, left}, []memory.Block{left, short}},
		{
			"columns and what follows",
			[]memory.Block{memory.Span(40, 45), right, memory.Span(37, 39), left},
			[]memory.Block{memory.Span(10, 39), memory.Span(40, 45)},
		},
	} {
		if got := memory.Join(slices.Clone(c.blocks)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestBlockParts: parts have all numbers of a block in its order, and no more than they may.
func TestBlockParts(t *testing.T) {
	for _, b := range []memory.Block{
		{}, memory.Span(5, 5), memory.Span(3, 23), memory.Span(3, 24),
		{At: 7, Rows: 5, Cols: 4, Stride: 4}, {At: 7, Rows: 5, Cols: 4, Stride: 6},
		{At: 7, Rows: 2, Cols: 30, Stride: 31}, {At: 7, Rows: 3, Cols: 0, Stride: 2},
	} {
		parts := slices.Collect(b.Parts(10))
		if got, want := places(parts...), places(b); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", b, got, want)
		}
		for _, p := range parts {
			if p.Len() > 10 && p.Rows > 1 || p.Rows == 1 && p.Len() > max(10, b.Cols) {
				t.Errorf("%v: a part of %d numbers: %v", b, p.Len(), p)
			}
		}
	}
}
