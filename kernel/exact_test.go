package kernel

import (
	"math"
	"testing"
)

// testTransition has coefficients of the size that package particle gives them.
var testTransition = Transition{
	Keep: 0.7, Mean: 0.59, Drift: 0.07, Heat: 0.71, Rest: 0.15, Stream: testStream + 1,
}

func exactMove(m *Move) int { return Exact(m, testTransition) }

// exactMoved is the documented transition in float64, and bounds on the magnitudes that are summed.
func exactMoved(m *Move, z0, u0 []float32) (z, u, sizeZ, sizeU []float64, clipped int) {
	c, longest := testTransition, f(m.Clip)*math.Sqrt(float64(m.D))
	other := Key{m.Key.Seed, m.Key.Step, c.Stream}
	for i, id := range m.IDs {
		h := f(m.H[i])
		t, size := make([]float64, m.D), make([]float64, m.D)
		var norm float64
		for j := range t {
			k := i*m.D + j
			t[j] = f(m.P[k]) + f(m.G[k]) + f(m.Anchor)*f(z0[k])
			size[j] = math.Abs(f(m.P[k])) + math.Abs(f(m.G[k])) + math.Abs(f(m.Anchor)*f(z0[k]))
			norm += t[j] * t[j]
		}
		s := math.Sqrt(h)
		if length := h * math.Sqrt(norm); longest > 0 && length > longest {
			s *= longest / length
			clipped++
		}
		for j := range t {
			k := i*m.D + j
			first := id * Groups(m.D)
			xi1, xi2 := streamNormal(m.Key, first, j), streamNormal(other, first, j)
			old := f(u0[k])
			now := f(c.Keep)*old - s*t[j] + f(c.Heat)*xi1
			shift := f(c.Rest)*xi2 + f(c.Mean)*(old+now) + f(c.Drift)*s*t[j]
			u, z = append(u, now), append(z, f(z0[k])+math.Sqrt(h)*shift)
			scale := math.Abs(old) + s*size[j] + math.Abs(xi1)
			sizeU = append(sizeU, scale)
			sizeZ = append(sizeZ, math.Abs(f(z0[k]))+math.Sqrt(h)*(2*scale+math.Abs(xi2)))
		}
	}
	return z, u, sizeZ, sizeU, clipped
}

// TestExactMove compares the exact transition with float64, unclipped and with a bound near the
// middle of the rows' drifts. Roundings: as in TestMoves, and some 8 of w.
func TestExactMove(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		total := 0
		eachShape(func(n, d int) {
			for _, clip := range []float32{0, 0.04, 10} {
				m := newMove(t, n, d)
				m.Clip = clip
				z0, u0 := append([]float32(nil), m.Z...), append([]float32(nil), m.U...)
				z, u, sizeZ, sizeU, want := exactMoved(m, z0, u0)
				clipped := exactMove(m)
				near(
					t, "Exact z", m.Z, 28, func(i int) (float64, float64) { return z[i], sizeZ[i] },
				)
				near(
					t, "Exact u", m.U, 20, func(i int) (float64, float64) { return u[i], sizeU[i] },
				)
				if clipped != want || (clip != 0.04 && clipped != 0) {
					t.Fatalf("Exact, clip %v: %d rows clipped, want %d", clip, clipped, want)
				}
				total += clipped
			}
		})
		if total == 0 {
			t.Error("no row was ever clipped")
		}
	})
}

// TestExactIsNoise: with positions, velocities and drift of zero, and no displacement by the
// velocity, the velocities are the normals of their rows, and the positions those of the other
// stream.
func TestExactIsNoise(t *testing.T) {
	ids := []uint64{0, 7, 1<<29 - 1, 1<<32 + 5, 1<<60 + 3}
	c := Transition{Heat: 1, Rest: 1, Stream: testStream + 1}
	key := Key{Seed: 1<<40 + 11, Step: 3, Stream: testStream}
	eachPath(t, func(t *testing.T) {
		for d := 0; d <= 100; d++ {
			n := len(ids) * d
			zero := make([]float32, n)
			m := Move{
				Z: guardedCopy(t, zero), U: guardedCopy(t, zero), G: zero, P: zero,
				H: constant(len(ids), 1), Anchor: 0.5, Clip: 1, IDs: ids, D: d, Key: key,
			}
			if clipped := Exact(&m, c); clipped != 0 {
				t.Fatalf("%d rows without drift were clipped", clipped)
			}
			want := make([]float32, n)
			NormalRows(want, ids, d, key)
			same(t, "velocities", m.U, want)
			NormalRows(want, ids, d, Key{key.Seed, key.Step, c.Stream})
			same(t, "positions", m.Z, want)
		}
	})
}

func BenchmarkExact(b *testing.B) {
	eachBench(b, 24, func(n int) func() { m := benchMove(n); return func() { exactMove(m) } })
}
