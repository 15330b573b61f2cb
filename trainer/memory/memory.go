// Package memory makes arrays or counts their bytes before they are made (Arena), maps files into
// memory (Map), and asks the system how much memory and disk space there is (Machine, DiskFree) and
// how much memory this process has used (Peak).
package memory

import (
	"strings"
	"unsafe"

	"github.com/dustin/go-humanize"
)

// Part is a named part of a process's memory.
type Part struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Parts is a process's memory by use.
type Parts []Part

// huge is the largest size that is counted: more bytes than any machine has, yet a hundred times
// this does not overflow.
const huge = 1 << 56

// Array returns the bytes of an array of T with the given dimensions, none of them negative. It
// never overflows: an array too large for any machine counts as 2^56 bytes.
func Array[T any](dims ...int) int64 {
	var element T
	bytes := float64(unsafe.Sizeof(element)) // exact to 2^53, beyond which no digit matters
	for _, d := range dims {
		bytes *= float64(d)
	}
	return int64(min(bytes, huge))
}

// Total is the sum of the parts.
func (p Parts) Total() int64 {
	var sum int64
	for _, part := range p {
		sum += part.Bytes
	}
	return sum
}

// Largest is the part with the most bytes, the first of equals; the zero Part if all are empty.
func (p Parts) Largest() Part {
	var largest Part
	for _, part := range p {
		if part.Bytes > largest.Bytes {
			largest = part
		}
	}
	return largest
}

// String is the sum and its parts without the empty ones, as in
// "3.0 MiB = data 2.0 MiB + images 1.0 MiB".
func (p Parts) String() string {
	var terms []string
	for _, part := range p {
		if part.Bytes > 0 {
			terms = append(terms, part.Name+" "+Human(part.Bytes))
		}
	}
	return Human(p.Total()) + " = " + strings.Join(terms, " + ")
}

// Human formats a number of bytes in binary units: "1.5 GiB".
func Human(bytes int64) string { return humanize.IBytes(uint64(max(0, bytes))) }
