package exactnet

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/model"
)

// Gaussian is N(m, S) with S = L L^T, L = I + A (ALGORITHM.md, section 8.2). The parameters are m
// and A (d x d); at zero the law is N(0, I). With C = alpha^2 S + sigma^2 I,
//
//	eps = sigma C^-1 (z - alpha m).
type Gaussian struct {
	d      int
	params model.Layout
	mean   int
	factor int
}

// NewGaussian is a law in d dimensions.
func NewGaussian(d int) *Gaussian {
	l := &Gaussian{d: d}
	l.mean = l.params.Add("mean", 0, d)
	l.factor = l.params.Add("factor", 0, d, d)
	return l
}

// Dim implements Law.
func (l *Gaussian) Dim() int { return l.d }

// Layout implements Law.
func (l *Gaussian) Layout() *model.Layout { return &l.params }

// Values returns the parameters of N(m, S); S must be positive definite.
func (l *Gaussian) Values(m []float64, s *mat.SymDense) []float32 {
	p := make([]float64, l.params.Size())
	copy(p[l.mean:], m)
	root := squareRoot(s)
	for i := range l.d {
		for j := range l.d {
			p[l.factor+i*l.d+j] = root.At(i, j)
		}
		p[l.factor+i*l.d+i]--
	}
	return Narrow(p)
}

// Moments returns m and S at parameters p.
func (l *Gaussian) Moments(p []float32) (m []float64, s *mat.SymDense) {
	m = make([]float64, l.d)
	Widen(m, p[l.mean:l.mean+l.d])
	f := l.root(p)
	s = mat.NewSymDense(l.d, nil)
	s.SymOuterK(1, f)
	return m, s
}

// root returns L at parameters p.
func (l *Gaussian) root(p []float32) *mat.Dense {
	f := mat.NewDense(l.d, l.d, nil)
	Widen(f.RawMatrix().Data, p[l.factor:l.factor+l.d*l.d])
	for i := range l.d {
		f.Set(i, i, f.At(i, i)+1)
	}
	return f
}

func (l *Gaussian) bind(p []float32) noised {
	m, s := l.Moments(p)
	var e mat.EigenSym
	if !e.Factorize(s, true) {
		panic(errEigen)
	}
	g := &gaussianNoised{
		d: l.d, mean: l.mean, factor: l.factor,
		m: m, s: e.Values(nil), root: l.root(p).RawMatrix().Data,
	}
	var q mat.Dense
	e.VectorsTo(&q)
	g.axes = q.RawMatrix().Data
	return g
}

// gaussianNoised is N(m, S) with S = Q diag(s) Q^T: in the principal axes, C is diagonal.
type gaussianNoised struct {
	d, mean, factor int
	m, s            []float64
	axes, root      []float64 // Q and L, row-major
}

// solve writes C^-1 x.
func (g *gaussianNoised) solve(dst, x []float64, alpha, sigma float64) {
	clear(dst)
	for k, s := range g.s {
		var u float64
		for i, v := range x {
			u += g.axes[i*g.d+k] * v
		}
		u /= alpha*alpha*s + sigma*sigma
		for i := range dst {
			dst[i] += g.axes[i*g.d+k] * u
		}
	}
}

// centred returns z - alpha m.
func (g *gaussianNoised) centred(z []float64, alpha float64) []float64 {
	x := make([]float64, g.d)
	for j, v := range z {
		x[j] = v - alpha*g.m[j]
	}
	return x
}

func (g *gaussianNoised) eps(dst, z []float64, alpha, sigma float64) {
	g.solve(dst, g.centred(z, alpha), alpha, sigma)
	for j := range dst {
		dst[j] *= sigma
	}
}

// backward: with u = C^-1 (z - alpha m) and w = C^-1 dy, the gradients are
//
//	by z: sigma w;   by m: -alpha sigma w;   by L: -sigma alpha^2 (w u^T + u w^T) L,
//
// the last from that by S, -sigma alpha^2 w u^T.
func (g *gaussianNoised) backward(dz, grad, z, dy []float64, alpha, sigma float64) {
	u, w := make([]float64, g.d), dz
	g.solve(u, g.centred(z, alpha), alpha, sigma)
	g.solve(w, dy, alpha, sigma)
	for k := range g.d {
		var lu, lw float64 // L^T u, L^T w
		for i := range g.d {
			lu += g.root[i*g.d+k] * u[i]
			lw += g.root[i*g.d+k] * w[i]
		}
		for i := range g.d {
			grad[g.factor+i*g.d+k] = -sigma * alpha * alpha * (w[i]*lu + u[i]*lw)
		}
	}
	for j := range dz {
		dz[j] *= sigma
		grad[g.mean+j] = -alpha * dz[j]
	}
}

// Axes is N(m, diag(exp(v))). Its coordinates are independent, so that one model serves as many
// replicates. The parameters are m and v.
type Axes struct {
	d      int
	params model.Layout
}

// NewAxes is a law in d dimensions.
func NewAxes(d int) *Axes {
	l := &Axes{d: d}
	l.params.Add("mean", 0, d)
	l.params.Add("log_variance", 0, d)
	return l
}

// Dim implements Law.
func (l *Axes) Dim() int { return l.d }

// Layout implements Law.
func (l *Axes) Layout() *model.Layout { return &l.params }

// Values returns the parameters of N(m, diag(s)).
func (l *Axes) Values(m, s []float64) []float32 {
	p := append([]float64(nil), m...)
	for _, v := range s {
		p = append(p, math.Log(v))
	}
	return Narrow(p)
}

func (l *Axes) bind(p []float32) noised {
	n := &axesNoised{m: make([]float64, l.d), s: make([]float64, l.d)}
	Widen(n.m, p[:l.d])
	for j := range n.s {
		n.s[j] = math.Exp(float64(p[l.d+j]))
	}
	return n
}

type axesNoised struct{ m, s []float64 }

func (n *axesNoised) eps(dst, z []float64, alpha, sigma float64) {
	for j, s := range n.s {
		dst[j] = sigma * (z[j] - alpha*n.m[j]) / (alpha*alpha*s + sigma*sigma)
	}
}

func (n *axesNoised) backward(dz, grad, z, g []float64, alpha, sigma float64) {
	for j, s := range n.s {
		c := alpha*alpha*s + sigma*sigma
		dz[j] = sigma * g[j] / c
		if len(grad) > 0 {
			grad[j] = -alpha * dz[j]
			grad[len(n.s)+j] = -dz[j] * alpha * alpha * s * (z[j] - alpha*n.m[j]) / c
		}
	}
}

// squareRoot returns S^(1/2) for a symmetric positive definite S.
func squareRoot(s mat.Symmetric) *mat.SymDense {
	var e mat.EigenSym
	if !e.Factorize(s, true) {
		panic(errEigen)
	}
	var q mat.Dense
	e.VectorsTo(&q)
	r := mat.NewSymDense(s.SymmetricDim(), nil)
	for k, v := range e.Values(nil) {
		r.SymRankOne(r, math.Sqrt(v), q.ColView(k))
	}
	return r
}

const errEigen = "exactnet: a covariance without eigenvalues"
