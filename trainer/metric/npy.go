package metric

import (
	"fmt"
	"io"

	"github.com/plume-ml/plume/trainer/npy"
)

// WriteNPY writes n images as a NumPy array of float32, of shape n x H x W x C, or n x D if they
// have no image shape (H = C = 1). Values are written as they are. The file is written atomically;
// its directory must exist. No images is an error.
func WriteNPY(path string, pixels []float32, n int, shape Shape) error {
	if d := shape.Dim(); d <= 0 || len(pixels) != n*d {
		panic(panicLength)
	}
	if n == 0 {
		return fmt.Errorf("metric: writing %s: no images", path)
	}
	dims := []int{n, shape.H, shape.W, shape.C}
	if shape.H == 1 && shape.C == 1 {
		dims = []int{n, shape.W}
	}
	return writeFile(path, func(w io.Writer) error { return npy.Write(w, pixels, dims...) })
}
