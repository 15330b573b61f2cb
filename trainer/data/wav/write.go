package wav

import (
	"encoding/binary"
	"math"
)

// Encode returns a file of 16-bit PCM, which every player plays: x has the samples with their
// channels side by side. Values beyond [-1, 1] are clipped, as clipped counts; NaN becomes silence.
// rate and channels must be positive, and x at most 1 GiB of samples.
func Encode(x []float32, channels, rate int) (file []byte, clipped int) {
	const header, width = 44, 2
	if channels < 1 || rate < 1 || len(x) > 1<<29 {
		panic("wav: Encode of no channels, no rate or too many samples")
	}
	size := width * len(x)
	little := binary.LittleEndian
	file = make([]byte, 0, header+size)
	file = little.AppendUint32(append(file, "RIFF"...), uint32(header-8+size))
	file = little.AppendUint32(append(file, "WAVEfmt "...), 16)
	file = little.AppendUint16(file, pcm)
	file = little.AppendUint16(file, uint16(channels))
	file = little.AppendUint32(file, uint32(rate))
	file = little.AppendUint32(file, uint32(rate*channels*width))
	file = little.AppendUint16(file, uint16(channels*width))
	file = little.AppendUint16(file, 8*width)
	file = little.AppendUint32(append(file, "data"...), uint32(size))
	for _, v := range x {
		y := math.Round(float64(v) * (1 << 15))
		switch {
		case y != y:
			y = 0
		case y < math.MinInt16 || v > 1:
			clipped++
		}
		y = max(math.MinInt16, min(math.MaxInt16, y))
		file = little.AppendUint16(file, uint16(int16(y)))
	}
	return file, clipped
}
