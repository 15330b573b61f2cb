package main

import (
	"errors"
	"fmt"
	"slices"
)

// Tolerated growth of medians from the first third of the samples after the warm-up to the last
// third.
//
// The heap is measured at one point of the program, after collections, and varies there by some 10
// kB between samples, for names of files and buffers of the standard library. Ten times as much is
// tolerated: a leak of 300 bytes a step is found after 500 steps, and one of 1 byte a step after
// 150,000, which is some minutes. The numbers of goroutines and open files must not grow. Resident
// memory includes fragmented spans that the collector keeps, so a leak outside the heap is found
// above a tenth of it and 16 MiB.
const (
	heapTolerance     = 128 << 10
	residentShare     = 0.1
	residentTolerance = 16 << 20
)

// warmUp is the share of the samples, at the beginning, that is not judged. Meanwhile buffers reach
// their sizes, and each kind of evaluation happens once.
const warmUp = 0.2

// fewest is the number of samples that a verdict needs, for medians of three.
const fewest = 12

var errTooShort = errors.New("too few samples for a verdict")

// judge returns an error that names everything that grew.
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
		tolerance int64
		share     float64 // of the early value, if that is more
	}{
		{"bytes of heap", func(s sample) int64 { return s.heap }, heapTolerance, 0},
		{"goroutines", func(s sample) int64 { return int64(s.goroutines) }, 0, 0},
		{"open files", func(s sample) int64 { return int64(s.files) }, 0, 0},
		{
			"resident bytes", func(s sample) int64 { return s.resident },
			residentTolerance, residentShare,
		},
	} {
		before, after := middle(early, c.of), middle(late, c.of)
		tolerance := max(c.tolerance, int64(c.share*float64(before)))
		if after-before > tolerance {
			const text = "%d %s became %d in %d steps (%.3g a step), expected at most %d more"
			perStep := float64(after-before) / float64(steps)
			grown = append(grown,
				fmt.Errorf(text, before, c.what, after, steps, perStep, tolerance))
		}
	}
	return errors.Join(grown...)
}

// middle is the median of one number of the samples, or the lower of the two in the middle.
func middle(samples []sample, of func(sample) int64) int64 {
	values := make([]int64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
