package data

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
)

// Fingerprint returns a short hash of the number of images, their shape, their stored pixels and
// which of them are missing; of a table, of the columns and cells that are modelled, too. A resumed
// run compares it to refuse other data. Names and labels are not part of it: the same images give
// the same fingerprint wherever they are.
//
// Large data take seconds. It stops early, with ctx's error, when ctx ends.
func Fingerprint(ctx context.Context, ds Dataset) (string, error) {
	h, s := sha256.New(), ds.Shape()
	for _, n := range []int{ds.Len(), s.H, s.W, s.C} {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	}
	if schema := SchemaOf(ds); schema != nil {
		hashNames(h, schema)
	}
	var row []byte
	for i := range ds.Len() {
		if i%stopRows == 0 && ctx.Err() != nil {
			return "", fmt.Errorf("data: %s: reading was stopped: %w", ds.Name(), ctx.Err())
		}
		row = appendRow(row[:0], ds, i)
		h.Write(row)
	}
	return shortSum(h), nil
}

// stopRows is the number of images hashed between two checks of the context.
const stopRows = 64

func shortSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:8]) }

// appendRow appends the pixels of image i as stored. A hash of gathered pixels would depend on the
// rounding of a kernel.
func appendRow(row []byte, ds Dataset, i int) []byte {
	d := ds.Shape().Dim()
	switch ds := ds.(type) {
	case *subset:
		return appendRow(row, ds.Dataset, ds.index[i])
	case *array:
		if ds.u8 != nil {
			return append(row, ds.u8[i*d:(i+1)*d]...)
		}
		row = appendFloats(row, ds.f32[i*d:(i+1)*d])
		if ds.missing != nil {
			row = appendMissing(row, ds.missing[i*d:(i+1)*d])
		}
		if ds.cells != nil {
			row = appendCells(row, ds.cells, i)
		}
		return row
	}
	pixels := make([]float32, d)
	ds.Gather(pixels, []int{i})
	return appendFloats(row, pixels)
}

// appendMissing appends a byte for each number, 1 for those that are not known.
func appendMissing(row []byte, missing []bool) []byte {
	for _, m := range missing {
		if m {
			row = append(row, 1)
		} else {
			row = append(row, 0)
		}
	}
	return row
}

func appendFloats(row []byte, pixels []float32) []byte {
	for _, v := range pixels {
		row = binary.LittleEndian.AppendUint32(row, math.Float32bits(v))
	}
	return row
}
