package diffusion

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// beyond reports that |diff| is not within tol; NaN never is.
func beyond(diff, tol float64) bool { return !(math.Abs(diff) <= tol) }

// testD is the latent dimension of the tests.
const testD = 3

var testProcess = Process{Min: -10, Max: 10}

// gaussian is N(m, S) with S = Q diag(s) Q, Q the reflection I - 2 v v^T/|v|^2 that swaps the
// axes for the principal ones (and is its own inverse). It is a layer that computes the residual of
// its score, exactly: with C = alpha^2 S + sigma^2 I, eps_theta = sigma C^-1 (z_lambda - alpha m) =
// sigma z_lambda + r.
type gaussian struct {
	m, s, v  [testD]float64
	zero     bool      // r = 0 without rounding instead
	dout     []float32 // the gradients by r that it was given, by row
	backward int       // calls of Backward
}

// newGaussian has memory for n rows.
func newGaussian(m, s [testD]float64, n int) *gaussian {
	return &gaussian{m: m, s: s, v: [testD]float64{1, -2, 0.5}, dout: make([]float32, n*testD)}
}

// tape is that of a network of this layer alone, for n rows.
func (g *gaussian) tape(n int) *model.Tape {
	net := model.Must(model.Build(nil, func(b *model.Builder) model.Node {
		z := b.Input("z", layer.Vector(testD))
		return b.Add("gaussian", g, z, b.Given(model.Lambda, layer.Vector(1)))
	}))
	return net.NewTape(nil, nil, model.Size{Rows: n}, model.Train)
}

var readsX = layer.Memory{ReadsX: true}

func (g *gaussian) Out(in ...layer.Shape) (layer.Shape, error)   { return in[0], nil }
func (g *gaussian) Params(...layer.Shape) []layer.Param          { return nil }
func (g *gaussian) Memory(...layer.Shape) layer.Memory           { return readsX }
func (g *gaussian) Bind(layer.Values, ...layer.Shape) layer.Pair { return g }

// correlated is a Gaussian away from the prior in every way; standard is N(0, I), where r = 0.
func correlated(n int) *gaussian {
	return newGaussian([testD]float64{0.5, -1, 0.25}, [testD]float64{0.25, 1.5, 3}, n)
}

func standard(n int) *gaussian {
	return newGaussian([testD]float64{}, [testD]float64{1, 1, 1}, n)
}

// zeroScore is standard without rounding.
func zeroScore(n int) *gaussian {
	g := standard(n)
	g.zero = true
	return g
}

// principal is Q x: x in the principal axes, or back.
func (g *gaussian) principal(x [testD]float64) [testD]float64 {
	var vx, vv float64
	for i, v := range g.v {
		vx += v * x[i]
		vv += v * v
	}
	for i, v := range g.v {
		x[i] -= 2 * v * vx / vv
	}
	return x
}

// apply is Q diag(f(s)) Q x.
func (g *gaussian) apply(x [testD]float64, f func(s float64) float64) [testD]float64 {
	p := g.principal(x)
	for i := range p {
		p[i] *= f(g.s[i])
	}
	return g.principal(p)
}

func row64(x []float32, i int) (r [testD]float64) {
	for j := range r {
		r[j] = float64(x[i*testD+j])
	}
	return r
}

// eps is eps_theta of one row.
func (g *gaussian) eps(z [testD]float64, lambda float64) [testD]float64 {
	a, s := Alpha(lambda), Sigma(lambda)
	for j := range z {
		z[j] -= a * g.m[j]
	}
	return g.apply(z, func(v float64) float64 { return s / (a*a*v + s*s) })
}

// epsFunc is eps_theta for a Walk.
func (g *gaussian) epsFunc(eps, z []float32, lambda float64) {
	for i := range len(z) / testD {
		for j, e := range g.eps(row64(z, i), lambda) {
			eps[i*testD+j] = float32(e)
		}
	}
}

func (g *gaussian) Forward(t *layer.Tile) {
	if g.zero {
		clear(t.Y)
		return
	}
	for i := range t.N {
		z, lambda := row64(t.X[0], i), float64(t.X[1][i])
		for j, e := range g.eps(z, lambda) {
			t.Y[i*testD+j] = float32(e - Sigma(lambda)*z[j])
		}
	}
}

func (g *gaussian) Backward(t *layer.Tile) {
	g.backward++
	copy(g.dout[t.First*testD:], t.DY)
	if t.DX[0] == nil {
		return
	}
	if g.zero {
		clear(t.DX[0])
		return
	}
	for i := range t.N {
		a, s := Alpha(float64(t.X[1][i])), Sigma(float64(t.X[1][i]))
		d := g.apply(row64(t.DY, i), func(v float64) float64 { return s/(a*a*v+s*s) - s })
		for j := range d {
			t.DX[0][i*testD+j] = float32(d[j])
		}
	}
}

// negLog is -log N(z; m, S).
func (g *gaussian) negLog(z [testD]float64) float64 {
	for j := range z {
		z[j] -= g.m[j]
	}
	l := testD / 2.0 * math.Log(2*math.Pi)
	for j, u := range g.principal(z) {
		l += u*u/g.s[j]/2 + math.Log(g.s[j])/2
	}
	return l
}

// meanDrift is the gradient of l_theta with the cut-offs, the closed form of ALGORITHM.md
// section 8.2 in each principal axis.
func (g *gaussian) meanDrift(z [testD]float64, p Process) [testD]float64 {
	u := z
	for j := range u {
		u[j] -= g.m[j]
	}
	lo, hi := math.Pow(Alpha(p.Min), 2), math.Pow(Alpha(p.Max), 2)
	drift := g.apply(u, func(s float64) float64 {
		return (hi - lo) / ((1 + lo*(s-1)) * (1 + hi*(s-1)))
	})
	for j := range drift {
		drift[j] += lo * z[j]
	}
	return drift
}

// residual is span/2 |e|^2 for one draw, and the part of it whose mean over eps is zero: in the
// principal axes e = (alpha sigma u - alpha^2 s eps)/(alpha^2 s + sigma^2), with u = z - m.
func (g *gaussian) residual(
	z, eps [testD]float64, lambda float64, p Process,
) (value, noise float64) {
	for j := range z {
		z[j] -= g.m[j]
	}
	u, n := g.principal(z), g.principal(eps)
	a, s := Alpha(lambda), Sigma(lambda)
	for j, v := range g.s {
		c := a*a*v + s*s
		signal, factor := a*s*u[j]/c, a*a*v/c
		value += math.Pow(signal-factor*n[j], 2)
		noise += factor*factor*(n[j]*n[j]-1) - 2*signal*factor*n[j]
	}
	return p.Span() / 2 * value, p.Span() / 2 * noise
}

// oracleLevels is the documented stratification, in float64.
func oracleLevels(p Process, n int, key kernel.Key) []float64 {
	perm, u := make([]int, n), make([]float32, 1)
	kernel.Perm(perm, key)
	kernel.Uniform(u, key, 1<<32)
	levels := make([]float64, n)
	for i := range levels {
		levels[i] = p.Min + p.Span()*(float64(perm[i])+float64(u[0]))/float64(n)
	}
	return levels
}

// oracleLoss is the bound of each row of z, by its formula.
func oracleLoss(g *gaussian, z []float32, draws int) []float64 {
	n := len(z) / testD
	levels, eps := oracleLevels(testProcess, n*draws, lambdaKey), noiseOf(n, draws)
	a2min, a2max := math.Pow(Alpha(-10), 2), math.Pow(Alpha(10), 2)
	s2min, s2max := 1-a2min, 1-a2max
	losses := make([]float64, n)
	for i := range n {
		loss := testD / 2.0 * (s2min - 1 - math.Log(s2min) + math.Log(2*math.Pi*s2max/a2max) + 1)
		for _, v := range row64(z, i) {
			loss += a2min * v * v / 2
		}
		for k := i * draws; k < (i+1)*draws; k++ {
			value, _ := g.residual(row64(z, i), row64(eps, k), levels[k], testProcess)
			loss += value / float64(draws)
		}
		losses[i] = loss
	}
	return losses
}

// noiseOf is the eps of all draws of n rows: draw j of the row with address id has address
// id*draws + j.
func noiseOf(n, draws int) []float32 {
	var ids []uint64
	for _, id := range addresses(n) {
		for j := range uint64(draws) {
			ids = append(ids, id*uint64(draws)+j)
		}
	}
	eps := make([]float32, len(ids)*testD)
	kernel.NormalRows(eps, ids, testD, noiseKey)
	return eps
}

// addresses is 0..n-1, spread out.
func addresses(n int) []uint64 {
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = 3*uint64(i) + 1
	}
	return ids
}

// mean and standard error of the mean, for independent x.
func meanError(x []float64) (mean, se float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		se += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(se) / float64(len(x))
}
