package kernel

import (
	"bytes"
	"fmt"
	"unsafe"
)

// place is where in its region an array lies.
type place int

const (
	atEnd   place = iota // the last element before the guard page
	atStart              // the first one behind the other
	between              // neither, at a start of its own for every array
	places
)

func (p place) String() string { return [places]string{"at the end", "at the start", "between"}[p] }

// margin is how many bytes before and behind an array are watched.
const margin = 64

// canary is what unwritten memory holds: as float32, NaN.
var canary = bytes.Repeat([]byte{0xa1, 0x7f, 0xa1, 0x7f}, (regionSize+3)/4)

// regionSize is for the longest array, between margins.
const regionSize = 4*mostNumbers + 2*margin + 16*8

// block is an array of n bytes from start in its region.
type block struct {
	region   []byte
	start, n int
}

// lay puts n bytes into a region, at offset where the place leaves a choice, and fills them and
// what is around them with the canary.
func lay(region []byte, n int, at place, offset int) block {
	b := block{region, 0, n}
	switch at {
	case atEnd:
		b.start = len(region) - n
	case between:
		b.start = margin + offset
	}
	before, behind := b.margins()
	copy(region[b.start-len(before):], canary[:len(before)+n+len(behind)])
	return b
}

func (b block) margins() (before, behind []byte) {
	end := b.start + b.n
	return b.region[max(0, b.start-margin):b.start], b.region[end:min(len(b.region), end+margin)]
}

// address is where the first element is, or would be in an empty block.
func (b block) address() unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(b.region)), b.start)
}

func (b block) floats() []float32 { return unsafe.Slice((*float32)(b.address()), b.n/4) }
func (b block) ids() []uint64     { return unsafe.Slice((*uint64)(b.address()), b.n/8) }
func (b block) bytes() []uint8    { return unsafe.Slice((*uint8)(b.address()), b.n) }

// check fails if something was written beside the array.
func (b block) check() error {
	before, behind := b.margins()
	if want := canary[:len(before)]; !bytes.Equal(before, want) {
		return fmt.Errorf(
			"written %d bytes before its start", len(before)-firstDifference(before, want),
		)
	}
	if want := canary[len(before)+b.n:][:len(behind)]; !bytes.Equal(behind, want) {
		return fmt.Errorf("written %d bytes behind its end", firstDifference(behind, want))
	}
	return nil
}

func firstDifference(a, b []byte) int {
	for i, v := range a {
		if v != b[i] {
			return i
		}
	}
	return len(a)
}

// near says where the address of a fault is, if it is close to the region's ends.
func (b block) near(addr uintptr) (where string, found bool) {
	const reach = 4096 // no page is smaller
	first := uintptr(unsafe.Pointer(unsafe.SliceData(b.region)))
	end := first + uintptr(len(b.region))
	switch {
	case addr >= end && addr < end+reach:
		return fmt.Sprintf("%d bytes behind its end", addr-(first+uintptr(b.start+b.n))), true
	case addr < first && addr >= first-reach:
		return fmt.Sprintf("%d bytes before its start", first+uintptr(b.start)-addr), true
	}
	return "", false
}
