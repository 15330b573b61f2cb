package kernel

// Winograd's F(2, 3) makes two neighbours of a convolution by three numbers from four products
// instead of six. Here are its transforms in one dimension; those of pictures are these, down and
// then across (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, section
// 4.1; the sign of the last product is the opposite there). With the weights (g0, (g0+g1+g2)/2,
// (g0-g1+g2)/2, g2) the products of their planes give the output's.

// Planes are some arrays of rows: number j of row i of plane k is Data[k*Apart+i*Row+j]. Those that
// are written must not overlap.
type Planes struct {
	Data       []float32
	Apart, Row int
}

// WinogradInput is dst = d0-d2, d1+d2, d2-d1, d3-d1 of the four planes d of src: four planes of
// rows x cols numbers.
func WinogradInput(dst, src Planes, cols, rows int) {
	eachPlane(active.winogradInput, dst, 4, src, 4, cols, rows)
}

// WinogradOutput is dst = (p0+p1)+p2, (p1-p2)+p3 of the four planes p of src: two planes of
// rows x cols numbers.
func WinogradOutput(dst, src Planes, cols, rows int) {
	eachPlane(active.winogradOutput, dst, 2, src, 4, cols, rows)
}

// WinogradOutputAdd is WinogradOutput, added to what dst holds.
func WinogradOutputAdd(dst, src Planes, cols, rows int) {
	eachPlane(active.winogradOutputAdd, dst, 2, src, 4, cols, rows)
}

// WinogradGrad is dst = e0, e0+e1, e0-e1, e1 of the two planes e of src, the gradient by the
// products where e is that by the output: four planes of rows x cols numbers.
func WinogradGrad(dst, src Planes, cols, rows int) {
	eachPlane(active.winogradGrad, dst, 4, src, 2, cols, rows)
}

// eachPlane checks the arguments of a kernel over planes, and cuts them into calls.
func eachPlane(
	f func(dst []float32, dp, ldd int, src []float32, sp, lds, cols, rows int),
	dst Planes, to int, src Planes, from, cols, rows int,
) {
	if rows <= 0 || cols <= 0 {
		check(rows == 0 || cols == 0)
		return
	}
	dst.check(to, cols, rows)
	src.check(from, cols, rows)
	if raceEnabled {
		for k := range from {
			readGrid(src.Data[k*src.Apart:], rows, src.Row, cols)
		}
		for k := range to {
			wroteGrid(dst.Data[k*dst.Apart:], rows, dst.Row, cols)
		}
	}
	wide := min(cols, MaxRow/4)
	high := MaxRow / 4 / wide
	for j := 0; j < cols; j += wide {
		for i := 0; i < rows; i += high {
			f(
				dst.Data[i*dst.Row+j:], dst.Apart, dst.Row, src.Data[i*src.Row+j:], src.Apart,
				src.Row, min(wide, cols-j), min(high, rows-i),
			)
		}
	}
}

// check checks that there are so many planes of rows x cols numbers.
func (p *Planes) check(planes, cols, rows int) {
	check(p.Apart >= 0 && p.Row >= 0 &&
		len(p.Data) >= (planes-1)*p.Apart+(rows-1)*p.Row+cols)
}

func winogradInputGeneric(dst []float32, dp, ldd int, src []float32, sp, lds, cols, rows int) {
	for i := range rows {
		y, d := dst[i*ldd:], src[i*lds:]
		for j := range cols {
			d0, d1, d2, d3 := d[j], d[sp+j], d[2*sp+j], d[3*sp+j]
			y[j], y[dp+j], y[2*dp+j], y[3*dp+j] = d0-d2, d1+d2, d2-d1, d3-d1
		}
	}
}

func winogradOutputGeneric(dst []float32, dp, ldd int, src []float32, sp, lds, cols, rows int) {
	for i := range rows {
		y, p := dst[i*ldd:], src[i*lds:]
		for j := range cols {
			y[j], y[dp+j] = winogradPair(p[j], p[sp+j], p[2*sp+j], p[3*sp+j])
		}
	}
}

func winogradOutputAddGeneric(dst []float32, dp, ldd int, src []float32, sp, lds, cols, rows int) {
	for i := range rows {
		y, p := dst[i*ldd:], src[i*lds:]
		for j := range cols {
			y0, y1 := winogradPair(p[j], p[sp+j], p[2*sp+j], p[3*sp+j])
			y[j], y[dp+j] = y[j]+y0, y[dp+j]+y1
		}
	}
}

func winogradPair(p0, p1, p2, p3 float32) (y0, y1 float32) { return p0 + p1 + p2, p1 - p2 + p3 }

func winogradGradGeneric(dst []float32, dp, ldd int, src []float32, sp, lds, cols, rows int) {
	for i := range rows {
		y, e := dst[i*ldd:], src[i*lds:]
		for j := range cols {
			e0, e1 := e[j], e[sp+j]
			y[j], y[dp+j], y[2*dp+j], y[3*dp+j] = e0, e0+e1, e0-e1, e1
		}
	}
}
