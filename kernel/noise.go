package kernel

import "math"

// Uniform is dst[i] = (w_i >> 8 + 1) * 2^-24 in (0, 1], w the words of the fill from group first.
func Uniform(dst []float32, key Key, first uint64) {
	wrote(dst)
	for lo, hi := range pieces(len(dst)) {
		active.uniform(dst[lo:hi], first+Groups(lo), key.Seed, key.Step, uint32(key.Stream))
	}
}

// Normal is dst[i] = i-th standard normal of the fill, from group first: within 4.5 ulp of what
// Box and Muller's method gives the same words without rounding, at most sqrt(48 ln 2) = 5.77.
func Normal(dst []float32, key Key, first uint64) {
	wrote(dst)
	for lo, hi := range pieces(len(dst)) {
		active.normal(dst[lo:hi], first+Groups(lo), key.Seed, key.Step, uint32(key.Stream))
	}
}

// NormalRows is Normal for each row of dst (len(ids) x d, d <= MaxRow), row i at group
// ids[i]*Groups(d).
func NormalRows(dst []float32, ids []uint64, d int, key Key) {
	check(len(dst) == len(ids)*d)
	checkRow(d)
	read(ids)
	wrote(dst)
	for t := range tiles(len(ids), d) {
		active.normalRows(t.of(dst), ids[t.lo:t.hi], d, key.Seed, key.Step, uint32(key.Stream))
	}
}

// NoiseRows is zl = fma(sigma[i], eps, alpha[i]*z) for each row i of width d <= MaxRow, with eps
// the normals of row ids[i], which are kept. zl may be z.
func NoiseRows(zl, eps, z, alpha, sigma []float32, ids []uint64, d int, key Key) {
	n := len(ids)
	check(len(zl) == n*d && len(eps) == n*d && len(z) == n*d && len(alpha) == n && len(sigma) == n)
	checkRow(d)
	read(z, alpha, sigma)
	read(ids)
	wrote(zl, eps)
	for t := range tiles(n, d) {
		active.noiseRows(
			t.of(zl), t.of(eps), t.of(z), t.rows(alpha), t.rows(sigma), ids[t.lo:t.hi], d, key.Seed,
			key.Step, uint32(key.Stream),
		)
	}
}

func checkRow(d int) {
	if d > MaxRow {
		panic(errRow)
	}
}

// Move is the data of one Langevin move of len(IDs) rows of width D <= MaxRow. The drift of row i
// is t = fma(Anchor, z, G + P) and its step size is s = H[i], made smaller where the root mean
// square of H[i]*t is above Clip (0: no limit): with r = Clip*sqrt(D) and v = t*H[i],
// s = H[i]*(r/|v|) if |v|^2 > r*r.
type Move struct {
	Z, U     []float32 // positions, and velocities (not of Overdamped); updated in place
	G, P     []float32 // the two parts of the drift: decoder and prior
	H        []float32 // step size of each row
	Anchor   float32
	Clip     float32
	Friction float32 // in (0, 1]; only Underdamped reads it
	IDs      []uint64
	D        int
	Key      Key
}

func (m *Move) check() {
	n := len(m.IDs) * m.D
	check(len(m.Z) == n && len(m.G) == n && len(m.P) == n && len(m.H) == len(m.IDs))
	checkRow(m.D)
	read(m.G, m.P, m.H)
	read(m.IDs)
	wrote(m.Z)
}

// root is the longest v that is not clipped.
func (m *Move) root() float32 { return float32(float64(m.Clip) * math.Sqrt(float64(m.D))) }

// Transition holds the coefficients of Exact's move, in which the displacement by the velocity and
// by the drift is linear; package particle derives them.
type Transition struct {
	Keep        float32 // share of the velocity that is kept
	Mean, Drift float32 // displacement by the velocity, before and after the move; by the drift
	Heat, Rest  float32 // noise of the velocity; of the position alone
	Stream      Stream  // of the noise of the position alone, other than the move's
}

// Overdamped is z = fma(sqrt(2*H[i]), xi, fma(-s, t, z)), xi fresh normals of row IDs[i]. It
// returns how many rows were clipped.
func Overdamped(m *Move) (clipped int) {
	m.check()
	for t := range tiles(len(m.IDs), m.D) {
		clipped += active.overdamped(
			t.of(m.Z), t.of(m.G), t.of(m.P), t.rows(m.H), m.IDs[t.lo:t.hi], m.D, m.Anchor, m.root(),
			2, m.Key.Seed, m.Key.Step, uint32(m.Key.Stream),
		)
	}
	return clipped
}

// Underdamped is u = fma(sqrt(2*Friction*H[i]), xi, fma(-s, t, (1-Friction)*u)); z += u. It
// returns how many rows were clipped.
func Underdamped(m *Move) (clipped int) {
	m.check()
	check(len(m.U) == len(m.Z))
	wrote(m.U)
	for t := range tiles(len(m.IDs), m.D) {
		clipped += active.underdamped(
			t.of(m.Z), t.of(m.U), t.of(m.G), t.of(m.P), t.rows(m.H), m.IDs[t.lo:t.hi], m.D,
			m.Anchor, m.root(), 2*m.Friction, 1-m.Friction, m.Key.Seed, m.Key.Step,
			uint32(m.Key.Stream),
		)
	}
	return clipped
}

// Exact is the exact transition of an underdamped diffusion whose drift is held. For each row
//
//	t = P + (G + Anchor*z); y = t*s
//	w = fma(Rest, xi2, fma(Mean, u, Drift*y))
//	u = fma(Heat, xi1, fma(Keep, u, -y))
//	z += fma(Mean, u, w)*sqrt(H[i])
//
// with xi1 and xi2 the normals of row IDs[i] in the streams of the move and of the transition. Here
// s = sqrt(H[i]), made smaller where the root mean square of H[i]*t is above Clip (0: no limit):
// with r = Clip*sqrt(D), s = sqrt(H[i])*(r/(H[i]*|t|)) if H[i]*|t| > r, both in float64, of |t|^2
// in float32. It returns how many rows were clipped.
func Exact(m *Move, c Transition) (clipped int) {
	m.check()
	check(len(m.U) == len(m.Z))
	wrote(m.U)
	longest := float64(m.Clip) * math.Sqrt(float64(m.D))
	for t := range tiles(len(m.IDs), m.D) {
		clipped += active.exact(
			t.of(m.Z), t.of(m.U), t.of(m.G), t.of(m.P), t.rows(m.H), m.IDs[t.lo:t.hi], m.D,
			m.Anchor, longest, c.Keep, c.Mean, c.Drift, c.Heat, c.Rest, m.Key.Seed, m.Key.Step,
			uint32(m.Key.Stream), uint32(c.Stream),
		)
	}
	return clipped
}
