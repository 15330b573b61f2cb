package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// drawing returns a picture of w x h pixels with the colors returned by at.
func drawing(w, h int, at func(x, y int) color.NRGBA) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, at(x, y))
		}
	}
	return m
}

func pngOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func grayOf(w, h int, pix []byte) image.Image {
	return &image.Gray{Pix: pix, Stride: w, Rect: image.Rect(0, 0, w, h)}
}

func flat(w, h int, c color.NRGBA) image.Image {
	return drawing(w, h, func(int, int) color.NRGBA { return c })
}

// Every byte is preserved, and images are in the order of their sorted paths at any depth.
func TestGrayImages(t *testing.T) {
	dir := t.TempDir()
	asRGB := drawing(16, 16, func(x, y int) color.NRGBA {
		v := uint8(255 - 16*y - x)
		return color.NRGBA{v, v, v, 255}
	})
	write(t, dir, "b/2.dat", pngOf(t, asRGB)) // known by its content
	write(t, dir, "b.png", pngOf(t, flat(16, 16, color.NRGBA{7, 7, 7, 255})))
	write(t, dir, "a/z/1.PNG", pngOf(t, grayOf(16, 16, ramp(256))))
	write(t, dir, "notes.txt", []byte("not an image"))
	write(t, dir, ".hidden.png", []byte("not an image"))
	write(t, dir, ".cache/x.png", []byte("not an image"))
	ds := mustOpen(t, dir, Options{})
	if ds.Len() != 3 || ds.Shape() != (Shape{16, 16, 1}) || ds.Name() != filepath.Base(dir) ||
		ds.Label(0) != -1 {
		t.Fatalf("%s: %d images of %v, label %d", ds.Name(), ds.Len(), ds.Shape(), ds.Label(0))
	}
	want := append(ramp(256), bytes.Repeat([]byte{7}, 256)...) // "a/..." < "b.png" < "b/..."
	for i := range 256 {
		want = append(want, byte(255-i))
	}
	wantBytes(t, gather(ds), want)
}

func TestColorImages(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "0.png", pngOf(t, flat(2, 1, color.NRGBA{9, 9, 9, 255})))
	write(t, dir, "1.png", pngOf(t, drawing(2, 1, func(x, _ int) color.NRGBA {
		return [2]color.NRGBA{{10, 20, 30, 255}, {255, 0, 128, 255}}[x]
	})))
	ds := mustOpen(t, dir, Options{})
	if ds.Shape() != (Shape{1, 2, 3}) {
		t.Fatalf("shape %v", ds.Shape())
	}
	wantBytes(t, gather(ds), []byte{9, 9, 9, 9, 9, 9, 10, 20, 30, 255, 0, 128})

	ds = mustOpen(t, dir, Options{Gray: true})
	if ds.Shape() != (Shape{1, 2, 1}) {
		t.Fatalf("shape %v", ds.Shape())
	}
	// 0.299 R + 0.587 G + 0.114 B: 18.15 and 90.84
	wantBytes(t, gather(ds), []byte{9, 9, 18, 91})
}

// Transparent pixels are drawn on white: half-transparent black is 255*(1 - 128/255) = 127.
func TestAlpha(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "0.png", pngOf(t, flat(1, 1, color.NRGBA{0, 0, 0, 0})))
	write(t, dir, "1.png", pngOf(t, flat(1, 1, color.NRGBA{0, 0, 0, 128})))
	write(t, dir, "2.png", pngOf(t, flat(1, 1, color.NRGBA{0, 0, 0, 255})))
	ds := mustOpen(t, dir, Options{})
	wantBytes(t, gather(ds), []byte{255, 127, 0})
}

func TestJPEGAndOtherModels(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "0.jpg", jpegOf(t, flat(8, 8, color.NRGBA{200, 200, 200, 255})))
	write(t, dir, "1.jpg", jpegOf(t, grayOf(8, 8, bytes.Repeat([]byte{100}, 64))))
	deep := image.NewGray16(image.Rect(0, 0, 8, 8))
	pal := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Gray{50}, color.Gray{60}})
	for i := range 64 {
		deep.SetGray16(i%8, i/8, color.Gray16{150 * 257})
		pal.Pix[i] = 1
	}
	write(t, dir, "2.png", pngOf(t, deep))
	write(t, dir, "3.png", pngOf(t, pal))
	ds := mustOpen(t, dir, Options{})
	if ds.Shape() != (Shape{8, 8, 1}) {
		t.Fatalf("shape %v; expected one channel", ds.Shape())
	}
	var want []byte
	for _, v := range []byte{200, 100, 150, 60} { // flat blocks are exact in JPEG at quality 100
		want = append(want, bytes.Repeat([]byte{v}, 64)...)
	}
	wantBytes(t, gather(ds), want)
}

// A checkerboard of single pixels becomes gray; a filter that skips pixels would make it black or
// white. The filter is four output pixels wide, so the edges deviate a little.
func TestScaleAverages(t *testing.T) {
	dir := t.TempDir()
	board := drawing(64, 64, func(x, y int) color.NRGBA {
		v := uint8(255 * ((x + y) % 2))
		return color.NRGBA{v, v, v, 255}
	})
	write(t, dir, "0.png", pngOf(t, board))
	write(t, dir, "1.png", pngOf(t, flat(3, 5, color.NRGBA{77, 77, 77, 255}))) // enlarged
	ds := mustOpen(t, dir, Options{Size: 8})
	if ds.Shape() != (Shape{8, 8, 1}) {
		t.Fatalf("shape %v", ds.Shape())
	}
	pixels := gather(ds)
	for i, v := range pixels[:64] {
		if v < -0.05 || v > 0.05 {
			t.Errorf("pixel %d of the board is %v; expected about 0", i, v)
		}
	}
	wantBytes(t, pixels[64:], bytes.Repeat([]byte{77}, 64))
}

// Only the central square of a picture of red, white and blue thirds is visible, in both
// directions.
func TestScaleCropsCenter(t *testing.T) {
	dir := t.TempDir()
	third := func(i int) color.NRGBA {
		return [3]color.NRGBA{{255, 0, 0, 255}, {255, 255, 255, 255}, {0, 0, 255, 255}}[i/10]
	}
	wide := drawing(30, 10, func(x, _ int) color.NRGBA { return third(x) })
	high := drawing(10, 30, func(_, y int) color.NRGBA { return third(y) })
	write(t, dir, "0.png", pngOf(t, wide))
	write(t, dir, "1.png", pngOf(t, high))
	ds := mustOpen(t, dir, Options{Size: 5})
	if ds.Shape() != (Shape{5, 5, 1}) {
		t.Fatalf("shape %v; expected no color to be left", ds.Shape())
	}
	wantBytes(t, gather(ds), bytes.Repeat([]byte{255}, 50))
}

func TestImageErrors(t *testing.T) {
	a, b := pngOf(t, grayOf(4, 4, ramp(16))), pngOf(t, grayOf(5, 4, ramp(20)))
	noise := jpegOf(t, drawing(32, 32, func(x, y int) color.NRGBA {
		return color.NRGBA{uint8(x * y), uint8(x ^ y), 3, 255}
	}))
	for name, tc := range map[string]struct {
		files map[string][]byte
		opt   Options
		want  []string
	}{
		"empty": {nil, Options{}, []string{"is an empty directory", "expected PNG, JPEG"}},
		"no images": {map[string][]byte{"x.txt": []byte("text")}, Options{},
			[]string{"holds no images", "expected PNG, JPEG"}},
		"an array": {map[string][]byte{"x.npy": npy("", nil)}, Options{},
			[]string{"x.npy", "give its own path"}},
		"sizes": {map[string][]byte{"a.png": a, "b.png": a, "c.png": b}, Options{},
			[]string{"2 have 4 x 4 pixels (a.png), 1 has 5 x 4 pixels (c.png)", "--size"}},
		"text as PNG": {map[string][]byte{"a.png": a, "b.png": []byte("text")}, Options{},
			[]string{"b.png", "is broken", "expected PNG, JPEG", "--skip-broken"}},
		"empty JPEG": {map[string][]byte{"a.png": a, "b.JPEG": nil}, Options{},
			[]string{"b.JPEG", "is empty", "is broken", "expected PNG, JPEG", "--skip-broken"}},
		"cut PNG": {map[string][]byte{"a.png": a, "b.png": a[:45]}, Options{},
			[]string{"b.png", "is broken", "expected PNG, JPEG", "--skip-broken"}},
		"cut header": {map[string][]byte{"a.png": a, "b.png": a[:20]}, Options{},
			[]string{"b.png", "is broken", "expected PNG, JPEG", "--skip-broken"}},
		"damaged PNG": {map[string][]byte{"a.png": a, "b.png": flip(a, -20)}, Options{},
			[]string{"b.png", "is broken", "expected PNG, JPEG", "--skip-broken"}},
		"cut JPEG": {map[string][]byte{"a.jpg": noise, "b.jpg": noise[:len(noise)/2]},
			Options{}, []string{"b.jpg", "is broken", "expected PNG, JPEG", "--skip-broken"}},
		"gigantic": {map[string][]byte{"a.png": a, "b.png": resized(a, 1<<20, 1<<20)},
			Options{Size: 4}, []string{"b.png", "1048576 x 1048576 pixels"}},
		"large": {map[string][]byte{"a.png": resized(a, 16000, 16000),
			"b.png": resized(a, 16000, 16000)}, Options{},
			[]string{"2 images of 16000 x 16000, ",
				"at most 16777216 values in an image", "--size"}},
		"only one": {map[string][]byte{"a.png": a}, Options{},
			[]string{"holds 1 image", "at least 2"}},
		"only one, far": {map[string][]byte{"d/e/a.png": a, "b": []byte("text")}, Options{Size: 9},
			[]string{"holds 1 image"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for f, b := range tc.files {
				write(t, dir, f, b)
			}
			_, err := Open(t.Context(), dir, tc.opt)
			wantError(t, err, append(tc.want, dir)...)
		})
	}
	path := write(t, t.TempDir(), "a.png", a)
	_, err := Open(t.Context(), path, Options{})
	wantError(t, err, path, "is a picture", "expected a directory or an archive of pictures")
}

// Too many images are refused before memory is allocated.
func TestTooManyImages(t *testing.T) {
	const fits = maxImageBytes / (2048 * 2048 * 3) // 1365 images and a third
	for n, shape := range map[int]Shape{
		fits: {2048, 2048, 3}, 3 * fits: {2048, 2048, 1}, 1024: {4096, 4096, 1},
	} {
		if err := checkMemory("dir", n, shape); err != nil {
			t.Errorf("%d of %v: %v", n, shape, err)
		}
	}
	wantError(t, checkMemory("dir", fits+1, Shape{2048, 2048, 3}), "dir",
		"1366 images of 2048 x 2048 x 3, 16 GiB", "16 GiB in all", "--size")
	wantError(t, checkMemory("dir", 1025, Shape{4096, 4096, 1}), "1025 images of 4096 x 4096")
	wantError(t, checkMemory("dir", math.MaxInt, Shape{4096, 4096, 1}), "in all")
}

// resized returns a PNG file with another size in its header.
func resized(b []byte, width, height uint32) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[16:], width)
	binary.BigEndian.PutUint32(b[20:], height)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestImageLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := write(t, elsewhere, "a", pngOf(t, grayOf(2, 2, ramp(4))))
	write(t, dir, "b.png", pngOf(t, grayOf(2, 2, ramp(8)[4:])))
	if err := os.Symlink(target, filepath.Join(dir, "a.png")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "missing"), filepath.Join(dir, "other")); err != nil {
		t.Fatal(err)
	}
	wantBytes(t, gather(mustOpen(t, dir, Options{})), ramp(8))
	if err := os.Symlink(filepath.Join(dir, "missing"), filepath.Join(dir, "c.png")); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), dir, Options{})
	wantError(t, err, "c.png", "no such file")
}
