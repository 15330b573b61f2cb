package npy

import (
	"io"
	"reflect"

	"github.com/sbinet/npyio/npy"
)

const panicSize = "npy: the numbers do not fill an array of these dimensions"

// Write writes x as an array of float32 with the given dimensions, in C order. Their product must be len(x),
// and not 0.
func Write(w io.Writer, x []float32, dims ...int) error {
	size := 1
	for _, d := range dims {
		size *= d
	}
	if len(dims) == 0 || size != len(x) || size == 0 {
		panic(panicSize)
	}
	return npy.Write(w, nest(x, dims[1:]))
}

// nest copies x into a slice of nested arrays, [][H][W][C]float32 for the dimensions H, W, C: npyio takes the
// shape from the type.
func nest(x []float32, dims []int) any {
	t := reflect.TypeFor[float32]()
	size := 1
	for i := len(dims) - 1; i >= 0; i-- {
		t = reflect.ArrayOf(dims[i], t)
		size *= dims[i]
	}
	n := len(x) / size
	out := reflect.MakeSlice(reflect.SliceOf(t), n, n)
	for i := range n {
		x = fill(out.Index(i), x)
	}
	return out.Interface()
}

// fill fills a number or a nested array from the front of x and returns the rest.
func fill(dst reflect.Value, x []float32) []float32 {
	if dst.Kind() == reflect.Float32 {
		dst.SetFloat(float64(x[0]))
		return x[1:]
	}
	if dst.Type().Elem().Kind() == reflect.Float32 {
		return x[reflect.Copy(dst, reflect.ValueOf(x)):]
	}
	for i := range dst.Len() {
		x = fill(dst.Index(i), x)
	}
	return x
}
