package picture

import (
	"image"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
)

// allocated returns the number of bytes that f allocates, including those that become garbage.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// The canvas has exactly the size of the formula.
func TestPictureBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "picture.png")
	for _, shape := range []data.Shape{
		shaped(28, 28, 1), shaped(8, 8, 3), shaped(1, 30, 1), shaped(70, 20, 3),
	} {
		for _, n := range []int{1, 4, 9} {
			const cols = 4
			pixels := make([]float32, n*shape.Dim())
			check := func(kind string, err error, formula int64) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				if got := canvasBytes(t, readPNG(t, path)); got != formula-pngBytes {
					t.Errorf("%s of %d images %v: a canvas of %d bytes, the formula says %d",
						kind, n, shape, got, formula-pngBytes)
				}
			}
			check("grid", WriteGrid(path, pixels, shape, cols), GridBytes(shape, n, cols))
			check("pairs", WritePairs(path, pixels, pixels, shape, cols),
				PairsBytes(shape, n, cols))
		}
	}
}

func canvasBytes(t *testing.T, img image.Image) int64 {
	t.Helper()
	switch img := img.(type) {
	case *image.Gray:
		return int64(len(img.Pix))
	case *image.NRGBA:
		return int64(len(img.Pix))
	case *image.RGBA: // an opaque NRGBA is written without its opacity
		return int64(len(img.Pix))
	}
	t.Fatalf("a picture of type %T", img)
	return 0
}

// The encoder needs no more than the formula says.
func TestPNGBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grid.png")
	shape := shaped(28, 28, 1)
	pixels := noise(100 * shape.Dim())
	got := allocated(func() {
		if err := WriteGrid(path, pixels, shape, 10); err != nil {
			t.Error(err)
		}
	})
	if limit := GridBytes(shape, 100, 10); got > limit || got < limit/2 {
		t.Errorf("a grid allocates %d bytes, the formula says %d", got, limit)
	}
}
