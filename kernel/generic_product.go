package kernel

import "runtime"

const genericCols = 16

func mulTileGeneric(c []float32, ldc int, start []float32, lds int, a []float32,
	rs, cs, jump int, b []float32, rows, n, parts int) {
	for i := range rows {
		for j := range genericCols {
			sum := start[i*lds+j]
			for p := range parts {
				left, right := i*rs+p*(n*cs+jump), p*n*genericCols+j
				for k := range n {
					sum = fma32(a[left+k*cs], b[right+k*genericCols], sum)
				}
			}
			c[i*ldc+j] = sum
		}
	}
}

func packRowsGeneric(dst []float32, width int, src []float32, ld, cols, rows int, alpha float32) {
	for i := range rows {
		for j := range cols {
			dst[i*width+j] = alpha * src[i*ld+j]
		}
	}
}

func transposeGeneric(dst []float32, width int, src []float32, ld, n int) {
	for j := range transposedRows {
		for k := range n {
			dst[k*width+j] = src[j*ld+k]
		}
	}
}

// genericRows is the generic path's tileRows.
const genericRows = 4

func mulRowsGeneric(c []float32, ldc int, start []float32, lds int, a []float32,
	rs, cs, next int, b []float32, tiles, n int) {
	for i := 0; i < tiles*genericRows; i += genericRows {
		mulTileGeneric(c[i*ldc:], ldc, start[i*lds:], lds, a[min(i*next, len(a)):], rs, cs, 0, b,
			genericRows, n, 1)
	}
}

func peakGeneric(rounds int) {
	sum := float32(0)
	for range rounds {
		sum = fma32(0.5, 0.5, sum)
	}
	runtime.KeepAlive(sum)
}
