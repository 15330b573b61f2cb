package blas

import (
	"math"
	"testing"
)

// Limits of a fuzzed product: its numbers of rows and columns, and its multiply-adds.
const (
	mostRows, mostCols, mostDepth = blockM + 20, 70, blockK + 40
	mostWork                      = 1 << 16
)

// number makes a float32 from 32 random bits, in one of five ways: any number, a special or
// subnormal one, a small integer (often zero), a number near 1, or a mixture of these.
func number(kind uint8, bits uint32) float32 {
	switch kind % 5 {
	case 0:
		return math.Float32frombits(bits)
	case 1:
		return []float32{
			0, float32(math.Copysign(0, -1)), inf, -inf, nan, 0x1p-149, math.MaxFloat32, 1,
		}[bits%8]
	case 2:
		return float32(int(bits%5) - 2)
	case 3:
		return math.Float32frombits(bits&(1<<31|1<<23-1) | 127<<23)
	}
	return number(uint8(bits%61)/20+1, bits>>6)
}

func (s *source) refill(kind uint8, ms ...Matrix) {
	for _, m := range ms {
		for i := range m.Rows {
			for j := range m.Cols {
				row(m, i)[j] = number(kind, s.Uint32())
			}
		}
	}
}

// FuzzGemm: products of any shape and any numbers, in any precision, are the documented chains, as
// are those by a factor.
func FuzzGemm(f *testing.F) {
	f.Add(
		uint16(15), uint16(33), uint16(40), uint8(0), uint16(0), float32(1), float32(0), uint8(3),
		uint64(1),
	)
	f.Add(
		uint16(90), uint16(5), uint16(9), uint8(1), uint16(2048), float32(-0.7), float32(1),
		uint8(4), uint64(2),
	)
	f.Add(
		uint16(3), uint16(17), uint16(1030), uint8(2), uint16(1024), float32(0.5), float32(2),
		uint8(1), uint64(3),
	)
	f.Add(
		uint16(6), uint16(64), uint16(64), uint8(3), uint16(1025), float32(0), float32(-1),
		uint8(0), uint64(4),
	)
	f.Add(
		uint16(8), uint16(40), uint16(70), uint8(4), uint16(0), float32(1), float32(1), uint8(0),
		uint64(5),
	)
	f.Add(
		uint16(8), uint16(40), uint16(71), uint8(9), uint16(0), float32(1), float32(1), uint8(4),
		uint64(6),
	)
	f.Add(
		uint16(8), uint16(40), uint16(70), uint8(14), uint16(0), float32(1), float32(1), uint8(3),
		uint64(7),
	)
	f.Fuzz(
		func(t *testing.T, m, n, k uint16, flags uint8, stride uint16, alpha, beta float32,
			kind uint8, seed uint64) {
			usePrecision(t, Precisions[flags>>2&3])
			rows, cols := int(m)%(mostRows+1), int(n)%(mostCols+1)
			depth := min(int(k)%(mostDepth+1), mostWork/max(1, rows*cols))
			s := newSource(seed)
			p := s.product(flags&1 != 0, flags&2 != 0, rows, cols, depth)
			if most := mostWork / max(1, p.a.Rows); int(stride) <= most {
				s.wide(p, int(stride))
			}
			s.refill(kind, p.a, p.b, p.c)
			p.alpha, p.beta = alpha, beta
			p.checkChain(t, p.done())

			p.ta, p.a, p.alpha = N, s.spread(rows, depth), 1
			bias := s.fill(cols)
			s.refill(kind, p.a, Dense(bias, 1, cols))
			for i := range rows {
				copy(row(p.c, i), bias)
			}
			p.beta = 1
			var factor Factor
			factor.Set(p.tb, p.b)
			p.checkFactor(t, p.mul(&factor, bias), bias)
		},
	)
}
