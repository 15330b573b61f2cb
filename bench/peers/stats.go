package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/klauspost/cpuid/v2"

	"github.com/plume-ml/plume/kernel"
)

// median is the middle value, or the mean of the two in the middle; NaN without values.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// ratio is the median of a/b over the rounds; NaN if a side has no measurements.
func ratio(a, b []float64) float64 {
	q := make([]float64, min(len(a), len(b)))
	for i := range q {
		q[i] = a[i] / b[i]
	}
	return median(q)
}

// number prints x with three digits.
func number(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	case x >= 1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.3f", x)
}

// cpu names the CPU.
func cpu() string {
	name := kernel.Info().CPU
	if name == "" {
		name = runtime.GOARCH
	}
	if cpuid.CPU.Family != 0 {
		name += fmt.Sprintf(", family %d, model %d", cpuid.CPU.Family, cpuid.CPU.Model)
	}
	return name
}
