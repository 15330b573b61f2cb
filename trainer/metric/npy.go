package metric

import (
	"fmt"
	"io"
	"reflect"

	"github.com/sbinet/npyio/npy"
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
	dims := []int{shape.H, shape.W, shape.C}
	if shape.H == 1 && shape.C == 1 {
		dims = []int{shape.W}
	}
	return writeFile(path, func(w io.Writer) error { return npy.Write(w, nest(pixels, dims)) })
}

// nest copies pixels into a slice of nested arrays of the given dimensions, [][H][W][C]float32: npy takes the
// shape from the type.
func nest(pixels []float32, dims []int) any {
	t := reflect.TypeFor[float32]()
	size := 1
	for i := len(dims) - 1; i >= 0; i-- {
		t = reflect.ArrayOf(dims[i], t)
		size *= dims[i]
	}
	n := len(pixels) / size
	out := reflect.MakeSlice(reflect.SliceOf(t), n, n)
	for i := range n {
		pixels = fillArray(out.Index(i), pixels)
	}
	return out.Interface()
}

// fillArray fills a nested array from the front of src and returns the rest.
func fillArray(dst reflect.Value, src []float32) []float32 {
	if dst.Type().Elem().Kind() == reflect.Float32 {
		n := reflect.Copy(dst, reflect.ValueOf(src))
		return src[n:]
	}
	for i := range dst.Len() {
		src = fillArray(dst.Index(i), src)
	}
	return src
}
