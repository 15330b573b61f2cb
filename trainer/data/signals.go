package data

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// checkKind refuses data of another kind than asked for, and options that apply to other kinds.
func (f *Found) checkKind() error {
	o := f.opt
	if o.As != "" && o.As != Auto && o.As != f.Kind {
		return fmt.Errorf("data: %s: holds %s, not %s; expected %s with --as %s, or another --as",
			f.name, f.Kind, o.As, readableAs[o.As], o.As)
	}
	if f.Kind == Signals {
		if t := f.Shape.W; t < 2 {
			return fmt.Errorf("data: %s: holds signals of %d sample; expected at least 2",
				f.name, t)
		}
		return nil
	}
	if o.Length != 0 || o.SampleRate != 0 {
		return fmt.Errorf("data: %s: --length and --sample-rate apply only to signals, and these "+
			"are %s; .npy and .npz arrays are read as signals with --as signals", f.name, f.Kind)
	}
	return nil
}

// readableAs is what can be read as a kind.
var readableAs = map[Kind]string{
	Pictures: "pictures, or an array M x H x W or M x H x W x C",
	Numbers:  "an array M x D (.npy, .npz)",
	Signals:  "an array M x T or M x T x C (.npy, .npz), or WAV files in a directory or an archive",
	Columns:  "a file with named columns",
}

// takeSignals makes the rows of an array signals, of which Options.Length samples are taken.
func (f *Found) takeSignals(name string, opt Options) error {
	if err := opt.checkLength(name, f.Shape.W); err != nil {
		return err
	}
	f.Kind, f.Summary.SampleRate = Signals, opt.SampleRate
	if t := f.Shape.W; opt.Length > 0 && opt.Length < t {
		f.Shape.W = opt.Length
		f.Loading += f.Bytes
		f.Bytes = f.Bytes / int64(t) * int64(opt.Length)
		f.Summary.Notes = append(f.Summary.Notes, fmt.Sprintf("the first %s of %s",
			thousands(opt.Length), counted(t, "samples")))
	}
	return nil
}

// checkLength refuses signals that are shorter than Options.Length.
func (o Options) checkLength(name string, t int) error {
	if o.Length <= t {
		return nil
	}
	return fmt.Errorf("data: %s: --length is %d, and its signals have %d samples; expected at "+
		"most that, or no --length", name, o.Length, t)
}

// crop drops the samples of signals after the first length; 0: none.
func (a *array) crop(length int) {
	t, c := a.shape.W, a.shape.C
	if length == 0 || length >= t {
		return
	}
	a.shape.W = length
	a.u8 = heads(a.u8, t*c, length*c)
	a.f32 = heads(a.f32, t*c, length*c)
	a.missing = heads(a.missing, t*c, length*c)
}

// heads returns the first k of each n numbers; nil for nil.
func heads[T any](x []T, n, k int) []T {
	if x == nil {
		return nil
	}
	y := make([]T, 0, len(x)/n*k)
	for lo := 0; lo < len(x); lo += n {
		y = append(y, x[lo:lo+k]...)
	}
	return y
}

// signalDeviations is how many standard deviations of all values from their mean become 1: values
// then have a standard deviation of 1/2, about as the pixels of pictures do, which obs_noise is in
// proportion to. Their smallest and largest would depend on a single outlier.
const signalDeviations = 2

// calibrateSignals decides which stored values become -1 and 1, and maps all to that: those of
// Options.Range, or else their mean and signalDeviations standard deviations on both sides. It is
// one map for all rows, samples and channels.
func (a *array) calibrateSignals(ctx context.Context, name string, opt Options) error {
	m, err := a.measure(ctx)
	if err != nil {
		return err
	}
	a.stored.values = [2]float64{m.lo, m.hi}
	switch {
	case opt.Range != nil:
		a.stored.ends = *opt.Range
	case m.lo > m.hi:
		return fmt.Errorf("data: %s: all values are missing; expected some to be known", name)
	case m.lo == m.hi:
		return fmt.Errorf("data: %s: all values are %s, so that there is nothing to learn: is "+
			"this the right file?", name, number(m.lo))
	default:
		a.stored.ends = m.ends()
		m.warnOfUnlike(name, opt)
	}
	ends := a.stored.ends
	if far := max(math.Abs(linear(m.lo, ends)), math.Abs(linear(m.hi, ends))); !(far <= math.
		MaxFloat32) {
		return fmt.Errorf("data: %s: --range %v,%v maps the values %v to %v to numbers that are "+
			"larger than float32 can hold", name, ends[0], ends[1], m.lo, m.hi)
	}
	return a.mapTo(ctx, ends)
}

// measured is what signals are like in their stored values.
type measured struct {
	lo, hi          float64
	mean, deviation float64
	channels        []float64 // deviation of each channel from the mean of all
}

// measure measures all values that are known.
func (a *array) measure(ctx context.Context) (m measured, err error) {
	m.lo, m.hi = math.Inf(1), math.Inf(-1)
	channels := make([]moment, a.shape.C)
	if a.file != nil {
		m.lo, m.hi, channels = a.stored.values[0], a.stored.values[1], a.found.channels
		return m.over(channels), nil
	}
	d, values := a.shape.Dim(), make([]float64, pieceLen)
	for lo := 0; lo < a.m; lo += BlockRows {
		block := make([]moment, a.shape.C)
		err := eachPiece(d, lo, min(lo+BlockRows, a.m), func(row, column, n int) error {
			var missing []bool
			from := row*d + column
			if a.missing != nil {
				missing = a.missing[from : from+n]
			}
			for i := range n {
				v := 0.0
				if a.u8 != nil {
					v = float64(a.u8[from+i])
				} else {
					v = float64(a.f32[from+i])
				}
				if values[i] = v; missing == nil || !missing[i] {
					m.lo, m.hi = min(m.lo, v), max(m.hi, v)
				}
			}
			addMoments(block, values[:n], column, missing)
			return ctx.Err()
		})
		if err != nil {
			return m, err
		}
		for c := range block {
			channels[c].add(block[c])
		}
	}
	return m.over(channels), nil
}

// over completes m from the moments of the channels.
func (m measured) over(channels []moment) measured {
	n, total := 0, 0.0
	for _, c := range channels {
		n += c.N
		m.mean += float64(float64(c.Mean) * float64(c.N))
	}
	m.mean /= float64(n)
	for _, c := range channels {
		about := float64(c.Mean) - m.mean
		square := float64(c.Squares) + float64(float64(c.N)*float64(about*about))
		total += square
		m.channels = append(m.channels, math.Sqrt(square/float64(n)*float64(len(channels))))
	}
	m.deviation = math.Sqrt(total / float64(n))
	return m
}

// ends are the values that become -1 and 1 by default, rounded to a few digits. A mean that is
// nearly zero counts as zero, so that silence stays silence.
func (m measured) ends() [2]float64 {
	const nearly = 0.05
	mean, half := m.mean, signalDeviations*m.deviation
	if math.Abs(mean) < nearly*m.deviation {
		mean = 0
	}
	digits := 2 - int(math.Floor(math.Log10(half))) // after the decimal point
	round := func(v float64) float64 {
		scale := math.Pow(10, float64(digits))
		short := strconv.FormatFloat(math.Round(v*scale)/scale, 'f', max(0, digits), 64)
		f, err := strconv.ParseFloat(short, 64)
		if err != nil {
			panic("data: a number that is none")
		}
		return f
	}
	lo, hi := round(mean-half), round(mean+half)
	if !(lo < hi) {
		return [2]float64{mean - half, mean + half}
	}
	return [2]float64{lo, hi}
}

// warnOfUnlike warns of channels whose scales differ so much that a common one hides some.
func (m measured) warnOfUnlike(name string, opt Options) {
	const much = 10
	least, most := slices.Min(m.channels), slices.Max(m.channels)
	if most > much*least {
		opt.warn("data: %s: its channels differ in scale, from %s to %s about their common mean, "+
			"and are mapped alike, so that the small ones hardly count: bring them to one scale "+
			"first, x / x.std((0, 1))", name, number(least), number(most))
	}
}
