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
// the same fingerprint wherever they are, in memory or in a file.
//
// It is the SHA-256 of that header and of the SHA-256 of each BlockRows images, so that several
// processes can compute it together (Survey).
//
// Large data take seconds. It stops early, with ctx's error, when ctx ends.
func Fingerprint(ctx context.Context, ds Dataset) (string, error) {
	h := header256(ds)
	known := [][]byte(nil)
	if a, ok := ds.(*array); ok {
		known = a.digests
	}
	for lo := 0; lo < ds.Len(); lo += BlockRows {
		if known != nil {
			h.Write(known[lo/BlockRows])
			continue
		}
		block := sha256.New()
		if err := hashRows(ctx, block, ds, lo, min(ds.Len(), lo+BlockRows)); err != nil {
			return "", err
		}
		h.Write(block.Sum(nil))
	}
	return hex.EncodeToString(h.Sum(nil)[:fingerprintBytes]), nil
}

// Fingerprints are half a SHA-256; those of earlier versions were a quarter.
const fingerprintBytes, earlierBytes = 16, 8

// digestBytes is the memory of the digest of a block.
const digestBytes = sha256.Size + 24

// FingerprintLike is Fingerprint in the form of another one, to compare it with. Runs that an
// earlier version has begun keep theirs: one SHA-256 over all images in their order, which one
// process has to read from the first to the last.
func FingerprintLike(ctx context.Context, ds Dataset, like string) (string, error) {
	if len(like) != 2*earlierBytes {
		return Fingerprint(ctx, ds)
	}
	h := header256(ds)
	if err := hashRows(ctx, h, ds, 0, ds.Len()); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:earlierBytes]), nil
}

// header256 begins a fingerprint.
func header256(ds Dataset) hash.Hash {
	h, s := sha256.New(), ds.Shape()
	for _, n := range []int{ds.Len(), s.H, s.W, s.C} {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	}
	if schema := SchemaOf(ds); schema != nil {
		hashNames(h, schema)
	}
	return h
}

// stopRows is the number of images hashed between two checks of the context.
const stopRows = 64

// hashRows hashes images lo to hi.
func hashRows(ctx context.Context, h hash.Hash, ds Dataset, lo, hi int) error {
	var row []byte
	for i := lo; i < hi; i++ {
		if i%stopRows == 0 && ctx.Err() != nil {
			return fmt.Errorf("data: %s: reading was stopped: %w", ds.Name(), ctx.Err())
		}
		row = appendRow(row[:0], ds, i)
		h.Write(row)
	}
	return Err(ds)
}

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
		if ds.file != nil {
			return ds.file.appendRow(row, i, d)
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

// appendRow is appendRow of an array of d numbers in each row.
func (f *rowFile) appendRow(row []byte, i, d int) []byte {
	s := f.get()
	defer f.put(s)
	pixels := make([]float32, min(d, pieceLen))
	for column := 0; column < d; column += pieceLen {
		n := min(d-column, pieceLen)
		raw, err := f.piece(s, i, column, n)
		switch {
		case err != nil: // which hashRows returns
			return row
		case f.isBytes():
			row = append(row, raw...)
		default:
			f.convert(s, pixels[:n], raw, nil)
			row = appendFloats(row, pixels[:n])
		}
	}
	return row
}
