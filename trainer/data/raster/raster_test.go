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

// onWhite is a picture as RGBA of 8 bits on white.
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

// difference is the largest and the mean difference of two pictures' channels.
func difference(a, b *image.RGBA) (most int, mean float64) {
	sum := 0
	for i, v := range a.Pix {
		d := max(int(v), int(b.Pix[i])) - min(int(v), int(b.Pix[i]))
		most, sum = max(most, d), sum+d
	}
	return most, float64(sum) / float64(len(a.Pix))
}

func load(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// allowed is how far a picture may be from what Pillow shows of it, at most and on average.
//
// Where nothing is lost and nothing is transparent every byte is the same, as it is for lossy WebP,
// of which libwebp's arithmetic is repeated. Alpha is multiplied in 16 bits here and in 8 there: 1
// level. JPEG's inverse DCT is not the same to the bit (ITU-T T.83 allows 1 level before the colors
// are converted; 3 afterwards), and libjpeg interpolates subsampled chroma, which Go repeats.
func allowed(name string) (most int, mean float64) {
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

// Every picture is what Pillow shows of it: testdata/make.py.
func TestAsPillowShows(t *testing.T) {
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
				t.Fatalf("%d x %d by its header, %v; expected "+
					"%v", h.Width, h.Height, got.Rect.Size(), size)
			}
			most, mean := difference(got, onWhite(want))
			if m, a := allowed(name); most > m || mean > a {
				t.Errorf("differs by up to %d, %.2f on average; allowed %d and "+
					"%.2f", most, mean, m, a)
			}
			several := strings.HasPrefix(name, "animated") || name == "apng.png" ||
				name == "pages.tiff"
			if h.Several != several {
				t.Errorf("several pictures: %v", h.Several)
			}
			if strings.HasPrefix(name, "turn") && h.Orientation != int(name[4]-'0') {
				t.Errorf("orientation %d", h.Orientation)
			}
			gray := strings.HasPrefix(name, "gray") && !strings.HasSuffix(name, ".bmp")
			if h.Gray && !gray && !strings.HasPrefix(name, "bilevel") || gray && !h.Gray {
				t.Errorf("gray: %v", h.Gray)
			}
		})
	}
}
