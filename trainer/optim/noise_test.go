package optim

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/memory"
)

// noisy makes an optimiser of n parameters with noise.
func noisy(t *testing.T, kind Kind, p []float32, noise Noise, decay float64) *Optimizer {
	t.Helper()
	o, err := start(kind, p, decay)
	if err != nil {
		t.Fatal(err)
	}
	o.Noise = noise
	return o
}

// TestNoise: a step with noise is a step without it plus independent normals of variance
// 2 lr scale^2, which differ from step to step and enter the average. 40,000 of them give the
// variance within a relative standard error of 0.7 %, products of two within 0.5 % of it.
func TestNoise(t *testing.T) {
	const n, lr, scale = 40000, 0.01, 0.3
	for _, kind := range kinds {
		p, q := normals(n, 0), normals(n, 0)
		plain := noisy(t, kind, p, Noise{}, 0.5)
		o := noisy(t, kind, q, Noise{Scale: scale, Seed: 4}, 0.5)
		var last []float64
		for step := uint32(1); step <= 2; step++ {
			g, before := normals(n, step), slices.Clone(q)
			copy(p, q)
			ema := slices.Clone(o.EMA)
			plain.Begin(lr)
			plain.Apply(p, slices.Clone(g), memory.Span(0, n))
			o.Begin(lr)
			o.Apply(q, g, memory.Span(0, n))
			xi, want := make([]float64, n), 2*lr*scale*scale
			var sum, square, product float64
			rate := 1 - min(0.5, float64(1+step)/float64(10+step))
			for i := range xi {
				xi[i] = float64(q[i]) - float64(p[i])
				sum, square = sum+xi[i]/n, square+xi[i]*xi[i]/n
				if last != nil {
					product += xi[i] * last[i] / n
				}
				average := float64(ema[i]) + rate*(float64(q[i])-float64(ema[i]))
				if beyond(float64(o.EMA[i])-average, 1e-6) {
					t.Fatalf("%s: average %v of %v and %v, want %v", kind, o.EMA[i], ema[i],
						q[i], average)
				}
			}
			if slices.Equal(before, q) || beyond(sum, 5*math.Sqrt(want/n)) ||
				beyond(square/want-1, 5*math.Sqrt(2.0/n)) || beyond(product, 5*want/math.Sqrt(n)) {
				t.Errorf("%s, step %d: noise of mean %v, variance %v, covariance with the last "+
					"%v; want 0, %v, 0",
					kind, step, sum, square, product, want)
			}
			last = xi
		}
	}
}

// TestNoiseAddress: parts have the bits of the whole; each network and each seed has its own
// normals.
func TestNoiseAddress(t *testing.T) {
	const n = 200
	take := func(noise Noise, cuts ...[2]int) []float32 {
		p := normals(n, 0)
		o := noisy(t, SGD, p, noise, 0)
		o.Begin(0.1)
		g := normals(n, 1)
		for _, cut := range cuts {
			o.Apply(p, g, memory.Span(cut[0], cut[1]))
		}
		return p
	}
	one := Noise{Scale: 1, Seed: 4, Network: 1}
	whole := take(one, [2]int{0, n})
	if !slices.Equal(whole, take(one, [2]int{96, n}, [2]int{0, 32}, [2]int{32, 96})) {
		t.Error("parts differ from the whole")
	}
	for _, other := range []Noise{{1, 5, 1}, {1, 4, 0}} {
		same, x := 0, take(other, [2]int{0, n})
		for i := range x {
			if x[i] == whole[i] {
				same++
			}
		}
		if same > 2 {
			t.Errorf("%+v: %d of %d parameters as with %+v", other, same, n, one)
		}
	}
	if !slices.Equal(whole, take(one, [2]int{33, n}, [2]int{0, 33})) {
		t.Error("parts that begin within a group differ from the whole")
	}
}
