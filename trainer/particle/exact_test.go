package particle

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// exactLaw is the law of one transition, computed by quadrature of the response to an impulse,
//
//	u(r) = e^{-gamma r},   z(r) = (1 - e^{-gamma r})/gamma.
//
// A constant drift is an impulse at every time; the noise is one of variance 2 gamma per unit of
// time. Closed forms would cancel if gamma tau is small.
type exactLaw struct {
	keep, reach   float64       // derivatives of u' and z' - z with respect to u
	slow, fall    float64       // derivatives of u' and z' with respect to -g
	suu, szu, szz float64       // covariance of the noise
	a             [2][2]float64 // linear map of (z, u) for the potential p z^2/2
}

func newExactLaw(friction, h, p float64) (l exactLaw) {
	gamma := friction / math.Sqrt(h)
	tau := -math.Log1p(-friction) / gamma
	u := func(r float64) float64 { return math.Exp(-gamma * r) }
	z := func(r float64) float64 { return -math.Expm1(-gamma*r) / gamma }
	integral := func(f func(r float64) float64) float64 { // Simpson
		const n = 2000
		sum := f(0) + f(tau)
		for i := 1; i < n; i++ {
			sum += float64(2+2*(i%2)) * f(tau*float64(i)/n)
		}
		return sum * tau / (3 * n)
	}
	l.keep, l.reach = u(tau), z(tau)
	l.slow, l.fall = integral(u), integral(z)
	l.suu = 2 * gamma * integral(func(r float64) float64 { return u(r) * u(r) })
	l.szu = 2 * gamma * integral(func(r float64) float64 { return z(r) * u(r) })
	l.szz = 2 * gamma * integral(func(r float64) float64 { return z(r) * z(r) })
	l.a = [2][2]float64{{1 - p*l.fall, l.reach}, {-p * l.slow, l.keep}}
	return l
}

// The quadrature agrees with the closed form of section 7 of ALGORITHM.md where that does not
// cancel, and the step has plume's scale: the velocity loses the fraction f, and a gradient changes
// the displacement by h.
func TestExactLaw(t *testing.T) {
	const f, h = 0.6, 0.04
	l, gamma, s := newExactLaw(f, h, 1), f/math.Sqrt(h), 1-f
	tau := -math.Log(s) / gamma
	for what, pair := range map[string][2]float64{
		"keep": {l.keep, s}, "reach": {l.reach, (1 - s) / gamma}, "slow": {l.slow, (1 - s) / gamma},
		"fall": {l.fall, (tau - (1-s)/gamma) / gamma}, "Suu": {l.suu, 1 - s*s},
		"Szu": {l.szu, (1 - 2*s + s*s) / gamma},
		"Szz": {l.szz, (2*tau - s*s/gamma + 4*s/gamma - 3/gamma) / gamma},
		"h":   {l.slow * l.reach, h},
	} {
		if beyond(pair[0]/pair[1]-1, 1e-9) {
			t.Errorf("%s: quadrature %v, closed form %v", what, pair[0], pair[1])
		}
	}
}

// The coefficients have the precision of float32 for any friction, even a small one.
func TestTransition(t *testing.T) {
	for _, f := range []float64{1e-6, 1e-4, 1e-3, 0.03, 0.3, 0.4999, 0.5001, 0.9, 0.99} {
		l, c := newExactLaw(f, 1, 1), newTransition(f)
		heat, mean, rest := float64(c.Heat), float64(c.Mean), float64(c.Rest)
		for what, pair := range map[string][2]float64{
			"keep": {float64(c.Keep), l.keep}, "Suu": {heat * heat, l.suu},
			"Szu":   {heat * heat * mean, l.szu},
			"Szz":   {heat*heat*mean*mean + rest*rest, l.szz},
			"rest":  {rest * rest, l.szz - l.szu*l.szu/l.suu},
			"fall":  {mean - float64(c.Drift), l.fall},
			"reach": {mean + mean*float64(c.Keep), l.reach},
		} {
			if beyond(pair[0]/pair[1]-1, 3e-7) {
				t.Errorf("friction %v: %s %v, want %v", f, what, pair[0], pair[1])
			}
		}
	}
}

func exactChains(m, d int, h, friction float64) *Batch {
	b := chains(m, d, true, h)
	b.UseExact(friction)
	return b
}

// From a given position, velocity and drift, one move has the mean and covariance of the law, with
// a step size for each row. With 32,000 numbers, the relative standard error of a variance is 0.8
// %, that of a correlation 0.6 %; float32 adds 1e-6.
func TestExactOneStep(t *testing.T) {
	const m, d, z0, u0, g = 2000, 32, 0.25, 0.8, 3
	for _, c := range []struct{ f, h float64 }{{1e-3, 0.01}, {0.05, 1e-3}, {0.3, 0.02},
		{0.9, 0.1}} {
		b := exactChains(m, d, c.h, c.f)
		for i := range b.Z {
			b.Z[i], b.U[i], b.G[i], b.P[i] = z0, u0, g-1, 1
		}
		for i := range m / 2 {
			b.H[i] = float32(4 * c.h)
		}
		b.Move(0, m, Langevin{Key: moveKey(3)})
		for half, h := range []float64{4 * c.h, c.h} {
			lo, hi := half*m/2*d, (half+1)*m/2*d
			checkExact(t, fmt.Sprintf("friction %v, h %v", c.f, h), newExactLaw(c.f, h, 1),
				b.Cloud.Z[lo:hi], b.Cloud.U[lo:hi], z0, u0, g)
		}
	}
}

func checkExact(t *testing.T, name string, l exactLaw, z, u []float32, z0, u0, g float64) {
	t.Helper()
	n := float64(len(z))
	var sz, su, szz, szu, suu float64
	for i := range z {
		dz, du := float64(z[i])-(z0+l.reach*u0-l.fall*g), float64(u[i])-(l.keep*u0-l.slow*g)
		sz, su, szz, szu, suu = sz+dz/n, su+du/n, szz+dz*dz/n, szu+dz*du/n, suu+du*du/n
	}
	within := func(what string, got, want, se float64) {
		t.Helper()
		if beyond(got-want, 5*se+1e-6*math.Abs(want)) {
			t.Errorf("%s: %s %v, want %v, standard error %v", name, what, got, want, se)
		}
	}
	within("mean of z", sz, 0, math.Sqrt(l.szz/n))
	within("mean of u", su, 0, math.Sqrt(l.suu/n))
	within("variance of z", szz, l.szz, l.szz*math.Sqrt(2/n))
	within("variance of u", suu, l.suu, l.suu*math.Sqrt(2/n))
	within("covariance", szu, l.szu, math.Sqrt((l.szz*l.suu+l.szu*l.szu)/n))
}

// stationary returns the stationary covariance for the potential p z^2/2. It solves S = A S A^T + Q
// by doubling: S <- A S A^T + S, A <- A A.
func (l exactLaw) stationary() [2][2]float64 {
	a, s := l.a, [2][2]float64{{l.szz, l.szu}, {l.szu, l.suu}}
	for range 60 {
		var square [2][2]float64
		next := s
		for i := range 2 {
			for j := range 2 {
				for k := range 2 {
					square[i][j] += a[i][k] * a[k][j]
					for n := range 2 {
						next[i][j] += a[i][k] * s[k][n] * a[j][n]
					}
				}
			}
		}
		a, s = square, next
	}
	return s
}

// For the potential p z^2/2 the stationary covariance solves a Lyapunov equation, within 5 standard
// errors of 64,000 chains. As h -> 0 it tends to that of the diffusion, with variances 1/p and 1.
func TestStationaryExact(t *testing.T) {
	const m, d = 2000, 32
	for _, c := range []struct{ p, h, f float64 }{{2, 0.1, 0.3}, {1, 0.3, 0.5}, {0.5, 0.5, 0.8}} {
		want := newExactLaw(c.f, c.h, c.p).stationary()
		b := exactChains(m, d, c.h, c.f)
		for step := range uint32(80) {
			for i, z := range b.Z {
				b.G[i], b.P[i] = float32(c.p*0.75)*z, float32(c.p*0.25)*z
			}
			b.Move(0, m, Langevin{Key: moveKey(step)})
		}
		var zz, zu, uu float64
		for i, z := range b.Cloud.Z {
			u := float64(b.Cloud.U[i])
			zz, zu, uu = zz+float64(z)*float64(z)/(m*d), zu+float64(z)*u/(m*d), uu+u*u/(m*d)
		}
		se := math.Sqrt(2.0 / (m * d))
		if beyond(zz/want[0][0]-1, 5*se) || beyond(uu/want[1][1]-1, 5*se) ||
			beyond(zu-want[0][1], 5*math.Sqrt(want[0][0]*want[1][1]/(m*d))) {
			t.Errorf("p %v, h %v, friction %v: covariance %v %v %v, want %v", c.p, c.h, c.f, zz,
				zu, uu, want)
		}

		limit := newExactLaw(1e-3, 1e-6*c.h, c.p).stationary()
		if beyond(limit[0][0]*c.p-1, 1e-3) || beyond(limit[1][1]-1, 1e-3) {
			t.Errorf("p %v: covariance %v at a small step, want variances %v and 1", c.p,
				limit, 1/c.p)
		}
	}
}

// As in TestMovePieces; and the noise depends on the particle, not on its row in the batch.
func TestExactPieces(t *testing.T) {
	const n, d = 2, 7
	var clouds [2]*Cloud
	for k, cuts := range [][][2]int{{{0, 6}}, {{4, 6}, {0, 1}, {1, 4}}} {
		c := NewCloud(nil, 0, 5, n, d, true, 3)
		kernel.Normal(c.U, kernel.Key{Seed: 3, Stream: 1 << 16}, 0)
		b := c.NewBatch(nil, 6)
		b.UseExact(0.2)
		b.Select([][]int{{4, 0, 3}, {3, 4, 0}}[k])
		b.SetSteps(0.01, 0, 0)
		b.Gather(0, 6)
		for i, id := range b.IDs {
			kernel.Normal(b.Rows(b.G, i, i+1), kernel.Key{Seed: 1, Stream: 1 << 16}, id)
			kernel.Normal(b.Rows(b.P, i, i+1), kernel.Key{Seed: 2, Stream: 1 << 16}, id)
		}
		for _, cut := range cuts {
			b.Move(cut[0], cut[1], Langevin{Clip: 0.01, Anchor: 0.5, Key: moveKey(1)})
		}
		clouds[k] = c
	}
	if !slices.Equal(clouds[0].Z, clouds[1].Z) || !slices.Equal(clouds[0].U, clouds[1].U) {
		t.Error("pieces differ from the whole")
	}
	for row := range 10 {
		moved := !slices.Equal(NewCloud(nil, 0, 5, n, d, true, 3).Z[row*d:(row+1)*d],
			clouds[0].Z[row*d:(row+1)*d])
		if moved != (row/n != 1 && row/n != 2) {
			t.Errorf("row %d of the cloud: moved %v", row, moved)
		}
	}
}

// The difference from a move without drift is fall*g for z and slow*g for u, where the root mean
// square of h*g is clipped. The anchor has the effect of the drift a*z.
func TestExactClip(t *testing.T) {
	const m, d, clip, h, f = 40, 16, 0.31, 0.5, 0.4
	free, b := exactChains(m, d, h, f), exactChains(m, d, h, f)
	for i := range b.G {
		// With the anchor, row i has the root mean square 0.1 i; times h, 0.05 i.
		b.G[i] = float32(i/d)*0.1*(1-2*float32(i%3%2)) - 0.75*b.Z[i]
	}
	free.Move(0, m, Langevin{Key: moveKey(0)})
	clipped, redrawn := b.Move(0, m, Langevin{Clip: clip, Anchor: 0.75, Key: moveKey(0)})
	if clipped != m-7 || redrawn != 0 {
		t.Errorf("%d rows clipped, %d redrawn", clipped, redrawn)
	}
	l := newExactLaw(f, h, 1)
	for i := range b.Z {
		g := 0.1 * float64(i/d) * (1 - 2*float64(i%3%2))
		if row := float64(i / d); 0.05*row > clip {
			g *= clip / (0.05 * row)
		}
		dz, du := float64(free.Z[i])-float64(b.Z[i]), float64(free.U[i])-float64(b.U[i])
		if beyond(dz-l.fall*g, 2e-6) || beyond(du-l.slow*g, 2e-6) {
			t.Errorf("element %d: moved by %v, %v, want %v, %v", i, dz, du, l.fall*g, l.slow*g)
		}
	}
}

// As TestGuard, for the exact transition.
func TestExactGuard(t *testing.T) {
	const m, d = 5, 33
	healthy, b := exactChains(m, d, 0.1, 0.3), exactChains(m, d, 0.1, 0.3)
	b.G[1*d+5] = float32(math.NaN())
	b.P[3*d] = float32(math.Inf(1))
	l := Langevin{Clip: 0.3, Key: moveKey(4)}
	healthy.Move(0, m, l)
	if _, redrawn := b.Move(0, m, l); redrawn != 2 {
		t.Errorf("%d rows redrawn, want 2", redrawn)
	}
	fresh := make([]float32, m*d)
	kernel.NormalRows(fresh, b.IDs, d, kernel.Key{Seed: 5, Step: 4, Stream: StreamGuard})
	for i := range m {
		want, speed := b.Rows(healthy.Cloud.Z, i, i+1), b.Rows(healthy.Cloud.U, i, i+1)
		if i == 1 || i == 3 {
			want, speed = b.Rows(fresh, i, i+1), make([]float32, d)
		}
		if !slices.Equal(b.Rows(b.Cloud.Z, i, i+1), want) ||
			!slices.Equal(b.Rows(b.Cloud.U, i, i+1), speed) {
			t.Errorf("row %d: %v, want %v", i, b.Rows(b.Cloud.Z, i, i+1), want)
		}
	}
}

// Restart sets rows to the normals of the key, with zero velocities, and leaves the cloud
// unchanged.
func TestRestart(t *testing.T) {
	const m, d = 4, 5
	b := exactChains(m, d, 0.1, 0.3)
	b.Move(0, m, Langevin{Key: moveKey(0)})
	before := slices.Clone(b.Cloud.Z)
	key := kernel.Key{Seed: 5, Step: 7, Stream: StreamCold}
	b.Restart(1, 3, key)
	fresh := make([]float32, m*d)
	kernel.NormalRows(fresh, b.IDs, d, key)
	for i := range m {
		want, rest := b.Rows(before, i, i+1), false
		if i == 1 || i == 2 {
			want, rest = b.Rows(fresh, i, i+1), true
		}
		if !slices.Equal(b.Rows(b.Z, i, i+1), want) ||
			slices.Equal(b.Rows(b.U, i, i+1), make([]float32, d)) != rest {
			t.Errorf("row %d: %v", i, b.Rows(b.Z, i, i+1))
		}
	}
	if !slices.Equal(b.Cloud.Z, before) {
		t.Error("the cloud changed")
	}
}

func TestExactAllocation(t *testing.T) {
	const m, d = 10, 32
	b := exactChains(m, d, 0.01, 0.3)
	move := func() { b.Move(0, m, Langevin{Clip: 0.3, Key: moveKey(0)}) }
	if a := testing.AllocsPerRun(10, move); a != 0 {
		t.Errorf("%v allocations", a)
	}
}
