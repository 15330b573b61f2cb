package raster_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data/raster"
)

// decode reads a picture.
func decode(b []byte) (*image.RGBA, error) {
	c := bytes.NewReader(b)
	h, err := raster.ReadHeader(c)
	if err != nil {
		return nil, err
	}
	m, err := raster.Decode(c, h)
	if err != nil {
		return nil, err
	}
	return onWhite(m), nil
}

// Changing a byte of a PNG file gives either an error or the same picture.
func TestChangedPNG(t *testing.T) {
	for _, name := range []string{
		"rgb.png", "palette_transparent.png", "surplus_pixels.png", "many_chunks.png",
		"bad_iccp.png",
	} {
		b := load(t, name)
		_, want := read(t, b)
		refused := 0
		for i := range b {
			for _, flip := range []byte{1, 0x20, 0xff} {
				changed := bytes.Clone(b)
				changed[i] ^= flip
				m, err := decode(changed)
				if err != nil {
					refused++
				} else if m.Rect != want.Rect || !bytes.Equal(m.Pix, want.Pix) {
					t.Fatalf("%s: byte %d changed by %#x gives another picture", name, i, flip)
				}
			}
		}
		if refused < len(b) {
			t.Errorf("%s: only %d of %d changes are refused", name, refused, 3*len(b))
		}
	}
}

// A truncated file gives an error, or the whole picture if only the end marker is missing.
func TestCut(t *testing.T) {
	for _, name := range []string{
		"rgb.png", "plain.jpg", "progressive.jpg", "rgb.gif", "rgb.bmp", "tiff_lzw.tiff",
		"lossy.webp",
		"lossless_alpha.webp",
	} {
		b := load(t, name)
		_, want := read(t, b)
		for n := range b {
			if m, err := decode(b[:n]); err == nil && !bytes.Equal(m.Pix, want.Pix) {
				t.Fatalf("%s: its first %d of %d bytes give another picture", name, n, len(b))
			}
		}
	}
}

// Files without an end marker, or with data after it, give the same picture bit for bit.
func TestTolerated(t *testing.T) {
	for name, like := range map[string]string{
		"no_end.jpg": "plain.jpg", "behind.jpg": "plain.jpg", "surplus_chunk.png": "rgb.png",
		"late_exif.png": "turn6.png",
	} {
		_, got := read(t, load(t, name))
		_, want := read(t, load(t, like))
		if !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s is not %s", name, like)
		}
	}
}

// Decoding allocates no more memory than the header says, except buffers of constant size.
func TestDecodingBytes(t *testing.T) {
	gray16 := image.NewNRGBA64(image.Rect(0, 0, 400, 300))
	for i := range gray16.Pix {
		gray16.Pix[i] = byte(i * i)
	}
	var deep bytes.Buffer
	if err := png.Encode(&deep, gray16); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"16 bits": deep.Bytes()}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "big") {
			files[e.Name()] = load(t, e.Name())
		}
	}
	if len(files) < 9 {
		t.Fatalf("%d pictures", len(files))
	}
	for name, b := range files {
		c := bytes.NewReader(b)
		h, err := raster.ReadHeader(c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := raster.Decode(c, h); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		runtime.ReadMemStats(&after)
		const buffers = 300 << 10
		if total := int64(after.TotalAlloc - before.TotalAlloc); total > h.Bytes+buffers {
			t.Errorf("%s: decoding takes %d bytes; its header says %d", name, total, h.Bytes)
		}
	}
}

// Upright follows the definition of the eight orientations.
func TestUpright(t *testing.T) {
	stored := image.NewGray(image.Rect(0, 0, 2, 3))
	copy(stored.Pix, []byte{1, 2, 3, 4, 5, 6})
	for orientation, want := range map[int][][]byte{
		1: {{1, 2}, {3, 4}, {5, 6}}, 2: {{2, 1}, {4, 3}, {6, 5}},
		3: {{6, 5}, {4, 3}, {2, 1}}, 4: {{5, 6}, {3, 4}, {1, 2}},
		5: {{1, 3, 5}, {2, 4, 6}}, 6: {{5, 3, 1}, {6, 4, 2}},
		7: {{6, 4, 2}, {5, 3, 1}}, 8: {{2, 4, 6}, {1, 3, 5}},
	} {
		m := raster.Upright(stored, orientation)
		for y, row := range want {
			for x, v := range row {
				if got := color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y; got != v {
					t.Errorf("orientation %d: %d at row %d, column %d; expected "+
						"%d", orientation, got, y, x, v)
				}
			}
		}
	}
}

// Other names files that are not pictures.
func TestOther(t *testing.T) {
	for want, head := range map[string]string{
		"empty": "", "text": "hello, world",
		"a HEIC picture":  "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
		"an AVIF picture": "\x00\x00\x00\x18ftypavif", "a video": "\x00\x00\x00\x18ftypisom",
		"an HTML page":         "\n<!DOCTYPE html>",
		"filled with zeros":    "\x00\x00\x00\x00\x00\x00\x00\x00",
		"of an unknown format": "\x01\x02\x03\x04", "JSON": `{"a": 1}`,
		"a Git LFS pointer, not the picture itself": "version https://git-lfs.github.com/spec",
	} {
		if got := raster.Other([]byte(head)); got != want ||
			raster.Sniff([]byte(head)) != raster.None {
			t.Errorf("%q is %s; expected %s", head, got, want)
		}
	}
}

// A header of a gigantic picture is refused before any memory is allocated.
func TestGigantic(t *testing.T) {
	b := load(t, "rgb.bmp")
	binary.LittleEndian.PutUint32(b[18:], 1<<20)
	binary.LittleEndian.PutUint32(b[22:], 1<<20)
	_, err := raster.ReadHeader(bytes.NewReader(b))
	if err == nil || !strings.Contains(err.Error(), "1048576 x 1048576 pixels") {
		t.Error(err)
	}
}
