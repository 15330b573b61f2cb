package npy

import (
	"encoding/binary"
	"io"
	"math"
)

// Decode decodes the elements in src, len(dst) times the width of d. Integers of 64 bits are
// rounded to 53 bits, all others are exact; any byte but 0 is true, which is 1.
func (d Dtype) Decode(dst []float64, src []byte) {
	if d.Kind == Other || len(src) != len(dst)*d.Width {
		panic("npy: Decode needs numbers of a known type and as many as fill dst")
	}
	var order binary.ByteOrder = binary.LittleEndian
	if d.Big {
		order = binary.BigEndian
	}
	switch d.Kind {
	case Bool:
		for i, b := range src {
			dst[i] = float64(min(b, 1))
		}
	case Float:
		d.decodeFloats(dst, src, order)
	default:
		d.decodeIntegers(dst, src, order)
	}
}

func (d Dtype) decodeFloats(dst []float64, src []byte, order binary.ByteOrder) {
	switch d.Width {
	case 2:
		for i := range dst {
			dst[i] = half(order.Uint16(src[2*i:]))
		}
	case 4:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(order.Uint32(src[4*i:])))
		}
	default:
		for i := range dst {
			dst[i] = math.Float64frombits(order.Uint64(src[8*i:]))
		}
	}
}

func (d Dtype) decodeIntegers(dst []float64, src []byte, order binary.ByteOrder) {
	unused := 64 - 8*d.Width
	for i := range dst {
		var bits uint64
		switch b := src[i*d.Width:]; d.Width {
		case 1:
			bits = uint64(b[0])
		case 2:
			bits = uint64(order.Uint16(b))
		case 4:
			bits = uint64(order.Uint32(b))
		default:
			bits = order.Uint64(b)
		}
		if d.Kind == Int {
			dst[i] = float64(int64(bits<<unused) >> unused) // extends the sign
		} else {
			dst[i] = float64(bits)
		}
	}
}

// half decodes IEEE 754's binary16.
func half(bits uint16) float64 {
	sign := 1 - 2*float64(bits>>15)
	fraction := float64(bits & 0x3ff)
	switch exponent := int(bits >> 10 & 0x1f); {
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

// blockLen is how many elements Blocks reads at a time.
const blockLen = 1 << 12

// Blocks reads n elements and hands them to use, a block at a time; its slice is used again.
// Like io.ReadFull it returns how many it has read, and io.EOF or io.ErrUnexpectedEOF where
// the file ends too soon.
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

// ReadFloats fills dst with the next elements, rounded to float32. It returns what Blocks does.
func ReadFloats(r io.Reader, d Dtype, dst []float32) (int, error) {
	return d.Blocks(r, len(dst), func(first int, values []float64) {
		for i, v := range values {
			dst[first+i] = float32(v)
		}
	})
}
