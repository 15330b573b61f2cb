package kernel

import "math"

const (
	signBit      = 1 << 31
	infinityBits = 0xff << 23
	quietNaNBits = infinityBits | 1<<22
	leastBits    = (127 - 56) << 23 // of 2^-56
	lostBits     = 1<<16 - 1        // of a float32, in bf16
)

// bf16 is x as RoundRows rounds it.
func bf16(x float32) float32 {
	bits := math.Float32bits(x)
	sign := bits & signBit
	switch bits &^= signBit; {
	case bits > infinityBits:
		bits = quietNaNBits
	case bits < leastBits:
		bits = 0
	default:
		bits = (bits + lostBits/2 + bits>>16&1) &^ lostBits
	}
	return math.Float32frombits(sign | bits)
}

func roundRowsGeneric(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32) {
	for i := range rows {
		for j := range cols {
			dst[i*ldd+j] = bf16(float32(alpha * src[i*lds+j]))
		}
	}
}

func roundRestGeneric(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32) {
	for i := range rows {
		for j := range cols {
			x := float32(alpha * src[i*lds+j])
			rest, first := float32(0), bf16(x)
			if math.Float32bits(first)&^signBit < infinityBits {
				rest = bf16(x - first)
			}
			dst[i*ldd+j] = rest
		}
	}
}

func roundPairsGeneric(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32) {
	for i := range rows {
		for j := 0; j < cols; j += 2 {
			x, y := float32(alpha*src[i*lds+j]), float32(alpha*src[i*lds+j+1])
			dst[i*ldd+j], dst[i*ldd+j+1] = bf16(y), bf16(x)
		}
	}
}

func mulGroupsGeneric(c []float32, ldc int, start []float32, lds int, a []float32,
	rs, cs, jump int, b []float32, rows, n, parts int) {
	for i := range rows {
		for j := range genericCols {
			sum := start[i*lds+j]
			for p := range parts {
				left, right := i*rs+p*(n*cs+jump), p*n*genericCols+j
				for k := 0; k < n; k += GroupDepth {
					sum += groupSum(
						a[left+k*cs:], cs, b[right+k*genericCols:], min(GroupDepth, n-k),
					)
				}
			}
			c[i*ldc+j] = sum
		}
	}
}

// groupSum is the sum over n numbers of the depth.
func groupSum(a []float32, cs int, b []float32, n int) float32 {
	var chains [2]float32
	for k := range n {
		chains[k%2] = fma32(a[k*cs], b[k*genericCols], chains[k%2])
	}
	return chains[0] + chains[1]
}
