package npy

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"
)

// Decode decodes the elements in src, whose length must be len(dst) times the width of d. Integers
// of 64 bits are rounded to 53 bits; all others are exact. A boolean becomes 0 or 1: every byte
// except 0 is true.
func (d Dtype) Decode(dst []float64, src []byte) {
	if d.Kind == Other || len(src) != len(dst)*d.Width {
		panic("npy: Decode needs numbers of a known type and as many as fill dst")
	}
	switch d.Kind {
	case Bool:
		for i, b := range src {
			dst[i] = float64(min(b, 1))
		}
	case Float:
		d.decodeFloats(dst, src)
	case Int:
		unused := 64 - 8*d.Width
		for i := range dst {
			dst[i] = float64(int64(d.bits(src, i)<<unused) >> unused) // sign extension
		}
	default:
		for i := range dst {
			dst[i] = float64(d.bits(src, i))
		}
	}
}

func (d Dtype) decodeFloats(dst []float64, src []byte) {
	switch d.Width {
	case 2:
		for i := range dst {
			dst[i] = half(uint16(d.bits(src, i)))
		}
	case 4:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(uint32(d.bits(src, i))))
		}
	default:
		for i := range dst {
			dst[i] = math.Float64frombits(d.bits(src, i))
		}
	}
}

// bits returns the bits of element i.
func (d Dtype) bits(src []byte, i int) uint64 {
	switch d.Width {
	case 1:
		return uint64(src[i])
	case 2:
		v := binary.LittleEndian.Uint16(src[2*i:])
		if d.Big {
			v = bits.ReverseBytes16(v)
		}
		return uint64(v)
	case 4:
		v := binary.LittleEndian.Uint32(src[4*i:])
		if d.Big {
			v = bits.ReverseBytes32(v)
		}
		return uint64(v)
	default:
		v := binary.LittleEndian.Uint64(src[8*i:])
		if d.Big {
			v = bits.ReverseBytes64(v)
		}
		return v
	}
}

// half decodes a binary16 of IEEE 754.
func half(h uint16) float64 {
	sign := 1 - 2*float64(h>>15)
	fraction := float64(h & 0x3ff)
	switch exponent := int(h >> 10 & 0x1f); {
	case exponent == 31 && fraction != 0:
		return math.NaN()
	case exponent == 31:
		return math.Inf(int(sign))
	case exponent == 0:
		return sign * fraction * 0x1p-24
	default:
		return sign * math.Ldexp(1024+fraction, exponent-25)
	}
}

// blockLen is the number of elements that Blocks reads at a time.
const blockLen = 1 << 12

// Blocks reads n elements and passes them to use, a block at a time, in a slice that it reuses;
// first is the number of the block's first element. Like io.ReadFull it returns the number of
// elements read, and io.EOF or io.ErrUnexpectedEOF if the file ends early.
func (d Dtype) Blocks(r io.Reader, n int, use func(first int, values []float64)) (int, error) {
	size := min(n, blockLen)
	raw, values := make([]byte, size*d.Width), make([]float64, size)
	for done := 0; done < n; {
		k := min(n-done, blockLen)
		got, err := io.ReadFull(r, raw[:k*d.Width])
		got /= d.Width
		d.Decode(values[:got], raw[:got*d.Width])
		use(done, values[:got])
		done += got
		if err != nil {
			return done, err
		}
	}
	return n, nil
}

// ReadFloats fills dst with the next elements, rounded to float32. It returns what Blocks returns.
func ReadFloats(r io.Reader, d Dtype, dst []float32) (int, error) {
	return d.Blocks(r, len(dst), func(first int, values []float64) {
		for i, v := range values {
			dst[first+i] = float32(v)
		}
	})
}
