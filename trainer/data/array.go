package data

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
)

// array is a data set in memory: m images, one after the other. Bytes stay bytes, a quarter
// of the memory, and become numbers when they are gathered.
type array struct {
	name   string
	shape  Shape
	m      int
	u8     []uint8   // 0..255 stands for [-1, 1]; or
	f32    []float32 // pixels as they are
	labels []int32   // of each image, -1: unknown; nil: all are unknown
	rows   []int     // number of each image in the source; nil: 0, 1, 2, ...
	files  []string  // name of each image in the source; nil: they have none
}

func (a *array) Name() string { return a.name }
func (a *array) Len() int     { return a.m }
func (a *array) Shape() Shape { return a.shape }

func (a *array) Label(i int) int {
	if a.labels == nil {
		return -1
	}
	return int(a.labels[i])
}

func (a *array) Origin(i int) Origin {
	o := Origin{Row: i}
	if a.rows != nil {
		o.Row = a.rows[i]
	}
	if a.files != nil {
		o.File = a.files[i]
	}
	return o
}

func (a *array) Gather(dst []float32, idx []int) {
	d := a.shape.Dim()
	checkGather(dst, idx, d)
	for i, j := range idx {
		row := dst[i*d : (i+1)*d]
		if a.u8 != nil {
			kernel.U8ToF32(row, a.u8[j*d:(j+1)*d])
		} else {
			copy(row, a.f32[j*d:(j+1)*d])
		}
	}
}

func checkGather(dst []float32, idx []int, d int) {
	if len(dst) != len(idx)*d {
		panic("data: Gather needs len(dst) = len(idx) * Shape().Dim()")
	}
}

// maxElements keeps byte counts of float32 arrays within an int.
const maxElements = math.MaxInt / 4

// elements is the number of elements of an array with these dimensions.
func elements(dims []int) (int, error) {
	n := 1
	for _, d := range dims {
		if d < 1 {
			return 0, fmt.Errorf("has the dimensions %s; expected none below 1", joinDims(dims))
		}
		if n > maxElements/d {
			return 0, fmt.Errorf("has the dimensions %s, more elements than can be addressed", joinDims(dims))
		}
		n *= d
	}
	return n, nil
}

func joinDims(dims []int) string {
	s := ""
	for i, d := range dims {
		if i > 0 {
			s += " x "
		}
		s += fmt.Sprint(d)
	}
	return s
}

// imageShape is the shape of one image in an array M x D, M x H x W or M x H x W x C. Rows of
// D numbers are taken as square gray images when D is a square.
func imageShape(dims []int) (Shape, error) {
	switch len(dims) {
	case 2:
		d := dims[1]
		if side := int(math.Round(math.Sqrt(float64(d)))); side*side == d {
			return Shape{side, side, 1}, nil
		}
		return Shape{1, d, 1}, nil
	case 3:
		return Shape{dims[1], dims[2], 1}, nil
	case 4:
		if c := dims[3]; c != 1 && c != 3 {
			return Shape{}, fmt.Errorf("has the dimensions %s, %d channels; expected 1 (gray) or 3 (RGB) in the last dimension", joinDims(dims), c)
		}
		return Shape{dims[1], dims[2], dims[3]}, nil
	}
	return Shape{}, fmt.Errorf("has %d dimensions (%s); expected 2 to 4: M x D, M x H x W or M x H x W x C", len(dims), joinDims(dims))
}
