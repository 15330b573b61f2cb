package data

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/memory"
)

// array is a data set in memory. Images stored as bytes stay bytes, which takes a quarter of the
// memory, and become floats when they are gathered.
type array struct {
	name    string
	kind    Kind // "": as its shape says
	shape   Shape
	m       int
	u8      []uint8       // m x D stored bytes, or nil
	f32     []float32     // m x D pixels if u8 is nil
	file    *rowFile      // where the rows are if u8 and f32 are nil
	found   surveyed      // by a survey of the file
	digests [][]byte      // of the blocks of rows, if a survey has found them
	stored  stored        // the values in the source
	missing []bool        // m x D pixels that are not known, and 0 in f32; nil: none
	table   *[256]float32 // pixel of each byte; nil: bytes map linearly from 0..255 to [-1, 1]
	labels  []int32       // label of each image, -1 if unknown; nil: all unknown
	rows    []int         // Origin.Row of each image; nil: 0, 1, 2, ...
	files   []string      // Origin.File of each image; nil: none

	cells *columns.Table // of which f32 and missing are the encoding; nil: no table

	skipped []string // files of skipped images, in the order of the source
	classes []string // names of the classes by label; nil: none
}

// bytes is the memory of the arrays.
func (a *array) bytes() int64 {
	return int64(len(a.u8)) + memory.Array[float32](len(a.f32)) +
		memory.Array[int32](len(a.labels)) + memory.Array[int](len(a.rows)) +
		int64(len(a.missing)) + tableBytes(a.cells) + int64(len(a.digests)*digestBytes)
}

// isBytes reports whether images are stored as bytes.
func (a *array) isBytes() bool { return a.u8 != nil || a.file != nil && a.file.isBytes() }

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
	if a.file != nil {
		a.file.gather(dst, idx, a)
		return
	}
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
