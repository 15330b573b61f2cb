package npy

import (
	"encoding/binary"
	"io"
	"math"
)

// ReadFloats fills dst with the next elements, of type F32 or F64; a float64 is rounded to float32. Like
// io.ReadFull it returns how many it has read, and io.EOF or io.ErrUnexpectedEOF where the file ends too soon.
func ReadFloats(r io.Reader, d Dtype, dst []float32) (int, error) {
	var buf [1 << 14]byte
	width := 4
	if d == F64 {
		width = 8
	}
	for done := 0; done < len(dst); {
		k := min(len(dst)-done, len(buf)/width)
		got, err := io.ReadFull(r, buf[:k*width])
		for i := range got / width {
			dst[done+i] = number(buf[i*width:][:width])
		}
		done += got / width
		if err != nil {
			return done, err
		}
	}
	return len(dst), nil
}

func number(b []byte) float32 {
	if len(b) == 8 {
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(b))
}
