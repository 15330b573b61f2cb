package kernel

import "math"

// Activations without a bias.

func siLUGeneric(y, x []float32) {
	for i, t := range x {
		y[i], x[i] = silu(t)
	}
}

func sumSiLUGeneric(y, s, h, e []float32) {
	for i := range y {
		y[i], s[i] = silu(h[i] + e[i])
	}
}

func affineSiLUGeneric(y, s, x, a, b []float32) {
	for i := range y {
		j := i % len(a)
		y[i], s[i] = silu(fma32(x[i], a[j], b[j]))
	}
}

func siLUBackwardAddGeneric(dx, s, dy []float32) {
	for i := range dx {
		dx[i] = fma32(s[i], dy[i], dx[i])
	}
}

// Columns.

func affineGeneric(y, x, a, b []float32) {
	for i := range y {
		j := i % len(a)
		y[i] = fma32(x[i], a[j], b[j])
	}
}

func affineGradGeneric(dx, dy, x, a, b, c []float32) {
	for i := range dx {
		j := i % len(a)
		dx[i] = fma32(dy[i], a[j], fma32(x[i], b[j], c[j]))
	}
}

func affineGradAddGeneric(dx, dy, x, a, b, c []float32) {
	for i := range dx {
		j := i % len(a)
		dx[i] += fma32(dy[i], a[j], fma32(x[i], b[j], c[j]))
	}
}

func addRowsGeneric(dst, x []float32, stride, rows int) {
	for i := range rows {
		addGeneric(dst, x[i*stride:i*stride+len(dst)])
	}
}

func colDotGeneric(dst, x, y []float32, rows int) {
	for i := range rows * len(dst) {
		j := i % len(dst)
		dst[j] = fma32(x[i], y[i], dst[j])
	}
}

func colSquaresGeneric(dst, x, m []float32, rows int) {
	for i := range rows * len(dst) {
		j := i % len(dst)
		d := x[i] - m[j]
		dst[j] = fma32(d, d, dst[j])
	}
}

// Rows.

func softmaxGeneric(y, x []float32, scale float32, rows, d int) {
	for i := range rows {
		xr, yr := x[i*d:(i+1)*d], y[i*d:(i+1)*d]
		top := float32(math.Inf(-1))
		for _, v := range xr {
			top = max(top, scale*v)
		}
		var acc [16]float32
		for j, v := range xr {
			w := top - float32(scale*v)
			if w >= siluLimit {
				w = siluLimit
			}
			p, e := expNeg(w)
			yr[j] = float32(p * e)
			acc[j%16] += yr[j]
		}
		scaleGeneric(yr, 1/fold(&acc))
	}
}

func softmaxBackwardGeneric(dx, y, dy []float32, scale float32, rows, d int) {
	for i := range rows {
		yr, dyr := y[i*d:(i+1)*d], dy[i*d:(i+1)*d]
		p := dot(yr, dyr)
		for j, v := range yr {
			dx[i*d+j] = float32(scale*v) * (dyr[j] - p)
		}
	}
}
