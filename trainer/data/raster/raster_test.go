package raster_test

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data/raster"
)

// onWhite draws a picture on a white background.
func onWhite(m image.Image) *image.RGBA {
	c := image.NewRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(c, c.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(c, c.Bounds(), m, m.Bounds().Min, draw.Over)
	return c
}

func read(t testing.TB, b []byte) (raster.Header, *image.RGBA) {
	t.Helper()
	c := bytes.NewReader(b)
	h, err := raster.ReadHeader(c)
	if err != nil {
		t.Fatal(err)
	}
	m, err := raster.Decode(c, h)
	if err != nil {
		t.Fatal(err)
	}
	return h, onWhite(m)
}

// difference returns the largest and the mean difference between the channels of two pictures.
func difference(a, b *image.RGBA) (largest int, mean float64) {
	sum := 0
	for i, v := range a.Pix {
		d := max(int(v), int(b.Pix[i])) - min(int(v), int(b.Pix[i]))
		largest, sum = max(largest, d), sum+d
	}
	return largest, float64(sum) / float64(len(a.Pix))
}

func load(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// allowed returns the largest and the mean difference allowed between a picture and Pillow's
// decoding of it.
//
// Opaque pictures in lossless formats must be equal, and so must lossy WebP, since this package
// uses libwebp's arithmetic. Go multiplies by alpha in 16 bits, Pillow in 8: 1 level. JPEG's
// inverse DCT may differ (ITU-T T.83 allows 1 level before the conversion of colors, 3 after it),
// and libjpeg interpolates subsampled chroma where Go repeats it.
func allowed(name string) (largest int, mean float64) {
	switch {
	case strings.HasSuffix(name, ".jpg") && !strings.HasPrefix(name, "turn") &&
		!strings.HasPrefix(name, "gray") && !strings.HasPrefix(name, "progressive"):
		return 48, 5
	case strings.HasSuffix(name, ".jpg"):
		return 3, 1
	case strings.Contains(name, "alpha"), strings.Contains(name, "rgba"),
		name == "palette_transparent.png":
		return 1, 1
	}
	return 0, 0
}

// Every picture in testdata decodes as by Pillow, see testdata/make.py.
func TestMatchesPillow(t *testing.T) {
	entries, err := os.ReadDir("testdata/want")
	if err != nil || len(entries) < 60 {
		t.Fatalf("%d pictures: %v", len(entries), err)
	}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".png")
		t.Run(name, func(t *testing.T) {
			want, err := png.Decode(bytes.NewReader(load(t, "want/"+e.Name())))
			if err != nil {
				t.Fatal(err)
			}
			h, got := read(t, load(t, name))
			if size := want.Bounds().Size(); image.Pt(h.Width, h.Height) != size ||
				got.Rect.Size() != size {
				t.Fatalf("%d x %d by its header, decoded %v; expected %v",
					h.Width, h.Height, got.Rect.Size(), size)
			}
			largest, mean := difference(got, onWhite(want))
			if l, m := allowed(name); largest > l || mean > m {
				t.Errorf("differs by up to %d, %.2f on average; allowed %d and %.2f",
					largest, mean, l, m)
			}
			multiple := strings.HasPrefix(name, "animated") || name == "apng.png" ||
				name == "pages.tiff"
			if h.Multiple != multiple {
				t.Errorf("Multiple is %v", h.Multiple)
			}
			if strings.HasPrefix(name, "turn") && h.Orientation != int(name[4]-'0') {
				t.Errorf("orientation %d", h.Orientation)
			}
			gray := strings.HasPrefix(name, "gray") && !strings.HasSuffix(name, ".bmp")
			if h.Gray && !gray && !strings.HasPrefix(name, "bilevel") || gray && !h.Gray {
				t.Errorf("Gray is %v", h.Gray)
			}
		})
	}
}
