package verify

import (
	"math"

	"github.com/plume-ml/plume/trainer/model"
)

// mixtureLaw is the mixture of K Gaussians N(m_k, v_k I) with weights softmax(logit)
// (ALGORITHM.md section 8.3). The parameters are the logits, the log v_k and the m_k, K x d. Noised, component k is
// N(alpha m_k, c_k I), c_k = alpha^2 v_k + sigma^2, and with the responsibilities rho_k of the components for z
//
//	eps = sigma sum_k rho_k (z - alpha m_k)/c_k.
type mixtureLaw struct {
	k, d   int
	params model.Layout
}

func newMixtureLaw(k, d int) *mixtureLaw {
	l := &mixtureLaw{k: k, d: d}
	l.params.AddParam("logit", k)
	l.params.AddParam("log_variance", k)
	l.params.AddParam("mean", k, d)
	return l
}

func (l *mixtureLaw) dim() int              { return l.d }
func (l *mixtureLaw) layout() *model.Layout { return &l.params }

// values are the parameters of a mixture.
func (l *mixtureLaw) values(m mixture) []float32 {
	var p []float64
	for _, w := range m.weight {
		p = append(p, math.Log(w))
	}
	for _, v := range m.variance {
		p = append(p, math.Log(v))
	}
	for _, c := range m.mean {
		p = append(p, c...)
	}
	return narrow(p)
}

// mixture is the mixture at parameters p.
func (l *mixtureLaw) mixture(p []float32) mixture {
	m := mixture{weight: make([]float64, l.k), variance: make([]float64, l.k)}
	var sum float64
	for k := range l.k {
		m.weight[k] = math.Exp(float64(p[k]))
		m.variance[k] = math.Exp(float64(p[l.k+k]))
		sum += m.weight[k]
		mean := make([]float64, l.d)
		widen(mean, p[2*l.k+k*l.d:][:l.d])
		m.mean = append(m.mean, mean)
	}
	for k := range m.weight {
		m.weight[k] /= sum
	}
	return m
}

func (l *mixtureLaw) bind(p []float32) noisedLaw { return l.mixture(p) }

// mixture is a mixture of isotropic Gaussians.
type mixture struct {
	weight, variance []float64
	mean             [][]float64
}

// noised is the variance of component k at a level, and its distance from z: z - alpha m_k, into x.
func (m mixture) noised(x, z []float64, k int, alpha, sigma float64) (c, square float64) {
	for j, v := range z {
		x[j] = v - alpha*m.mean[k][j]
		square += x[j] * x[j]
	}
	return alpha*alpha*m.variance[k] + sigma*sigma, square
}

// responsibilities of the components for z at a level, and the log of the noised density there.
func (m mixture) responsibilities(z []float64, alpha, sigma float64) (rho []float64, logDensity float64) {
	rho = make([]float64, len(m.weight))
	x, d := make([]float64, len(z)), float64(len(z))
	top := math.Inf(-1)
	for k, w := range m.weight {
		c, square := m.noised(x, z, k, alpha, sigma)
		rho[k] = math.Log(w) - square/(2*c) - d/2*math.Log(2*math.Pi*c)
		top = max(top, rho[k])
	}
	var sum float64
	for k := range rho {
		rho[k] = math.Exp(rho[k] - top)
		sum += rho[k]
	}
	for k := range rho {
		rho[k] /= sum
	}
	return rho, top + math.Log(sum)
}

func (m mixture) eps(dst, z []float64, alpha, sigma float64) {
	rho, _ := m.responsibilities(z, alpha, sigma)
	x := make([]float64, len(z))
	clear(dst)
	for k, r := range rho {
		c, _ := m.noised(x, z, k, alpha, sigma)
		for j, v := range x {
			dst[j] += sigma * r * v / c
		}
	}
}

// backward differentiates g eps = -sigma sum_k rho_k a_k, where a_k = -g (z - alpha m_k)/c_k: a
// change of log(rho_k) counts with rho_k (a_k - mean a), one of a_k with rho_k.
func (m mixture) backward(dz, grad, z, g []float64, alpha, sigma float64) {
	rho, _ := m.responsibilities(z, alpha, sigma)
	x, a := make([]float64, len(z)), make([]float64, len(rho))
	var mean float64
	for k, r := range rho {
		c, _ := m.noised(x, z, k, alpha, sigma)
		a[k] = -inner(g, x) / c
		mean += r * a[k]
	}
	clear(dz)
	n, d := len(rho), len(z)
	for k, r := range rho {
		c, square := m.noised(x, z, k, alpha, sigma)
		lean := r * (a[k] - mean)
		grad[k] = -sigma * lean
		grad[n+k] = -sigma * alpha * alpha * m.variance[k] * (lean*(square/c-float64(d))/2 - r*a[k]) / c
		for j, v := range x {
			pull := -sigma * (lean*v + r*g[j]) / c
			dz[j] -= pull
			grad[2*n+k*d+j] = alpha * pull
		}
	}
}

func inner(x, y []float64) (s float64) {
	for i, v := range x {
		s += v * y[i]
	}
	return s
}
