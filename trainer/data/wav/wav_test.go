package wav_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data/wav"
)

// chunk is a chunk of a RIFF file, padded to an even length.
func chunk(name string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	b = append(b, body...)
	return append(b, make([]byte, len(body)%2)...)
}

// format is the chunk that describes samples.
func format(kind, channels, rate, bits int) []byte {
	little := binary.LittleEndian
	b := little.AppendUint16(nil, uint16(kind))
	b = little.AppendUint16(b, uint16(channels))
	b = little.AppendUint32(b, uint32(rate))
	b = little.AppendUint32(b, uint32(rate*channels*bits/8))
	b = little.AppendUint16(b, uint16(channels*bits/8))
	return little.AppendUint16(b, uint16(bits))
}

// extended is format with a GUID that says which kind it is.
func extended(kind, channels, rate, bits int) []byte {
	b := append(format(0xfffe, channels, rate, bits), 22, 0, byte(bits), 0, 3, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(kind))
	return append(b, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), slices.Concat(chunks...)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func floats(v ...float32) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// Each format is read, by the definition of its numbers: the smallest, zero and the largest, and
// chunks of other kinds, of odd lengths too, are passed over.
func TestRead(t *testing.T) {
	const most24 = 1 - 1./(1<<23)
	for name, c := range map[string]struct {
		format, samples []byte
		want            []float32
	}{
		"8": {format(1, 1, 8000, 8), []byte{0, 128, 255, 64},
			[]float32{-1, 0, 127. / 128, -0.5}},
		"16": {format(1, 1, 8000, 16), []byte("\x00\x80\x00\x00\xff\x7f\x00\x40"),
			[]float32{-1, 0, 1 - 1./(1<<15), 0.5}},
		"24": {format(1, 1, 8000, 24), []byte("\x00\x00\x80\x00\x00\x00\xff\xff\x7f\xff\xff\xff"),
			[]float32{-1, 0, most24, -1. / (1 << 23)}},
		"24 extensible": {extended(1, 2, 8000, 24), []byte("\x00\x00\x80\x00\x00\x40"),
			[]float32{-1, 0.5}},
		"32": {format(1, 1, 8000, 32), []byte("\x00\x00\x00\x80\x00\x00\x00\x40"),
			[]float32{-1, 0.5}},
		"float": {format(3, 2, 8000, 32), floats(-1.5, 0.1, 0, 1),
			[]float32{-1.5, 0.1, 0, 1}},
		"float extensible": {extended(3, 1, 8000, 32), floats(0.25), []float32{0.25}},
		"double": {format(3, 1, 8000, 64),
			binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.1)), []float32{0.1}},
	} {
		list := chunk("LIST", []byte("odd"))
		file := bytes.NewReader(riff(list, chunk("fmt ", c.format), list, chunk("data", c.samples)))
		h, err := wav.ReadHeader(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if h.Rate != 8000 || h.Samples*h.Channels != len(c.want) {
			t.Errorf("%s: %+v", name, h)
			continue
		}
		got := make([]float32, len(c.want))
		if err := h.Read(file, got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: read %v, expected %v: %v", name, got, c.want, err)
		}
	}
}

// What is written is read again, rounded to 16 bits; values beyond the range are clipped and
// counted.
func TestWrite(t *testing.T) {
	x := make([]float32, 40_000) // more than a block
	for i := range x {
		x[i] = float32(math.Sin(float64(i) / 7))
	}
	x[3], x[4], x[5], x[6] = 1.5, -2, float32(math.NaN()), 1
	raw, clipped := wav.Encode(x, 2, 44100)
	file := bytes.NewReader(raw)
	h, err := wav.ReadHeader(file)
	want := wav.Header{Rate: 44100, Channels: 2, Samples: len(x) / 2, Bits: 16}
	if err != nil || h.String() != "16-bit PCM" || h.Rate != want.Rate ||
		h.Channels != want.Channels || h.Samples != want.Samples {
		t.Fatalf("%+v, expected %+v: %v", h, want, err)
	}
	got := make([]float32, len(x))
	if err := h.Read(file, got); err != nil {
		t.Fatal(err)
	}
	x[3], x[4], x[5] = 1, -1, 0
	for i := range x {
		if d := math.Abs(float64(got[i] - x[i])); d > 1./(1<<15) {
			t.Fatalf("sample %d: %v, expected %v", i, got[i], x[i])
		}
	}
	if clipped != 2 {
		t.Errorf("%d values clipped, expected 2", clipped)
	}
}

// Faults are errors that say what is wrong; samples of a stream, whose length was not known, reach
// to the end.
func TestFaults(t *testing.T) {
	good := chunk("fmt ", format(1, 1, 8000, 16))
	whole := riff(good, chunk("data", make([]byte, 8)))
	endless := slices.Clone(whole)
	copy(endless[40:], "\xff\xff\xff\xff")
	if h, err := wav.ReadHeader(bytes.NewReader(endless)); err != nil || h.Samples != 4 {
		t.Errorf("a stream: %+v, %v", h, err)
	}
	for want, file := range map[string][]byte{
		"not a WAV file":                     []byte("RIFF\x00\x00\x00\x00AVI LIST"),
		"unexpected EOF":                     []byte("RIFF"),
		"its chunk data is missing":          riff(good),
		"promises 8 bytes of samples, and 6": whole[:len(whole)-2],
		"samples before their format":        riff(chunk("data", nil), good),
		"in the format 0x0055":               riff(chunk("fmt ", format(0x55, 1, 8000, 16))),
		"of 12 bits in the format 0x0001":    riff(chunk("fmt ", format(1, 2, 8000, 12))),
		"has 0 channels":                     riff(chunk("fmt ", format(1, 0, 8000, 16))),
		"has 0 samples a second":             riff(chunk("fmt ", format(1, 1, 0, 16))),
		"expected 16 or more":                riff(chunk("fmt ", make([]byte, 4))),
		"frames of 3 bytes; expected 2": riff(chunk("fmt ",
			append(format(1, 1, 8000, 16)[:12], 3, 0, 16, 0))),
	} {
		if _, err := wav.ReadHeader(bytes.NewReader(file)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
	inf := riff(chunk("fmt ", format(3, 2, 8000, 32)),
		chunk("data", floats(0, 0, 0, float32(math.Inf(1)))))
	h, err := wav.ReadHeader(bytes.NewReader(inf))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Read(bytes.NewReader(inf), make([]float32, 4)); err == nil ||
		!strings.Contains(err.Error(), "holds +Inf in its sample 1") {
		t.Errorf("an infinite sample: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(riff(chunk("fmt ", format(1, 1, 8000, 16)), chunk("data", make([]byte, 8))))
	f.Add(riff(chunk("fmt ", extended(1, 2, 8000, 24)), chunk("data", make([]byte, 12))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file := bytes.NewReader(raw)
		h, err := wav.ReadHeader(file)
		if err != nil {
			return
		}
		if n := h.Samples * h.Channels; n > len(raw) {
			t.Fatalf("%d samples in %d bytes", n, len(raw))
		}
		_ = h.Read(file, make([]float32, h.Samples*h.Channels)) // must not panic
	})
}
