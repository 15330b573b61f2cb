package kernel

import "math"

// lower and upper are the halves of a word.
func lower(word float32) float32 { return math.Float32frombits(math.Float32bits(word) << 16) }
func upper(word float32) float32 {
	return math.Float32frombits(math.Float32bits(word) &^ lostBits)
}

// pairOf is the word of two halves, whose lower bits are lost.
func pairOf(first, second float32) float32 {
	return math.Float32frombits(
		math.Float32bits(first)>>16 | math.Float32bits(second)&^lostBits,
	)
}

var definedBF16 = Halves{
	name: "bf16", high: HalfCols, peak: peakGeneric, peakOperations: 2,
	mul: mulHalves(addGroup), silu: siluHalves(addGroup),
}

var definedPairs = Halves{
	name: "bf16-pairs", high: HalfCols, peak: peakGeneric, peakOperations: 2,
	mul: mulHalves(addPairs), silu: siluHalves(addPairs),
}

// addGroup adds the products of sixteen words of a row and of a column, whose words are HalfCols
// apart.
func addGroup(sum float32, a, b []float32) float32 {
	var even, odd float32
	for k, x := range a {
		y := b[k*HalfCols]
		even = fma32(lower(x), lower(y), even)
		odd = fma32(upper(x), upper(y), odd)
	}
	return sum + (even + odd)
}

// addPairs is the same, pair by pair.
func addPairs(sum float32, a, b []float32) float32 {
	for k, x := range a {
		y := b[k*HalfCols]
		sum = fma32(lower(x), lower(y), fma32(upper(x), upper(y), sum))
	}
	return sum
}

// mulHalves is Halves.mul for any number of rows, by addGroup or addPairs.
func mulHalves(add func(sum float32, a, b []float32) float32) func(c []float32, ldc int,
	first bool, a []float32, rs, jump int, b []float32,
	bs, rows, gap, blocks, panels, n, parts int) {
	const group = HalfDepth / 2
	return func(c []float32, ldc int, first bool, a []float32, rs, jump int, b []float32,
		bs, rows, gap, blocks, panels, n, parts int) {
		element := func(i, p, j int) float32 {
			sum, column := float32(0), b[p*bs+j:]
			if !first {
				sum = c[i*ldc+p*HalfCols+j]
			}
			for part := range parts {
				row := a[i*rs+part*(n/2+jump):]
				for k := 0; k < n/2; k += group {
					sum = add(sum, row[k:k+group], column[(part*n/2+k)*HalfCols:])
				}
			}
			return sum
		}
		for r := range rows * blocks {
			i := r/rows*gap + r%rows
			for p := range panels {
				for j := range HalfCols {
					c[i*ldc+p*HalfCols+j] = element(i, p, j)
				}
			}
		}
	}
}

func roundHalvesGeneric(dst []float32, rs, gs int, src []float32, ld, cols, rows int,
	alpha float32) {
	for i := range rows {
		at := func(j int) float32 {
			if j >= cols {
				return 0
			}
			return bf16(float32(alpha * src[i*ld+j]))
		}
		for j := 0; j < padded(cols); j += 2 {
			dst[i*rs+j/HalfDepth*gs+j%HalfDepth/2] = pairOf(at(j), at(j+1))
		}
	}
}

func interleavePairsGeneric(dst []float32, width int, x, y []float32, ld, cols, rows int,
	alpha float32) {
	for i := range rows {
		for j := range cols {
			dst[i*width+j] = pairOf(
				bf16(float32(alpha*x[i*ld+j])), bf16(float32(alpha*y[i*ld+j])),
			)
		}
	}
}

func interleaveHalvesGeneric(dst, src []float32, rs, pairs int) {
	for i := range pairs {
		first, second := src[2*i*rs:], src[(2*i+1)*rs:]
		for j := range HalfCols / 2 {
			dst[i*HalfCols+2*j] = pairOf(lower(first[j]), lower(second[j]))
			dst[i*HalfCols+2*j+1] = pairOf(upper(first[j]), upper(second[j]))
		}
	}
}

// siluHalves is Halves.silu for any number of rows, likewise.
func siluHalves(add func(sum float32, a, b []float32) float32) func(dst []float32, ss int,
	slopes []float32, ld int, bias, a []float32, rs int, b []float32,
	bs, rows, gap, blocks, panels, n, step int, more bool) {
	const group = HalfDepth / 2
	return func(dst []float32, ss int, slopes []float32, ld int, bias, a []float32, rs int,
		b []float32, bs, rows, gap, blocks, panels, n, step int, _ bool) {
		element := func(i, j int) float32 {
			if j >= len(bias) {
				return 0
			}
			sum, column := float32(0), b[j/HalfCols*bs+j%HalfCols:]
			for g := range n / HalfDepth {
				sum = add(sum, a[i*rs+g*step:][:group], column[g*group*HalfCols:])
			}
			y, d := silu(sum + bias[j])
			if len(slopes) > 0 {
				slopes[i*ld+j] = d
			}
			return bf16(y)
		}
		for r := range rows * blocks {
			i := r/rows*gap + r%rows
			for w := range panels * group {
				dst[w/group*ss+i*group+w%group] = pairOf(element(i, 2*w), element(i, 2*w+1))
			}
		}
	}
}
