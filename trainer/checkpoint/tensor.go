package checkpoint

import (
	"encoding/binary"
	"io"
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/memory"
)

// Tensor is a named array of a run's state. Exactly one of F32, U32 and F64 is set. It holds the
// elements in row-major order; their number is the product of Shape, one for an empty Shape. The
// slice is the live state: Writer reads from it, and Load writes to it. It may be part of a
// memory.Mapping, whose faults both return as errors.
type Tensor struct {
	Name  string
	Shape []int
	F32   []float32
	U32   []uint32
	F64   []float64

	// Of > 0 says that the tensor is rows of a longer one with Of of them, from row First on: those
	// that one of several processes holds (Shard).
	First, Of int

	// Parts, unless empty, are what the file has in place of the tensor: F32 cut into tensors of
	// their own, in order.
	Parts []Part
}

// Part is a named array in a Tensor.
type Part struct {
	Name  string
	Shape []int
}

// split returns the tensors as the file has them.
func split(tensors []Tensor) []Tensor {
	all := make([]Tensor, 0, len(tensors))
	for _, t := range tensors {
		if len(t.Parts) == 0 {
			all = append(all, t)
			continue
		}
		rest := t.F32
		for _, p := range t.Parts {
			n := size(p.Shape)
			if n < 0 || n > len(rest) {
				panic(panicShape)
			}
			all = append(all, Tensor{Name: p.Name, Shape: p.Shape, F32: rest[:n:n]})
			rest = rest[n:]
		}
		if len(rest) > 0 {
			panic(panicShape)
		}
	}
	return all
}

// whole is the shape of the longer tensor that the rows belong to, or the tensor's own.
func (t *Tensor) whole() []int {
	if t.Of == 0 {
		return t.Shape
	}
	shape := slices.Clone(t.Shape)
	shape[0] = t.Of
	return shape
}

// size is the product of a shape, or -1 if a number is negative.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return -1
		}
		n *= d
	}
	return n
}

const (
	panicKind  = "checkpoint: a tensor must have exactly one of F32, U32 and F64"
	panicShape = "checkpoint: a tensor's length differs from the product of its shape"
	panicName  = "checkpoint: a tensor's name is empty, reserved or used twice"
)

// dtypeSize maps the supported element types to their sizes in bytes.
var dtypeSize = map[string]int{"F32": 4, "U32": 4, "F64": 8}

// dtype returns the safetensors name of the element type and the number of elements.
func (t *Tensor) dtype() (name string, n int) {
	set := 0
	if t.F32 != nil {
		name, n, set = "F32", len(t.F32), set+1
	}
	if t.U32 != nil {
		name, n, set = "U32", len(t.U32), set+1
	}
	if t.F64 != nil {
		name, n, set = "F64", len(t.F64), set+1
	}
	if set != 1 {
		panic(panicKind)
	}
	return name, n
}

// check panics unless the tensors are well formed and their names differ.
func check(tensors []Tensor) {
	seen := make(map[string]bool, len(tensors))
	for i := range tensors {
		t := &tensors[i]
		if t.Name == "" || t.Name == metadataKey || seen[t.Name] {
			panic(panicName)
		}
		seen[t.Name] = true
		if _, n := t.dtype(); n != size(t.Shape) {
			panic(panicShape)
		}
	}
}

// blockLen is the number of elements converted between two reads or writes.
const blockLen = 1 << 15

// BufferBytes is the memory that a Writer and Load need in addition to that of the tensors.
const BufferBytes = 8 * blockLen

// writeTo writes the elements in little-endian order. buf has BufferBytes.
func (t *Tensor) writeTo(w io.Writer, buf []byte) error {
	return t.eachBlock(buf, func(block []byte, lo, hi int) error {
		if err := memory.Catch(func() { t.encode(block, lo, hi) }); err != nil {
			return err
		}
		_, err := w.Write(block)
		return err
	})
}

// readFrom reads the elements in little-endian order. buf has BufferBytes.
func (t *Tensor) readFrom(r io.Reader, buf []byte) error {
	return t.eachBlock(buf, func(block []byte, lo, hi int) error {
		if _, err := io.ReadFull(r, block); err != nil {
			return err
		}
		return memory.Catch(func() { t.decode(block, lo, hi) })
	})
}

// eachBlock calls f for consecutive blocks of elements lo to hi-1, with the part of buf that holds
// their bytes.
func (t *Tensor) eachBlock(buf []byte, f func(block []byte, lo, hi int) error) error {
	name, n := t.dtype()
	size := dtypeSize[name]
	for lo := 0; lo < n; lo += blockLen {
		hi := min(lo+blockLen, n)
		if err := f(buf[:(hi-lo)*size], lo, hi); err != nil {
			return err
		}
	}
	return nil
}

// encode converts elements lo to hi-1 to bytes.
func (t *Tensor) encode(dst []byte, lo, hi int) {
	switch {
	case t.F32 != nil:
		for i, v := range t.F32[lo:hi] {
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
		}
	case t.U32 != nil:
		for i, v := range t.U32[lo:hi] {
			binary.LittleEndian.PutUint32(dst[4*i:], v)
		}
	default:
		for i, v := range t.F64[lo:hi] {
			binary.LittleEndian.PutUint64(dst[8*i:], math.Float64bits(v))
		}
	}
}

// decode converts bytes to elements lo to hi-1.
func (t *Tensor) decode(src []byte, lo, hi int) {
	switch {
	case t.F32 != nil:
		for i := range t.F32[lo:hi] {
			t.F32[lo+i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case t.U32 != nil:
		for i := range t.U32[lo:hi] {
			t.U32[lo+i] = binary.LittleEndian.Uint32(src[4*i:])
		}
	default:
		for i := range t.F64[lo:hi] {
			t.F64[lo+i] = math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
		}
	}
}
