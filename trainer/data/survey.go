package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"math"
	"runtime"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Survey is what there is to know of all rows of a file before they are trained on, of some blocks
// of BlockRows rows: their digests, the smallest and largest numbers, numbers that are not finite.
// Several processes survey their parts, and Merge puts these together.
type Survey struct {
	Blocks []Block `json:"blocks"` // by ascending numbers
}

// BlockRows is the number of rows in a block; the last one may have fewer.
const BlockRows = 4096

// Block is what is known of the rows of one block, the first of which is BlockRows times its
// number.
type Block struct {
	Number int    `json:"number"`
	Digest []byte `json:"digest,omitempty"` // SHA-256; nil until what becomes -1 and 1 is known

	Lo        exact      `json:"lo"` // smallest and largest number
	Hi        exact      `json:"hi"`
	Fractions bool       `json:"fractions,omitempty"` // some are not integers
	Bad       *badNumber `json:"bad,omitempty"`       // the first that no finite float32 can hold
	Beyond    int        `json:"beyond,omitempty"`    // how many lie outside Options.Range
	Sum       exact      `json:"sum"`                 // of float32 numbers
	Squares   exact      `json:"squares"`
	Channels  []moment   `json:"channels,omitempty"` // of signals
}

// badNumber is a number and its place, both counted from 0.
type badNumber struct {
	Row    int   `json:"row"`
	Column int   `json:"column"`
	Value  exact `json:"value"`
}

// exact is a float64 that JSON keeps to the bit, NaN and infinities too.
type exact float64

// MarshalText implements encoding.TextMarshaler.
func (x exact) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(x), 'g', -1, 64), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (x *exact) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(string(text), 64)
	*x = exact(v)
	return err
}

// hashed reports whether the digests are known.
func (s Survey) hashed() bool { return len(s.Blocks) > 0 && s.Blocks[0].Digest != nil }

// Differ is the error of surveys that say different things of the same block.
type Differ struct {
	One, Other  int // of the surveys that were merged, by their order
	First, Last int // rows, the last one exclusive
}

func (e *Differ) Error() string {
	return fmt.Sprintf("other data in rows %s to %s (counted from 0)", thousands(e.First),
		thousands(e.Last-1))
}

// Merge puts together what parts say of their blocks. Of blocks that are in several parts they must
// say the same, else the error is a *Differ.
func Merge(parts ...Survey) (Survey, error) {
	most := 0
	for _, part := range parts {
		for _, b := range part.Blocks {
			most = max(most, b.Number+1)
		}
	}
	from, all := make([]int, most), make([]Block, most) // from: the part, from 1 on
	for i, part := range parts {
		for _, b := range part.Blocks {
			if from[b.Number] == 0 {
				from[b.Number], all[b.Number] = i+1, b
			} else if !b.is(all[b.Number]) {
				return Survey{}, &Differ{One: from[b.Number] - 1, Other: i,
					First: b.Number * BlockRows, Last: (b.Number + 1) * BlockRows}
			}
		}
	}
	var whole Survey
	for i, b := range all {
		if from[i] > 0 {
			whole.Blocks = append(whole.Blocks, b)
		}
	}
	return whole, nil
}

// is reports whether two blocks are of the same rows, as far as is known.
func (b Block) is(c Block) bool {
	same := func(x, y exact) bool {
		return math.Float64bits(float64(x)) == math.Float64bits(float64(y))
	}
	return bytes.Equal(b.Digest, c.Digest) && same(b.Lo, c.Lo) && same(b.Hi, c.Hi) &&
		same(b.Sum, c.Sum) && same(b.Squares, c.Squares)
}

// survey surveys blocks of the array's file, in their order, on all cores. at hears of each that is
// done; nil: nobody does.
func (a *array) survey(ctx context.Context, opt Options, blocks []int) (Survey, error) {
	s := Survey{Blocks: make([]Block, len(blocks))}
	g, shared := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	var done atomic.Int64
	for i, number := range blocks {
		g.Go(func() (err error) {
			s.Blocks[i], err = a.surveyBlock(shared, opt, number)
			if opt.Progress != nil {
				rows := min(int(done.Add(1))*BlockRows, a.m)
				opt.Progress(fmt.Sprintf("%s of %s rows", thousands(rows),
					thousands(min(len(blocks)*BlockRows, a.m))))
			}
			return err
		})
	}
	err := errors.Join(g.Wait(), a.file.err())
	if ctx.Err() != nil && err == nil {
		err = ctx.Err()
	}
	return s, err
}

// surveyBlock surveys one block.
func (a *array) surveyBlock(ctx context.Context, opt Options, number int) (Block, error) {
	d := a.shape.Dim()
	t := &teller{a: a, opt: opt, s: a.file.get(), pixels: make([]float32, pieceLen)}
	defer a.file.put(t.s)
	t.x = newNumbers(a.file.dtype, opt)
	t.lo, t.hi = t.x.lo, t.x.hi
	if a.knowsEnds(opt) {
		t.h = sha256.New()
	}
	if a.kind == Signals {
		t.block.Channels = make([]moment, a.shape.C)
	}
	t.block.Number = number
	lo, hi := number*BlockRows, min((number+1)*BlockRows, a.m)
	err := eachPiece(d, lo, hi, func(row, column, n int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := a.file.raw(t.s, row, column, n, d)
		if err == nil {
			t.take(raw, row, column)
		}
		return err
	})
	if t.h != nil {
		t.block.Digest = t.h.Sum(nil)
	}
	t.block.Lo, t.block.Hi, t.block.Fractions = exact(t.x.lo), exact(t.x.hi), t.x.fractions
	return t.block, err
}

// raw reads a piece of eachPiece.
func (f *rowFile) raw(s *scratch, row, column, n, d int) ([]byte, error) {
	if n > d {
		return f.rows(s, row, n/d, d)
	}
	return f.piece(s, row, column, n)
}

// eachPiece calls f with the pieces of rows lo to hi of d numbers: whole rows, or parts of one if
// it is longer than a piece.
func eachPiece(d, lo, hi int, f func(row, column, n int) error) error {
	together := max(1, pieceLen/d)
	for row := lo; row < hi; row += together {
		rows := min(together, hi-row)
		for column := 0; column < d; column += pieceLen {
			n := rows * d
			if d > pieceLen {
				n = min(pieceLen, d-column)
			}
			if err := f(row, column, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// knowsEnds reports whether it is known how numbers become what a digest is of: bytes as they are
// stored, others as pixels.
func (a *array) knowsEnds(opt Options) bool {
	return a.isBytes() || a.file.after != nil ||
		a.kind != Signals && (opt.Range != nil || !a.file.dtype.Integer())
}

// teller tells of a block.
type teller struct {
	a      *array
	opt    Options
	s      *scratch
	x      *numbers
	h      hash.Hash // nil: no digest
	pixels []float32
	row    []byte
	block  Block
	lo, hi float64 // of signals, as float32
}

// take takes the numbers of a piece into account.
func (t *teller) take(raw []byte, row, column int) {
	n := len(raw) / t.a.file.dtype.Width
	if t.a.isBytes() {
		t.takeBytes(raw, column)
		if t.h != nil {
			t.h.Write(raw)
		}
	} else {
		t.takeNumbers(raw, n, row, column)
	}
}

// takeBytes is take of bytes.
func (t *teller) takeBytes(raw []byte, column int) {
	if t.x.lo != 0 || t.x.hi != math.MaxUint8 { // else nothing can change
		lo, hi := raw[0], raw[0]
		for _, b := range raw {
			lo, hi = min(lo, b), max(hi, b)
		}
		t.x.lo, t.x.hi = min(t.x.lo, float64(lo)), max(t.x.hi, float64(hi))
	}
	if r := t.opt.Range; r != nil {
		for _, b := range raw {
			if v := float64(b); v < r[0] || v > r[1] {
				t.block.Beyond++
			}
		}
	}
	if t.block.Channels != nil {
		values := make([]float64, len(raw))
		for i, b := range raw {
			values[i] = float64(b)
		}
		addMoments(t.block.Channels, values, column, nil)
	}
}

// takeNumbers is take of other numbers.
func (t *teller) takeNumbers(raw []byte, n, row, column int) {
	f, pixels, values := t.a.file, t.pixels[:n], t.s.values[:n]
	f.dtype.Decode(values, raw)
	t.x.take(pixels, values, row*t.a.shape.Dim()+column)
	if t.x.bad >= 0 && t.block.Bad == nil {
		d := t.a.shape.Dim()
		t.block.Bad = &badNumber{t.x.bad / d, t.x.bad % d, exact(t.x.value)}
	}
	signals := t.block.Channels != nil
	if signals { // whose ends are chosen by what memory would hold
		t.x.lo, t.x.hi = t.lo, t.hi
	}
	for i, v := range pixels {
		values[i] = float64(v)
		t.block.Sum += exact(v)
		t.block.Squares += exact(float64(v) * float64(v))
		if t.opt.Range != nil && (v < -1 || v > 1) {
			t.block.Beyond++
		}
	}
	if signals {
		for _, v := range values {
			t.x.lo, t.x.hi = min(t.x.lo, v), max(t.x.hi, v)
		}
		t.lo, t.hi = t.x.lo, t.x.hi
		addMoments(t.block.Channels, values, column, nil)
	}
	if t.h != nil {
		if f.after != nil {
			f.convert(t.s, pixels, raw, nil)
		}
		t.row = appendFloats(t.row[:0], pixels)
		t.h.Write(t.row)
	}
}
