package kernel

import (
	"math"
	"testing"
)

// newMove is a move of n rows of d numbers whose drift has standard deviation about 1.5.
func newMove(t *testing.T, n, d int) *Move {
	m := &Move{
		Z: guardedCopy(t, fill(n*d)), U: guardedCopy(t, fill(n*d)), G: fill(n * d), P: fill(n * d),
		H: make([]float32, n), IDs: make([]uint64, n), D: d,
		Anchor: 0.3, Friction: 0.25, Key: Key{Seed: 8, Step: 2, Stream: 3},
	}
	for i := range m.H {
		m.H[i] = 0.01 * float32(i+1)
		m.IDs[i] = uint64(7 * i)
	}
	return m
}

// moved is the documented move in float64, and a bound on the magnitudes that were summed.
func moved(m *Move, z0, u0 []float32, underdamped bool) (z, u, size []float64, clipped int) {
	for i, id := range m.IDs {
		h := f(m.H[i])
		g := make([]float64, m.D)
		var ms float64
		for j := range g {
			k := i*m.D + j
			g[j] = f(m.G[k]) + f(m.P[k]) + f(m.Anchor)*f(z0[k])
			ms += h * g[j] * h * g[j] / float64(m.D)
		}
		s := 1.0
		if clip := f(m.Clip); clip > 0 && math.Sqrt(ms) > clip {
			s = clip / math.Sqrt(ms)
			clipped++
		}
		for j := range g {
			k := i*m.D + j
			xi := streamNormal(m.Key, id*Groups(m.D), j)
			keep, noise := 0.0, math.Sqrt(2*h)*xi
			if underdamped {
				keep, noise = 1-f(m.Friction), math.Sqrt(2*f(m.Friction)*h)*xi
			}
			du := keep*f(u0[k]) - s*h*g[j] + noise
			u = append(u, du)
			z = append(z, f(z0[k])+du)
			size = append(size, math.Abs(f(z0[k]))+math.Abs(f(u0[k]))+
				h*(math.Abs(f(m.G[k]))+math.Abs(f(m.P[k]))+math.Abs(f(z0[k])))+math.Abs(noise))
		}
	}
	return z, u, size, clipped
}

// TestMoves compares both moves with float64, unclipped and with a bound near the middle of the
// rows' drifts. Roundings: 4 ulp of a normal are 8 halves; some 8 more follow.
func TestMoves(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		total := 0
		eachShape(func(n, d int) {
			for _, clip := range []float32{0, 0.04, 10} {
				m := newMove(t, n, d)
				m.Clip = clip
				z0, u0 := append([]float32(nil), m.Z...), append([]float32(nil), m.U...)

				z, u, size, want := moved(m, z0, u0, true)
				clipped := Underdamped(m)
				near(
					t, "Underdamped z", m.Z, 20,
					func(i int) (float64, float64) { return z[i], size[i] },
				)
				near(
					t, "Underdamped u", m.U, 20,
					func(i int) (float64, float64) { return u[i], size[i] },
				)
				if clipped != want {
					t.Fatalf("Underdamped, clip %v: %d rows clipped, want %d", clip, clipped, want)
				}

				copy(m.Z, z0)
				m.U = nil
				z, _, size, want = moved(m, z0, u0, false)
				clipped = Overdamped(m)
				near(
					t, "Overdamped", m.Z, 20,
					func(i int) (float64, float64) { return z[i], size[i] },
				)
				if clipped != want || (clip != 0.04 && clipped != 0) {
					t.Fatalf("Overdamped, clip %v: %d rows clipped, want %d", clip, clipped, want)
				}
				total += clipped
			}
		})
		if total == 0 {
			t.Error("no row was ever clipped")
		}
	})
}

// TestClipBound: a clipped row moves by exactly the bound, in root mean square, along its drift.
func TestClipBound(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, d := range widths() {
			m := newMove(t, 1, d)
			noise := guarded(t, d)
			NormalRows(noise, m.IDs, d, m.Key)
			for i := range m.G {
				m.G[i] *= 1e4
			}
			m.Clip, m.Anchor = 0.3, 0
			z0 := append([]float32(nil), m.Z...)
			if n := Overdamped(m); n != 1 {
				t.Fatalf("width %d: %d rows clipped", d, n)
			}
			var ss, dot, gg float64
			for i := range m.Z {
				step := f(m.Z[i]) - f(z0[i]) - math.Sqrt(2*f(m.H[0]))*f(noise[i])
				g := f(m.G[i]) + f(m.P[i])
				ss += step * step
				dot += step * g
				gg += g * g
			}
			// z and the noise, of order 1, are rounded: 3e-7 beside a bound of 0.3
			rms, cosine := math.Sqrt(ss/float64(d)), dot/math.Sqrt(ss*gg)
			if beyond(rms-0.3, 2e-6) || beyond(cosine+1, 1e-5) {
				t.Errorf("width %d: the step has root mean square %v and cosine %v with the "+
					"drift, want 0.3 and -1", d, rms, cosine)
			}
		}
	})
}

// TestMoveNaN: a row that blew up is not counted as clipped for NaN, and no other row feels it.
func TestMoveNaN(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		const n, d = 3, 19
		good, bad := newMove(t, n, d), newMove(t, n, d)
		for _, m := range []*Move{good, bad} {
			m.Clip = 10
		}
		bad.Z, bad.U = guardedCopy(t, good.Z), guardedCopy(t, good.U)
		bad.G, bad.P = append([]float32(nil), good.G...), good.P
		bad.G[d+4] = float32(math.NaN())
		for _, move := range []func(*Move) int{Overdamped, Underdamped, exactMove} {
			if c := move(good) + move(bad); c != 0 {
				t.Errorf("%d rows clipped", c)
			}
			if v := bad.Z[d+4]; v == v {
				t.Errorf("NaN drift, but z = %v", v)
			}
			same(t, "row before", bad.Z[:d], good.Z[:d])
			same(t, "row after", bad.Z[2*d:], good.Z[2*d:])
		}
	})
}

// TestMoveIsNoise: with positions, velocities and drift of zero and a variance of one, both moves
// give the normals of their rows, bit for bit; without a step size they change nothing.
func TestMoveIsNoise(t *testing.T) {
	ids := []uint64{0, 7, 1<<29 - 1, 1<<32 + 5, 1<<60 + 3}
	zero := func(n int) []float32 { return make([]float32, n) }
	eachPath(t, func(t *testing.T) {
		for d := 0; d <= 100; d++ {
			n := len(ids) * d
			m := Move{
				G: zero(n), P: zero(n), H: constant(len(ids), 0.5), Anchor: 0.5, Clip: 1,
				Friction: 1, IDs: ids, D: d, Key: Key{Seed: 1<<40 + 11, Step: 3, Stream: 3},
			}
			want := zero(n)
			for i, id := range ids {
				normalGeneric(
					want[i*d:(i+1)*d], id*Groups(d), m.Key.Seed, m.Key.Step, uint32(m.Key.Stream),
				)
			}
			m.Z = guardedCopy(t, zero(n))
			clipped := Overdamped(&m)
			same(t, "Overdamped from zero", m.Z, want)
			m.Z, m.U = guardedCopy(t, zero(n)), guardedCopy(t, zero(n))
			clipped += Underdamped(&m)
			same(t, "Underdamped from zero", m.Z, want)
			same(t, "Underdamped from zero, velocity", m.U, want)
			if clipped != 0 {
				t.Fatalf("%d rows without drift were clipped", clipped)
			}

			z := fill(n)
			m.H, m.G, m.Friction = zero(len(ids)), fill(n), 0x1p-6
			m.Z = guardedCopy(t, z)
			Overdamped(&m)
			same(t, "Overdamped without a step", m.Z, z)
			m.Z, m.U = guardedCopy(t, z), guardedCopy(t, zero(n))
			Underdamped(&m)
			same(t, "Underdamped without a step", m.Z, z)
		}
	})
}
