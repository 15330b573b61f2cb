package memory

import "iter"

// Block is a part of a flat buffer: rows of Cols numbers, of which the first begins at At and each
// other Stride numbers after the one before.
type Block struct{ At, Rows, Cols, Stride int }

// Span is the block of the numbers from lo to hi (exclusive).
func Span(lo, hi int) Block { return Block{At: lo, Rows: 1, Cols: hi - lo, Stride: hi - lo} }

// Len is how many numbers the block has.
func (b Block) Len() int { return b.Rows * b.Cols }

// Joined is the block as one row if its rows follow each other, and else as it is.
func (b Block) Joined() Block {
	if b.Cols == b.Stride || b.Rows == 1 {
		return Span(b.At, b.At+b.Len())
	}
	return b
}

// Runs are the rows of the joined block: where each begins and ends.
func (b Block) Runs() iter.Seq2[int, int] {
	b = b.Joined()
	return func(yield func(lo, hi int) bool) {
		for i := range b.Rows {
			lo := b.At + i*b.Stride
			if !yield(lo, lo+b.Cols) {
				return
			}
		}
	}
}
