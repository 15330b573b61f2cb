package kernel

import (
	"fmt"
	"testing"
)

// packing is a call of PackRows for n rows of cols numbers, or of PackColumns for as many columns;
// more is how far apart the source's rows are beyond their length.
type packing struct{ width, cols, n, more int }

// packings have unused columns or none; the last ones take several calls of assembly.
func packings() (all []packing) {
	for _, width := range []int{1, 7, 16, 17, 32, 33, 64} {
		for _, cols := range []int{0, 1, width / 2, width - 1, width} {
			for _, n := range []int{0, 1, 3, 4, 7, 16, 37} {
				all = append(all, packing{width, cols, n, len(all) % 3})
			}
		}
	}
	return append(
		all, packing{300, 290, 500, 0}, packing{MaxRow, MaxRow - 5, 2, 1},
		packing{40, 37, 2*MaxRow/transposedRows + 7, 2},
	)
}

// want is what is packed from the numbers that at returns: zero where there are none.
func (p packing) want(at func(i, j int) float32) []float32 {
	dst := make([]float32, p.n*p.width)
	for i := range p.n {
		for j := range p.cols {
			dst[i*p.width+j] = at(i, j)
		}
	}
	return dst
}

// source is memory of rows of d numbers that ends with the last of them.
func (p packing) source(rows, d int) (src []float32, ld int) {
	ld = d + p.more
	return fill(max(0, min(rows, 1)*((rows-1)*ld+d))), ld
}

// TestPacking: both packings are the loops in their comments.
func TestPacking(t *testing.T) {
	const alpha = float32(-0.7)
	eachPath(t, func(t *testing.T) {
		for _, p := range packings() {
			got := guarded(t, p.n*p.width)
			src, ld := p.source(p.n, p.cols)
			PackRows(got, p.width, src, ld, p.cols, p.n, alpha)
			same(
				t, fmt.Sprintf("PackRows, %+v", p), got,
				p.want(func(i, j int) float32 { return alpha * src[i*ld+j] }),
			)

			got = guarded(t, p.n*p.width)
			src, ld = p.source(p.cols, p.n)
			PackColumns(got, p.width, src, ld, p.cols, p.n)
			same(
				t, fmt.Sprintf("PackColumns, %+v", p), got,
				p.want(func(i, j int) float32 { return src[j*ld+i] }),
			)
		}
	})
}

// TestCopyRows: rows are copied and nothing between them is written, also where those of the source
// overlap.
func TestCopyRows(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, p := range packings() {
			lds := p.cols + p.more - 1 // one that overlaps, one that does not, one with a gap
			if p.cols == 0 {
				continue
			}
			src := fill(max(0, p.n-1)*lds + p.cols)
			got := guarded(t, p.n*p.width)
			want := fill(len(got))
			copy(got, want)
			for i := range p.n {
				copy(want[i*p.width:], src[i*lds:][:p.cols])
			}
			CopyRows(got[:max(0, len(got)-p.width+p.cols)], p.width, src, lds, p.cols, p.n)
			same(t, fmt.Sprintf("%+v", p), got, want)
		}
	})
}
