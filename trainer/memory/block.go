package memory

import (
	"cmp"
	"iter"
	"slices"
)

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

// End is where the block's last row ends (exclusive).
func (b Block) End() int {
	if b.Len() == 0 {
		return b.At
	}
	return b.At + (b.Rows-1)*b.Stride + b.Cols
}

// Join returns the numbers of disjoint blocks as spans, each as long as can be; or, where blocks
// leave gaps between their rows, those blocks as they are. It sorts the blocks.
func Join(blocks []Block) (joined []Block) {
	slices.SortFunc(blocks, func(a, b Block) int { return cmp.Compare(a.At, b.At) })
	for len(blocks) > 0 {
		n, length, end := 0, 0, blocks[0].At
		for n < len(blocks) && blocks[n].At <= end {
			length += blocks[n].Len()
			end = max(end, blocks[n].End())
			n++
		}
		if at := blocks[0].At; length == end-at {
			joined = append(joined, Span(at, end))
		} else {
			joined = append(joined, blocks[:n]...)
		}
		blocks = blocks[n:]
	}
	return joined
}

// Parts cuts the joined block into parts of at most n numbers, or of single rows: if it is one row,
// into spans of n, else into blocks of whole rows.
func (b Block) Parts(n int) iter.Seq[Block] {
	b = b.Joined()
	return func(yield func(Block) bool) {
		if b.Rows == 1 {
			for lo := b.At; lo < b.End(); lo += n {
				if !yield(Span(lo, min(lo+n, b.End()))) {
					return
				}
			}
			return
		}
		rows := max(1, n/max(1, b.Cols))
		for i := 0; i < b.Rows; i += rows {
			part := b
			part.At, part.Rows = b.At+i*b.Stride, min(rows, b.Rows-i)
			if !yield(part) {
				return
			}
		}
	}
}
