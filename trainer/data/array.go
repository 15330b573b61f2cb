package data

import "github.com/plume-ml/plume/kernel"

// array is a data set in memory: m images, one after the other. Bytes stay bytes, a quarter
// of the memory, and become numbers when they are gathered.
type array struct {
	name   string
	shape  Shape
	m      int
	u8     []uint8       // stored bytes; or
	f32    []float32     // pixels
	stored stored        // what the source has for pixels
	table  *[256]float32 // pixels that bytes stand for; nil: 0..255 stands for [-1, 1]
	labels []int32       // of each image, -1: unknown; nil: all are unknown
	rows   []int         // number of each image in the source; nil: 0, 1, 2, ...
	files  []string      // name of each image in the source; nil: they have none

	skipped []string // names of the images of the source that were left out, in its order
	classes []string // names of the classes, by label; nil: they have none
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
		switch {
		case a.u8 == nil:
			copy(row, a.f32[j*d:(j+1)*d])
		case a.table == nil:
			kernel.U8ToF32(row, a.u8[j*d:(j+1)*d])
		default:
			for k, b := range a.u8[j*d : (j+1)*d] {
				row[k] = a.table[b]
			}
		}
	}
}

func checkGather(dst []float32, idx []int, d int) {
	if len(dst) != len(idx)*d {
		panic("data: Gather needs len(dst) = len(idx) * Shape().Dim()")
	}
}
