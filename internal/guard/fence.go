// Package guard finds reads and writes beside arrays: these lie at the end of regions of memory,
// or at their start, where pages follow that cannot be touched. Only tests import it.
package guard

import (
	"fmt"
	"math"
	"runtime/debug"
	"testing"
	"unsafe"
)

// Fence lays arrays into regions, one into each.
type Fence struct {
	regions [][]float32
	laid    [][2]int // from and to where the arrays lie
}

// besides is how many numbers are watched at both ends of a region whose pages do not do it.
func besides() int {
	if Faults {
		return 0
	}
	return 64
}

// NewFence makes the given number of regions for arrays of at most so many numbers.
func NewFence(t testing.TB, regions, most int) *Fence {
	t.Helper()
	f := &Fence{}
	for range regions {
		n := most + 2*besides()
		region, err := Region(4 * n)
		if err != nil {
			t.Fatal(err)
		}
		numbers := (*float32)(unsafe.Pointer(unsafe.SliceData(region)))
		f.regions = append(f.regions, unsafe.Slice(numbers, len(region)/4))
	}
	return f
}

// Clear takes all arrays off again.
func (f *Fence) Clear() { f.laid = f.laid[:0] }

// canary fills what surrounds the arrays. It is a NaN, so that what it is used for shows.
var canary = math.Float32frombits(0x7fedcba9)

// Put copies x to the end of a region, or to its start. Nothing can be appended to the copy.
func (f *Fence) Put(x []float32, atEnd bool) []float32 {
	region := f.regions[len(f.laid)]
	from := besides()
	if atEnd {
		from = len(region) - besides() - len(x)
	}
	to := from + len(x)
	for i := range region {
		region[i] = canary
	}
	copy(region[from:to], x)
	f.laid = append(f.laid, [2]int{from, to})
	return region[from:to:to]
}

// Try runs a function on the arrays. The error says that something beside one was touched: by Go or
// by assembly, since a fault in C ends the program.
func (f *Fence) Try(does func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	does()
	return f.check()
}

func (f *Fence) check() error {
	for i, laid := range f.laid {
		for at, v := range f.regions[i] {
			inside := at >= laid[0] && at < laid[1]
			if !inside && math.Float32bits(v) != math.Float32bits(canary) {
				return fmt.Errorf(
					"array %d, of %d numbers: %v written at %d", i, laid[1]-laid[0], v, at-laid[0],
				)
			}
		}
	}
	return nil
}
