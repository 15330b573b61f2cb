// Package wav reads and writes WAV files: RIFF files of PCM with 8, 16, 24 or 32 bits, or of floats
// with 32 or 64 (IEEE), plain or by WAVEFORMATEXTENSIBLE.
//
// The best known library, github.com/go-audio/wav, takes floats for integers and knows no
// extensible format, which files of 24 bits often have.
package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Content is the content of a file. *io.SectionReader and *bytes.Reader implement it.
type Content interface {
	io.ReaderAt
	Size() int64
}

// HeadLen is the number of bytes that Is needs.
const HeadLen = 12

// Is reports whether a file with these first bytes is a WAV file.
func Is(head []byte) bool {
	return len(head) >= HeadLen && string(head[:4]) == "RIFF" && string(head[8:12]) == "WAVE"
}

// Header describes a file.
type Header struct {
	Rate     int // samples a second, of each channel
	Channels int
	Samples  int // of each channel
	Bits     int // of a sample
	Float    bool

	at int64 // where the samples begin
}

func (h Header) String() string {
	kind := "PCM"
	if h.Float {
		kind = "float"
	}
	return fmt.Sprintf("%d-bit %s", h.Bits, kind)
}

// Formats of the samples.
const pcm, ieee, extensible = 1, 3, 0xfffe

// Bounds of a header: a damaged one must not exhaust the memory, nor overflow.
const maxChannels, maxRate = 1 << 10, 1 << 28

// streamed is the length, or more, of samples that were written before their number was known; they
// reach to the end of the file.
const streamed = 0xffffff00

// ReadHeader reads what comes before the samples. A file that is cut short is an error, as is one
// whose samples are compressed.
func ReadHeader(c Content) (Header, error) {
	var h Header
	head := make([]byte, HeadLen)
	if err := readAt(c, head, 0); err != nil {
		return h, err
	}
	if !Is(head) {
		return h, errors.New("is not a WAV file")
	}
	chunk := make([]byte, 8)
	for at := int64(HeadLen); ; {
		if at+8 > c.Size() {
			return h, errors.New("has no samples: its chunk data is missing")
		}
		if err := readAt(c, chunk, at); err != nil {
			return h, err
		}
		at += 8
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			if err := h.readFormat(c, at, size); err != nil {
				return h, err
			}
		case "data":
			return h, h.setSamples(at, size, c.Size()-at)
		}
		at += size + size%2 // chunks are padded to an even length
	}
}

// readAt fills b. The end of the file is an unexpected one.
func readAt(c Content, b []byte, at int64) error {
	n, err := c.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// readFormat reads the chunk that describes the samples.
func (h *Header) readFormat(c Content, at, size int64) error {
	const plain, whole = 16, 40
	if size < plain {
		return fmt.Errorf("has a chunk fmt of %d bytes; expected %d or more", size, plain)
	}
	b := make([]byte, min(size, whole))
	if err := readAt(c, b, at); err != nil {
		return err
	}
	word := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	format := word(0)
	if format == extensible && len(b) >= 26 {
		format = word(24) // the first two bytes of a GUID
	}
	h.Channels, h.Bits = word(2), word(14)
	h.Rate = int(min(binary.LittleEndian.Uint32(b[4:]), maxRate+1))
	h.Float = format == ieee
	ok := format == pcm && (h.Bits == 8 || h.Bits == 16 || h.Bits == 24 || h.Bits == 32) ||
		h.Float && (h.Bits == 32 || h.Bits == 64)
	switch {
	case !ok:
		return fmt.Errorf("has samples of %d bits in the format 0x%04x; expected PCM (1) of 8, "+
			"16, 24 or 32 bits, or floats (3) of 32 or 64", h.Bits, format)
	case h.Channels < 1 || h.Channels > maxChannels:
		return fmt.Errorf("has %d channels; expected 1 to %d", h.Channels, maxChannels)
	case h.Rate < 1 || h.Rate > maxRate:
		return fmt.Errorf("has %d samples a second; expected 1 to %d", h.Rate, maxRate)
	case word(12) != h.frame():
		return fmt.Errorf("has frames of %d bytes; expected %d, of %d channels with %d bits",
			word(12), h.frame(), h.Channels, h.Bits)
	}
	return nil
}

// frame is the bytes of one sample of all channels.
func (h *Header) frame() int { return h.Channels * h.Bits / 8 }

// setSamples sets where size bytes of samples lie, of the rest of the file.
func (h *Header) setSamples(at, size, rest int64) error {
	switch {
	case h.Channels == 0:
		return errors.New("has samples before their format (its chunk fmt)")
	case size >= streamed:
		size = rest
	case size > rest:
		return fmt.Errorf("is cut off: its header promises %d bytes of samples, and %d follow",
			size, rest)
	}
	h.at, h.Samples = at, int(size/int64(h.frame()))
	return nil
}

// Read reads the first len(dst)/Channels samples of each channel, all channels of a sample side by
// side: integers of b bits over 2^(b-1), so that they lie in [-1, 1), and floats as they are. A
// float that is not finite is an error. len(dst) must be at most Samples*Channels.
func (h Header) Read(c Content, dst []float32) error {
	if len(dst) > h.Samples*h.Channels {
		panic("wav: Read of more samples than there are")
	}
	width := h.Bits / 8
	const block = 1 << 14 // samples
	b := make([]byte, min(len(dst), block)*width)
	for lo := 0; lo < len(dst); lo += block {
		part := dst[lo:min(len(dst), lo+block)]
		if err := readAt(c, b[:len(part)*width], h.at+int64(lo)*int64(width)); err != nil {
			return err
		}
		h.convert(part, b)
		if !h.Float {
			continue
		}
		for i, v := range part {
			if !(math.Abs(float64(v)) <= math.MaxFloat32) {
				return fmt.Errorf("holds %v in its sample %d; expected finite numbers", v,
					(lo+i)/h.Channels)
			}
		}
	}
	return nil
}

// convert makes numbers of bytes.
func (h Header) convert(dst []float32, b []byte) {
	little := binary.LittleEndian
	for i := range dst {
		switch {
		case h.Float && h.Bits == 64:
			dst[i] = float32(math.Float64frombits(little.Uint64(b[8*i:])))
		case h.Float:
			dst[i] = math.Float32frombits(little.Uint32(b[4*i:]))
		case h.Bits == 8: // unsigned
			dst[i] = float32(int(b[i])-1<<7) / (1 << 7)
		case h.Bits == 16:
			dst[i] = float32(int16(little.Uint16(b[2*i:]))) / (1 << 15)
		case h.Bits == 24:
			v := int32(b[3*i])<<8 | int32(b[3*i+1])<<16 | int32(b[3*i+2])<<24
			dst[i] = float32(v>>8) / (1 << 23)
		default:
			dst[i] = float32(float64(int32(little.Uint32(b[4*i:]))) / (1 << 31))
		}
	}
}
