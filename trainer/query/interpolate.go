package query

import (
	"fmt"
	"math"
)

// Interpolate returns what the decoder makes of n latents on the way from one to another, both of d
// numbers, with the ends: n x D. Latents are N(0, I) or nearly so, whose lengths are nearly the
// same; the way therefore turns from one direction to the other at a constant rate, while the
// length changes from one to the other (White 2016, "Sampling generative networks"). condition is
// what all are to be like; nil: nothing.
func (m *Model) Interpolate(from, to []float32, n int, condition []float32) ([]float32, error) {
	d, k := m.generator.Latent(), m.generator.Conditions()
	if len(from) != d || len(to) != d {
		return nil, fmt.Errorf("latents of %d and %d numbers: expected %d", len(from), len(to), d)
	}
	if n < 2 {
		return nil, fmt.Errorf("%d images: expected 2 or more, with the ends", n)
	}
	if condition != nil && len(condition) != k {
		return nil, fmt.Errorf("a condition of %d numbers: expected %d", len(condition), k)
	}
	z := make([]float32, n*d)
	for i := range n {
		slerp(z[i*d:(i+1)*d], from, to, float64(i)/float64(n-1))
	}
	var conditions []float32
	if k > 0 {
		conditions = make([]float32, n*k)
		for i := range n {
			copy(conditions[i*k:(i+1)*k], condition)
		}
	}
	out := make([]float32, n*m.generator.Dim())
	m.generator.Decode(out, z, conditions)
	return out, nil
}

// slerp writes the latent at share t of the way from a to b.
func slerp(dst, a, b []float32, t float64) {
	var aa, bb, ab float64
	for j, v := range a {
		aa += float64(v) * float64(v)
		bb += float64(b[j]) * float64(b[j])
		ab += float64(v) * float64(b[j])
	}
	la, lb := math.Sqrt(aa), math.Sqrt(bb)
	angle := math.Acos(max(-1, min(1, ab/(la*lb))))
	// Where the ends have no direction, or the same or opposite ones, the way is straight.
	wa, wb := 1-t, t
	if sin := math.Sin(angle); sin > 1e-6 {
		length := (1-t)*la + t*lb
		wa = math.Sin((1-t)*angle) / sin * length / la
		wb = math.Sin(t*angle) / sin * length / lb
	}
	for j := range dst {
		dst[j] = float32(wa*float64(a[j]) + wb*float64(b[j]))
	}
}
