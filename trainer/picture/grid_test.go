package picture

import (
	"image"
	"image/color"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
)

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, format, err := image.Decode(f)
	if err != nil || format != "png" {
		t.Fatalf("decoded as %q: %v", format, err)
	}
	return img
}

func wantSize(t *testing.T, img image.Image, w, h int) {
	t.Helper()
	if got := img.Bounds().Size(); got != image.Pt(w, h) {
		t.Errorf("a picture of %v pixels, expected %d x %d", got, w, h)
	}
}

func wantPixel(t *testing.T, img image.Image, x, y int, want color.Color) {
	t.Helper()
	r, g, b, a := img.At(x, y).RGBA()
	wr, wg, wb, wa := want.RGBA()
	if r != wr || g != wg || b != wb || a != wa {
		t.Errorf("pixel (%d, %d) is %v, expected %v", x, y, img.At(x, y), want)
	}
}

func shaped(h, w, c int) data.Shape { return data.Shape{H: h, W: w, C: c} }

// flat returns images of one value each.
func flat(shape data.Shape, values ...float32) []float32 {
	var out []float32
	for _, v := range values {
		out = append(out, slices.Repeat([]float32{v}, shape.Dim())...)
	}
	return out
}

// A grid that is drawn image by image is that of all images at once.
func TestSheet(t *testing.T) {
	shape := shaped(2, 3, 3)
	pixels := noise(7 * shape.Dim())
	whole, err := Grid(pixels, shape, 3)
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := NewSheet(shape, 7, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 4, 2} {
		sheet.Add(pixels[:n*shape.Dim()])
		pixels = pixels[n*shape.Dim():]
	}
	if !reflect.DeepEqual(sheet.Image(), whole) {
		t.Error("another picture than that of all images at once")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for one image too many")
		}
	}()
	sheet.Add(make([]float32, shape.Dim()))
}

func TestWriteGrid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grid.png")
	shape := shaped(28, 28, 1)
	pixels := flat(shape, -1, 0, 1, 9, float32(math.NaN()))
	pixels[28*3+5] = 0.5 // first image, row 3, column 5
	if err := WriteGrid(path, pixels, shape, 3); err != nil {
		t.Fatal(err)
	}
	img := readPNG(t, path)
	wantSize(t, img, 2+3*58, 2+2*58)
	gray := func(y uint8) color.Color { return color.Gray{y} }
	wantPixel(t, img, 2, 2, gray(0))
	wantPixel(t, img, 2+58, 2, gray(128))          // 127.5 rounds up
	wantPixel(t, img, 2+58+58+55, 2+55, gray(255)) // lower right corner of the third
	wantPixel(t, img, 2, 2+58, gray(255))          // 9, clamped
	wantPixel(t, img, 2+58, 2+58, gray(0))         // NaN
	for _, p := range []image.Point{{10, 6}, {11, 7}} {
		wantPixel(t, img, 2+p.X, 2+p.Y, gray(191)) // 127.5 * 1.5 = 191.25, enlarged twice
	}
	wantPixel(t, img, 2+12, 2+6, gray(0))
	for _, p := range []image.Point{
		{0, 0}, {58, 10}, {59, 10}, {10, 58}, {2 + 2*58 + 10, 2 + 58 + 10},
	} {
		wantPixel(t, img, p.X, p.Y, background)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestGridScale(t *testing.T) {
	for shape, want := range map[data.Shape][2]int{
		shaped(28, 28, 1): {56, 56}, shaped(8, 8, 1): {56, 56}, shaped(9, 9, 1): {63, 63},
		shaped(64, 64, 3): {64, 64}, shaped(28, 14, 1): {28, 56},
		shaped(1, 10, 1): {60, 8}, shaped(1, 100, 1): {100, 8},
	} {
		if w, h := tileSize(shape); w != want[0] || h != want[1] {
			t.Errorf("%v is drawn as %d x %d, expected %v", shape, w, h, want)
		}
	}
}

func TestGridColours(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grid.png")
	colours := slices.Repeat([]float32{1, -1, 0}, 64*64)
	if err := WriteGrid(path, colours, shaped(64, 64, 3), 5); err != nil {
		t.Fatal(err)
	}
	img := readPNG(t, path)
	wantSize(t, img, 2+66, 2+66) // one image: one column
	wantPixel(t, img, 2, 2, color.NRGBA{255, 0, 128, 255})
	wantPixel(t, img, 0, 0, background)
	twoChannels := slices.Repeat([]float32{1, -1}, 64*64)
	if err := WriteGrid(path, twoChannels, shaped(64, 64, 2), 5); err != nil {
		t.Fatal(err)
	}
	wantPixel(t, readPNG(t, path), 30, 30, color.Gray{255}) // the first channel in gray
}

func TestWritePairs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pairs.png")
	shape := shaped(56, 56, 1)
	top, bottom := flat(shape, 1, 1, 1), flat(shape, -1, -1, -1)
	if err := WritePairs(path, top, bottom, shape, 2); err != nil {
		t.Fatal(err)
	}
	img := readPNG(t, path)
	// Two rows of pairs: separator, 56, separator, 56, gap of 8, 56, separator, 56, separator.
	wantSize(t, img, 2+2*58, 2+56+2+56+8+56+2+56+2)
	for _, c := range []struct {
		y    int
		want uint8
	}{
		{2, 255}, {57, 255}, {58, background.Y}, {60, 0}, {115, 0}, {116, background.Y},
		{123, background.Y}, {124, 255}, {182, 0}, {237, 0},
	} {
		wantPixel(t, img, 2, c.y, color.Gray{c.want})
	}
	wantPixel(t, img, 2+58, 124, background) // the fourth pair does not exist
}

func TestPicturesRefuse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grid.png")
	wantError(t, WriteGrid(path, nil, shaped(8, 8, 1), 4), "grid.png", "no images")
	wantError(t, WriteGrid(filepath.Join(t.TempDir(), "none", "grid.png"), make([]float32, 64),
		shaped(8, 8, 1), 4), "none")
	wantError(t, WriteGrid(path, make([]float32, 400000), shaped(2, 2, 1), 300), "too large")
	for name, f := range map[string]func(){
		"length":  func() { WriteGrid(path, make([]float32, 63), shaped(8, 8, 1), 4) },
		"columns": func() { WriteGrid(path, make([]float32, 64), shaped(8, 8, 1), 0) },
		"pairs":   func() { WritePairs(path, make([]float32, 64), nil, shaped(8, 8, 1), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if s, _ := recover().(string); !strings.HasPrefix(s, "picture: ") {
					t.Errorf("recovered %q", s)
				}
			}()
			f()
		})
	}
}

// noise returns n numbers in [-1/2, 1/2).
func noise(n int) []float32 {
	words := make([]uint32, n)
	kernel.Bits(words, kernel.Key{Seed: 1}, 0)
	out := make([]float32, n)
	for i, w := range words {
		out[i] = float32(w>>8)/(1<<24) - 0.5
	}
	return out
}

// wantError checks that an error contains all of the parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}
