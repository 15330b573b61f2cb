package data

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// The rules below suspect values that use only a small part of their assumed range. They look at
// all values of a data set: even a set of dark pictures has some bright pixels.

// suspect says what is probably wrong with the stored values and how to correct it; "" if nothing.
func (a *array) suspect(ctx context.Context) (remedy string, err error) {
	lo, hi := a.stored.values[0], a.stored.values[1]
	if lo == hi {
		return "all are the same, so that there is nothing to learn: is this the right file?", nil
	}
	switch a.stored.ends {
	case byteEnds:
		return suspectBytes(lo, hi), nil
	case wideEnds:
		return suspectWide(hi), nil
	case floatEnds:
		if remedy = suspectFloats(lo, hi, a.stored.whole); remedy != "" || lo >= -1 && hi <= 1 {
			return remedy, nil
		}
		return a.suspectStandardised(ctx)
	}
	return "", nil
}

const (
	darkByte   = 64 // a quarter of 0..255
	narrowByte = 32 // an eighth of 0..255
	darkWide   = 1 << 14
)

func suspectBytes(lo, hi float64) string {
	const dark = "0 to 255 are mapped to [-1, 1], so that all are nearly black: "
	switch {
	case hi < darkByte, hi == 100, hi == 127:
		return dark + "give --range 0," + ordinaryEnd(hi) + " if these are black and white"
	case hi-lo < narrowByte:
		return fmt.Sprintf("0 to 255 are mapped to [-1, 1], of which they use only a small part: "+
			"give --range %.0f,%.0f to spread them", lo, hi)
	}
	return ""
}

// ordinaryEnd guesses the value of white for whole values from 0 to hi: the largest number of the
// fewest bits that hold hi, or hi itself if it is 100 or a power of two from 16 on.
func ordinaryEnd(hi float64) string {
	n := uint64(hi)
	if n == 100 || n >= 16 && n&(n-1) == 0 {
		return strconv.FormatUint(n, 10)
	}
	return strconv.FormatUint(uint64(1)<<bits.Len64(n)-1, 10)
}

func suspectWide(hi float64) string {
	if hi >= darkWide {
		return ""
	}
	end := ordinaryEnd(hi)
	return fmt.Sprintf("0 to 65535 are mapped to [-1, 1], so that all are nearly black: give "+
		"--range 0,%s if they have %d bits", end, bits.Len64(uint64(hi)))
}

func suspectFloats(lo, hi float64, whole bool) string {
	const (
		taken = "floats are taken as they are, and pixels are expected in [-1, 1]: "
		ifSo  = " if these are black and white"
	)
	switch {
	case lo >= 0 && hi <= 1:
		return taken + "give --range 0,1" + ifSo
	case lo >= 0 && whole && (hi <= 16 || hi == 100):
		return taken + "give --range 0," + ordinaryEnd(hi) + ifSo
	case lo >= 0 && hi > 16 && hi <= 255:
		return taken + "give --range 0,255" + ifSo
	case lo >= 0 && whole && hi <= 65535:
		return taken + "give --range 0," + ordinaryEnd(hi) + " or --range 0,65535, whichever " +
			"are black and white"
	case lo < 0 && lo >= -0.5 && hi <= 0.5 && hi-lo > 0.9:
		return taken + "give --range -0.5,0.5" + ifSo
	case lo >= -1 && hi <= 1 && hi-lo < 0.25:
		return taken + "they use only a small part of that; " + spread(lo, hi)
	}
	return ""
}

// spread proposes the smallest and largest value as range, rounded outwards.
func spread(lo, hi float64) string {
	unit := math.Pow(10, math.Floor(math.Log10(max(math.Abs(lo), math.Abs(hi))))-2)
	return fmt.Sprintf("give --range %s,%s to map the smallest and the largest to -1 and 1",
		number(math.Floor(lo/unit)*unit), number(math.Ceil(hi/unit)*unit))
}

// suspectStandardised returns the remedy for floats some of which are outside [-1, 1].
func (a *array) suspectStandardised(ctx context.Context) (string, error) {
	sum, squares := a.found.sum, a.found.squares // 0 without a survey
	err := eachBlock(ctx, len(a.f32), func(first, last int) {
		for _, v := range a.f32[first:last] {
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
	})
	n := float64(a.m * a.shape.Dim())
	mean := sum / n
	deviation := math.Sqrt(max(0, squares/n-mean*mean))
	what := ""
	if math.Abs(mean) < 0.25 && math.Abs(deviation-1) < 0.25 {
		what = fmt.Sprintf("their mean is %.2g and their standard deviation %.2g, so that they "+
			"seem to be standardised; ", mean, deviation)
	}
	return "floats are taken as they are, and pixels are expected in [-1, 1]: " + what +
		spread(a.stored.values[0], a.stored.values[1]) + ", or undo what was done to them", err
}
