package data

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/plume-ml/plume/trainer/memory"
)

// staying is an imageReader whose rows can stay in their file.
type staying interface {
	// stay reads the header of the file, and sets what it says of the rows.
	stay(s *source, to *rowFile) (*array, error)
	// where is the path of the file.
	where() string
}

// CanStay reports whether the rows can stay in their file: those of an uncompressed IDX file or
// array (.npy) in C order whose size is as its header says, and of which nothing can be missing.
func (f *Found) CanStay() bool { return f.canStay }

// MostKept is the most bytes of rows that one process keeps in memory if they can stay in their
// file: a quarter of the machine's memory.
func MostKept() int64 {
	const part = 4
	if machine := memory.Machine(); machine > 0 {
		return machine / part
	}
	return math.MaxInt64 // it is unknown
}

// Stays reports whether the rows will stay in their file.
func (f *Found) Stays() bool { return f.stays }

// Stay makes Read leave the rows in their file, if they can stay there, and f.Bytes what remains in
// memory. Err says when they could not be read, and Close closes the file.
//
// survey surveys all of them, in part elsewhere if several processes share the work; Read calls it
// once, or twice where only all numbers tell what becomes -1 and 1. nil: this process surveys all.
func (f *Found) Stay(survey func(context.Context, *Unsettled) (Survey, error)) {
	if !f.canStay {
		return
	}
	f.stays, f.survey = true, survey
	blocks := (f.Len + BlockRows - 1) / BlockRows
	f.Bytes, f.Loading = int64(blocks*digestBytes), 0
	if f.labelled {
		f.Bytes += memory.Array[int32](f.Len)
	}
}

// Unsettled is rows that stay in their file, of which it is not settled yet what becomes -1 and 1.
type Unsettled struct {
	a   *array
	opt Options
}

// Open opens the file in which the rows stay, and reads their labels.
func (f *Found) Open(ctx context.Context) (u *Unsettled, err error) {
	r, ok := f.images.(staying)
	if !ok || !f.stays {
		panic("data: Open of rows that do not stay in their file")
	}
	path := r.where()
	file, reader, err := openRows(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.close()
		}
	}()
	s, err := newSource(ctx, path, reader)
	if err != nil {
		return nil, err
	}
	a, err := r.stay(s, file)
	if err != nil {
		return nil, err
	}
	a.file, a.name, a.kind = file, baseName(f.name), f.Kind
	if f.Kind == Signals {
		a.shape.W = f.Shape.W // of which the file may have more
		file.after = f.opt.Range
	}
	if a.shape != f.Shape || a.m != f.Len || s.gzip || file.size != s.headerBytes+file.bytes(a.m) {
		return nil, s.fail("changed while it was opened")
	}
	if err := f.readLabels(ctx, a); err != nil {
		return nil, err
	}
	return &Unsettled{a, f.opt}, nil
}

// bytes is the size of m rows.
func (f *rowFile) bytes(m int) int64 { return memory.Array[uint8](m, f.width, f.dtype.Width) }

// Rows is the rows, whose numbers are not to be gathered yet.
func (u *Unsettled) Rows() Dataset { return u.a }

// Close closes the file.
func (u *Unsettled) Close() error { return u.a.file.close() }

// String describes the rows as their headers do, and their labels: two that differ are of other
// data.
func (u *Unsettled) String() string {
	f, h := u.a.file, sha256.New()
	for _, l := range u.a.labels {
		fmt.Fprintln(h, l)
	}
	text := fmt.Sprintf("%s rows of %v %s values in %s bytes", thousands(u.a.m), u.a.shape,
		f.dtype.Name(), thousands(int(f.size)))
	if u.a.labels == nil {
		return text + ", no labels"
	}
	return fmt.Sprintf("%s, labels %x", text, h.Sum(nil)[:earlierBytes])
}

// Blocks is the number of blocks of BlockRows rows.
func (u *Unsettled) Blocks() int { return (u.a.m + BlockRows - 1) / BlockRows }

// Survey surveys some blocks, on all cores. It stops early, with ctx's error, when ctx ends.
func (u *Unsettled) Survey(ctx context.Context, blocks []int) (Survey, error) {
	return u.a.survey(ctx, u.opt, blocks)
}

// Sample is the SHA-256 of some rows as they are in the file.
func (u *Unsettled) Sample(ctx context.Context, rows []int) ([]byte, error) {
	f, h, d := u.a.file, sha256.New(), u.a.shape.Dim()
	s := f.get()
	defer f.put(s)
	for _, row := range rows {
		for column := 0; column < d; column += pieceLen {
			raw, err := f.piece(s, row, column, min(d-column, pieceLen))
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return nil, err
			}
			h.Write(raw)
		}
	}
	return h.Sum(nil), nil
}

// Ends are the stored values that become -1 and 1, once that is settled.
func (u *Unsettled) Ends() [2]float64 { return u.a.stored.ends }

// Settle makes the given values -1 and 1, as Read has where the whole survey was made, and returns
// the rows.
func (u *Unsettled) Settle(ctx context.Context, ends [2]float64) (Dataset, error) {
	u.a.stored.ends = ends
	if mapped := !u.a.isBytes() && u.a.kind != Signals &&
		(u.opt.Range != nil || !u.a.file.dtype.Integer()); mapped {
		return u.a, nil
	}
	return u.a, u.a.mapTo(ctx, ends)
}

// surveyed is what a survey of all rows has found.
type surveyed struct {
	beyond       int
	sum, squares float64
	channels     []moment
}

// take takes what all blocks say into account. Numbers that are not finite are an error.
func (u *Unsettled) take(s Survey) error {
	a := u.a
	if len(s.Blocks) != u.Blocks() {
		return fmt.Errorf("data: %s: %d of %d blocks of rows were surveyed", a.file.path,
			len(s.Blocks), u.Blocks())
	}
	x := newNumbers(a.file.dtype, u.opt)
	a.found = surveyed{channels: make([]moment, a.shape.C)}
	for _, b := range s.Blocks {
		if b.Bad != nil {
			x.bad, x.value = 0, float64(b.Bad.Value)
			return x.check(&source{path: a.file.path}, func(int) (row, column int) {
				return b.Bad.Row, b.Bad.Column
			})
		}
		x.lo, x.hi = min(x.lo, float64(b.Lo)), max(x.hi, float64(b.Hi))
		x.fractions = x.fractions || b.Fractions
		a.found.beyond += b.Beyond
		a.found.sum += float64(b.Sum)
		a.found.squares += float64(b.Squares)
		for c := range b.Channels {
			a.found.channels[c].add(b.Channels[c])
		}
	}
	a.stored.values, a.stored.whole = [2]float64{x.lo, x.hi}, !a.isBytes() && !x.fractions
	return nil
}

// leave is read for rows that stay in their file.
func (f *Found) leave(ctx context.Context) (a *array, err error) {
	u, err := f.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, u.Close())
		}
	}()
	survey := f.survey
	if survey == nil {
		survey = func(ctx context.Context, u *Unsettled) (Survey, error) {
			return u.Survey(ctx, Range(0, u.Blocks()))
		}
	}
	s, err := survey(ctx, u)
	if err == nil {
		err = u.take(s)
	}
	if err == nil {
		err = u.a.calibrate(ctx, f.name, f.opt)
	}
	if err == nil && !s.hashed() {
		s, err = survey(ctx, u)
	}
	if err != nil {
		return nil, err
	}
	for _, b := range s.Blocks {
		u.a.digests = append(u.a.digests, b.Digest)
	}
	return u.a, nil
}

// Remedy says how data that are read into memory could stay in a file.
func (f *Found) Remedy() string {
	text := "their rows could stay in the file if it were a .npy array: numpy.save('x.npy', x)"
	if strings.HasSuffix(f.Summary.Format, gzipped) {
		text = "their rows could stay in the file if it were not compressed: gunzip"
	}
	return text
}
