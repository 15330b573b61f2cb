package blas

import "github.com/plume-ml/plume/kernel"

// Lanes are the parts of a sum over rows, each of which has a sum of its own: a lane's product is
// that of its rows alone, and the lanes are added along the tree of [kernel.Joins]. What a sum is
// then does not depend on who computed which lane.
//
// Lane i is rows (Ends[i-1]-First)*Each to (Ends[i]-First)*Each, lane 0 from row 0 on. A lane may
// have no rows; its sum is 0.
type Lanes struct {
	Ends        []int
	First, Each int
}

// Times is the lanes of n rows in the place of each.
func (l Lanes) Times(n int) Lanes {
	l.Each *= n
	return l
}

// Several reports whether there is more than one lane: with one, or none, a sum is what it is
// without lanes.
func (l Lanes) Several() bool { return len(l.Ends) > 1 }

func (l Lanes) rows(i int) (lo, hi int) {
	first := l.First
	if i > 0 {
		first = l.Ends[i-1]
	}
	return (first - l.First) * l.Each, (l.Ends[i] - l.First) * l.Each
}

// longest is the most rows of a lane.
func (l Lanes) longest() (n int) {
	for i := range l.Ends {
		lo, hi := l.rows(i)
		n = max(n, hi-lo)
	}
	return n
}

// Sum sets c, and sums unless they are nil, to the sums of those of the lanes, which part computes
// for lane i of rows lo to hi, at least one. Those have no gaps between their rows, and may hold
// anything before.
func (l Lanes) Sum(
	c Matrix, sums []float32, part func(i, lo, hi int, c Matrix, sums []float32),
) {
	w := takeWorkspace()
	defer w.release()
	n, size := len(l.Ends), c.Rows*c.Cols
	each := size + len(sums)
	memory := grow(&w.lanes, (kernel.Waiting(n)+1)*each)
	waiting := 0
	for i := range n {
		own := memory[waiting*each:][:each]
		if lo, hi := l.rows(i); lo < hi {
			part(i, lo, hi, Dense(own, c.Rows, c.Cols), own[size:])
		} else {
			clear(own)
		}
		for range kernel.Joins(i, n) {
			waiting--
			kernel.Add(memory[waiting*each:][:each], memory[(waiting+1)*each:][:each])
		}
		waiting++
	}
	for i := range c.Rows {
		copy(c.Data[i*c.Stride:][:c.Cols], memory[i*c.Cols:])
	}
	copy(sums, memory[size:])
}

// GradLanes is dw = alpha x^T dy as [Backend.Gemm] computes it, by lanes of the rows.
func (b *Backend) GradLanes(l Lanes, alpha float32, x Left, dy, dw Matrix) {
	if b.order.takes(l, x) {
		right := operand{stride: dy.Stride, data: dy.Data, alpha: alpha}
		b.order.sumLanes(l, x, right, 1, dw, nil)
		return
	}
	l.Sum(dw, nil, func(_, lo, hi int, sum Matrix, _ []float32) {
		b.Gemm(T, N, alpha, x.rows(lo, hi), dy.rows(lo, hi), 0, sum)
	})
}

// ConvGradLanes is dw = alpha patches^T dy as [Backend.ConvGrad] computes it, by lanes of the
// patches of whole pictures.
func (b *Backend) ConvGradLanes(l Lanes, alpha float32, patches Left, dy, dw Matrix) {
	l.Sum(dw, nil, func(_, lo, hi int, sum Matrix, _ []float32) {
		b.ConvGrad(alpha, patches.rows(lo, hi), dy.rows(lo, hi), 0, sum)
	})
}

// WeightGradLanes is dw and sums as [Backend.WeightGrad] computes them without what they held, each
// lane's times scale, by lanes of the rows.
func (b *Backend) WeightGradLanes(
	l Lanes, scale float32, x Left, dy Rounded, dw Matrix, sums []float32,
) {
	if b.order.takes(l, x) {
		right := operand{stride: dy.stride, data: dy.data, alpha: 1, rounded: true}
		b.order.sumLanes(l, x, right, scale, dw, sums)
		return
	}
	l.Sum(dw, sums, func(_, lo, hi int, sum Matrix, ones []float32) {
		if sums == nil {
			ones = nil
		}
		b.WeightGrad(x.rows(lo, hi), dy.Rows(lo, hi), 0, sum, ones)
		kernel.Scale(sum.Data, scale)
		kernel.Scale(ones, scale)
	})
}

// takes reports whether sumLanes computes a product: lanes are so short that the panels of the
// right factor are at hand for all of them at once. Patches make long lanes anyway.
func (o *order) takes(l Lanes, x Left) bool {
	return o != nil && !x.gathered() && l.longest() <= o.blockK
}

// sumLanes is c = left^T right, and sums = 1^T right unless they are nil, each lane's times scale.
// Lanes are added block by block of c, small enough that what waits stays in a core's own cache.
func (o *order) sumLanes(
	l Lanes, left Left, right operand, scale float32, c Matrix, sums []float32,
) {
	w := o.workspace()
	defer w.release()
	_, cols := o.shape()
	for j := 0; j < c.Cols; j += blockN {
		p := lanePanels{workspace: w, lanes: l, width: min(blockN, c.Cols-j), scale: scale}
		p.pack(right, j)
		if sums != nil {
			l.Sum(Dense(sums[j:], 1, p.width), nil, p.ones)
		}
		wide := 8 * cols
		if o.rounds || left.m.Stride > far { // rows are laid out for each block
			wide = p.width
		}
		for i := 0; i < c.Rows; i += o.blockM {
			rows := c.rows(i, min(c.Rows, i+o.blockM))
			for at := 0; at < p.width; at += wide {
				block := rows.Slice(j+at, j+min(p.width, at+wide))
				l.Sum(block, nil, func(lane, lo, hi int, sum Matrix, _ []float32) {
					p.multiply(&left, i, at, lane, lo, hi, sum)
				})
			}
		}
	}
}

// lanePanels are the panels of some columns of a right factor, those of each lane for themselves.
type lanePanels struct {
	*workspace
	lanes Lanes
	width int // columns
	scale float32
	data  []float32
}

// at is where the panels of lane i begin, whose first row is lo: with room for whole groups.
func (p *lanePanels) at(i, lo int) int {
	_, cols := p.order.shape()
	return p.order.panelSize(whole(lo)+i*Group, p.width, cols)
}

// pack lays out columns of the right factor from j on.
func (p *lanePanels) pack(right operand, j int) {
	_, cols := p.order.shape()
	n := len(p.lanes.Ends)
	_, rows := p.lanes.rows(n - 1)
	p.data = grow(&p.b, p.at(n, rows))
	for i := range n {
		if lo, hi := p.lanes.rows(i); lo < hi {
			depth := p.order.depth(hi - lo)
			p.packPanels(right, p.data[p.at(i, lo):], cols, depth, lo, hi, j, j+p.width)
		}
	}
}

// ones is the sums of a lane's columns.
func (p *lanePanels) ones(i, lo, hi int, c Matrix, _ []float32) {
	_, cols := p.order.shape()
	p.addOnes(p.data[p.at(i, lo):], p.order.depth(hi-lo)*cols, hi-lo, start{}, c)
	kernel.Scale(c.Data, p.scale)
}

// multiply is a lane's product for the rows of the transposed left factor from row on, and
// for the columns from column on, as many as c has.
func (p *lanePanels) multiply(left *Left, row, column, lane, lo, hi int, c Matrix) {
	_, cols := p.order.shape()
	stride := p.order.depth(hi-lo) * cols
	panels := p.data[p.at(lane, lo)+column/cols*stride:]
	p.multiplyRows(left, T, row, lo, hi-lo, panels, stride, start{}, c)
	if p.scale != 1 {
		kernel.Scale(c.Data, p.scale)
	}
}
