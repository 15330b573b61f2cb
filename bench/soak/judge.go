package main

import (
	"errors"
	"fmt"
	"slices"
)

// What may grow, from the first third of the samples after the warm-up to the last third, in medians.
//
// The heap is measured at one point of the program, after collections, and differs there by some 10 kB between
// samples: names of files, buffers of the standard library that grow once. Ten times as much is tolerated. That is
// a leak of 300 bytes a step after 500 steps, and of 1 byte a step after 150,000, some minutes. Nothing may start
// goroutines or open files for good. Resident memory takes in what the collector keeps, in spans that fragment:
// what leaks outside the heap shows above a tenth and 16 MiB.
const (
	heapTolerance     = 128 << 10
	residentShare     = 0.1
	residentTolerance = 16 << 20
)

// warmUp is the share of the samples, at the beginning, that are not judged: buffers find their sizes and
// schedules of evaluations come round in it.
const warmUp = 0.2

// fewest is how many samples a verdict needs, for medians of three.
const fewest = 12

var errTooShort = errors.New("too few samples for a verdict")

// judge is an error that names all that grew.
func judge(samples []sample) error {
	if len(samples) < fewest {
		return fmt.Errorf("%w: %d, expected %d or more", errTooShort, len(samples), fewest)
	}
	rest := samples[int(warmUp*float64(len(samples))):]
	early, late := rest[:len(rest)/3], rest[len(rest)-len(rest)/3:]
	steps := middle(late, func(s sample) int64 { return int64(s.step) }) -
		middle(early, func(s sample) int64 { return int64(s.step) })
	var grown []error
	for _, c := range []struct {
		what      string
		of        func(sample) int64
		tolerance func(early int64) int64
	}{
		{"bytes of heap", func(s sample) int64 { return s.heap }, func(int64) int64 { return heapTolerance }},
		{"goroutines", func(s sample) int64 { return int64(s.goroutines) }, func(int64) int64 { return 0 }},
		{"open files", func(s sample) int64 { return int64(s.files) }, func(int64) int64 { return 0 }},
		{"resident bytes", func(s sample) int64 { return s.resident }, func(early int64) int64 {
			return max(residentTolerance, int64(residentShare*float64(early)))
		}},
	} {
		before, after := middle(early, c.of), middle(late, c.of)
		if tolerance := c.tolerance(before); after-before > tolerance {
			grown = append(grown, fmt.Errorf("%d %s became %d in %d steps (%.3g a step), expected at most %d more",
				before, c.what, after, steps, float64(after-before)/float64(steps), tolerance))
		}
	}
	return errors.Join(grown...)
}

// middle is the median of a number of the samples, the lower of the two in the middle.
func middle(samples []sample, of func(sample) int64) int64 {
	values := make([]int64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
