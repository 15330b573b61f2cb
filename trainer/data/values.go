package data

import (
	"context"
	"fmt"
	"math"

	"github.com/dustin/go-humanize"

	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// stored describes the values in a source.
type stored struct {
	dtype  npyfile.Dtype // of a NumPy array; zero for other sources
	values [2]float64    // smallest and largest
	whole  bool          // all are known to be whole numbers
	ends   [2]float64    // values that become -1 and 1; {0, 0}: not decided yet
}

// The values that become -1 and 1 by default, for bytes, 16-bit integers and floats.
var (
	byteEnds  = [2]float64{0, 255}
	wideEnds  = [2]float64{0, 65535}
	floatEnds = [2]float64{-1, 1}
)

// checkRange returns an error if Range is not an interval.
func (o Options) checkRange() error {
	if r := o.Range; r != nil && (!(r[0] < r[1]) || math.IsInf(r[1]-r[0], 0)) {
		return fmt.Errorf("data: --range is %v,%v; expected two finite numbers, the first below "+
			"the second", r[0], r[1])
	}
	return nil
}

// calibrate decides which stored values become -1 and 1, and warns of values that do not look like
// pixels in this range.
func (a *array) calibrate(ctx context.Context, name string, opt Options) error {
	switch {
	case a.stored.ends != [2]float64{}: // decided by the reader
		return nil
	case a.kind == Signals:
		return a.calibrateSignals(ctx, name, opt)
	case a.isBytes():
		if err := a.calibrateBytes(ctx, name, opt); err != nil {
			return err
		}
	case opt.Range != nil:
		a.stored.ends = *opt.Range // the reader has mapped the values
	case a.stored.dtype.Integer():
		if err := a.calibrateIntegers(ctx, name); err != nil {
			return err
		}
	default:
		a.stored.ends = floatEnds
	}
	if opt.Range != nil {
		return a.countBeyond(ctx, name, opt)
	}
	remedy, err := a.suspect(ctx)
	if remedy != "" {
		opt.warn("data: %s: values range from %s to %s; %s", name, number(a.stored.values[0]),
			number(a.stored.values[1]), remedy)
	}
	return err
}

// calibrateBytes finds the smallest and largest byte, and what becomes -1 and 1.
func (a *array) calibrateBytes(ctx context.Context, name string, opt Options) error {
	ends := byteEnds
	switch {
	case opt.Range != nil:
		ends = *opt.Range
	case a.stored.dtype.Kind == npyfile.Bool:
		ends = [2]float64{0, 1}
	}
	if err := a.findBytes(ctx); err != nil {
		return err
	}
	a.stored.ends = ends
	if err := a.mapTo(ctx, ends); err != nil || a.table == nil {
		return err
	}
	lo, hi := uint8(a.stored.values[0]), uint8(a.stored.values[1])
	if !(math.Abs(float64(a.table[lo])) <= math.MaxFloat32 &&
		math.Abs(float64(a.table[hi])) <= math.MaxFloat32) {
		return fmt.Errorf("data: %s: --range %v,%v maps the values %d to %d to numbers "+
			"that are larger than float32 can hold", name, ends[0], ends[1], lo, hi)
	}
	return nil
}

// findBytes finds the smallest and largest byte, unless a survey has.
func (a *array) findBytes(ctx context.Context) error {
	if a.file != nil {
		return nil
	}
	lo, hi := a.u8[0], a.u8[0]
	err := eachBlock(ctx, len(a.u8), func(first, last int) {
		if lo == 0 && hi == math.MaxUint8 {
			return
		}
		for _, v := range a.u8[first:last] {
			lo, hi = min(lo, v), max(hi, v)
		}
	})
	a.stored.values = [2]float64{float64(lo), float64(hi)}
	return err
}

// mapTo makes ends -1 and 1: of bytes by a table, unless these are 0 and 255 of pictures; of other
// numbers by changing those in memory. Floats and numbers with Options.Range need nothing, unless
// they are signals: the reader has mapped them.
func (a *array) mapTo(ctx context.Context, ends [2]float64) error {
	switch {
	case a.isBytes() && ends == byteEnds && a.kind != Signals:
		return nil
	case a.isBytes():
		a.table = new([256]float32)
		for b := range a.table {
			a.table[b] = float32(linear(float64(b), ends))
		}
		return nil
	case a.file != nil:
		a.file.after = &ends
		return nil
	}
	return eachBlock(ctx, len(a.f32), func(first, last int) {
		for i, v := range a.f32[first:last] {
			if a.missing == nil || !a.missing[first+i] {
				a.f32[first+i] = float32(linear(float64(v), ends))
			}
		}
	})
}

// calibrateIntegers maps integers of more than 8 bits: those that fit a byte from 0..255, other
// uint16 from 0..65535. For others it returns an error.
func (a *array) calibrateIntegers(ctx context.Context, name string) error {
	lo, hi := a.stored.values[0], a.stored.values[1]
	switch d := a.stored.dtype; {
	case lo >= 0 && hi <= 255:
		a.stored.ends = byteEnds
	case d.Kind == npyfile.Uint && d.Width == 2:
		a.stored.ends = wideEnds
	default:
		example := fmt.Sprintf("%.0f,%.0f", lo, hi)
		if lo >= 0 {
			example = "0," + ordinaryEnd(hi)
		}
		return fmt.Errorf("data: %s: holds integers (%v) from %.0f to %.0f, and which of them "+
			"are black and white cannot be told; "+
			"give the two with --range, such as --range %s", name, d, lo, hi, example)
	}
	return a.mapTo(ctx, a.stored.ends)
}

// countBeyond warns of values outside Options.Range.
func (a *array) countBeyond(ctx context.Context, name string, opt Options) error {
	ends, values := a.stored.ends, a.stored.values
	if values[0] >= ends[0] && values[1] <= ends[1] {
		return nil
	}
	n, err := a.beyond(ctx)
	opt.warn("data: %s: %s of %s values lie outside --range %v,%v (they range from %s to %s) "+
		"and are mapped beyond [-1, 1], not clipped",
		name, humanize.Comma(int64(n)), humanize.Comma(int64(a.m*a.shape.Dim())), ends[0], ends[1],
		number(values[0]), number(values[1]))
	return err
}

// beyond counts the values outside Options.Range.
func (a *array) beyond(ctx context.Context) (n int, err error) {
	if a.file != nil {
		return a.found.beyond, nil
	}
	ends := a.stored.ends
	err = eachBlock(ctx, a.m*a.shape.Dim(), func(first, last int) {
		if a.u8 == nil {
			for _, v := range a.f32[first:last] {
				if v < -1 || v > 1 {
					n++
				}
			}
			return
		}
		for _, b := range a.u8[first:last] {
			if v := float64(b); v < ends[0] || v > ends[1] {
				n++
			}
		}
	})
	return n, err
}
