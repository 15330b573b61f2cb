package exactnet

import (
	"math"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/model"
)

// MixtureLaw is the mixture of K Gaussians N(m_k, v_k I) with weights softmax(logit)
// (ALGORITHM.md, section 8.3). The parameters are the logits, the log v_k and the m_k (K x d). At
// a noise level, component k is N(alpha m_k, c_k I) with c_k = alpha^2 v_k + sigma^2, and with the
// responsibilities rho_k of the components for z
//
//	eps = sigma sum_k rho_k (z - alpha m_k)/c_k.
type MixtureLaw struct {
	k, d   int
	params model.Layout
}

// NewMixtureLaw is a law of k components in d dimensions.
func NewMixtureLaw(k, d int) *MixtureLaw {
	l := &MixtureLaw{k: k, d: d}
	l.params.Add("logit", 0, k)
	l.params.Add("log_variance", 0, k)
	l.params.Add("mean", 0, k, d)
	return l
}

// Dim implements Law.
func (l *MixtureLaw) Dim() int { return l.d }

// Layout implements Law.
func (l *MixtureLaw) Layout() *model.Layout { return &l.params }

// Values returns the parameters of a mixture.
func (l *MixtureLaw) Values(m Mixture) []float32 {
	var p []float64
	for _, w := range m.Weight {
		p = append(p, math.Log(w))
	}
	for _, v := range m.Variance {
		p = append(p, math.Log(v))
	}
	for _, c := range m.Mean {
		p = append(p, c...)
	}
	return Narrow(p)
}

// At returns the mixture at parameters p.
func (l *MixtureLaw) At(p []float32) Mixture {
	m := Mixture{Weight: make([]float64, l.k), Variance: make([]float64, l.k)}
	var sum float64
	for k := range l.k {
		m.Weight[k] = math.Exp(float64(p[k]))
		m.Variance[k] = math.Exp(float64(p[l.k+k]))
		sum += m.Weight[k]
		mean := make([]float64, l.d)
		Widen(mean, p[2*l.k+k*l.d:][:l.d])
		m.Mean = append(m.Mean, mean)
	}
	for k := range m.Weight {
		m.Weight[k] /= sum
	}
	return m
}

func (l *MixtureLaw) bind(p []float32) noised { return l.At(p) }

// Mixture is a mixture of isotropic Gaussians.
type Mixture struct {
	Weight, Variance []float64
	Mean             [][]float64
}

// noised returns the variance of component k at a noise level and the square of z - alpha m_k,
// which it writes into x.
func (m Mixture) noised(x, z []float64, k int, alpha, sigma float64) (c, square float64) {
	for j, v := range z {
		x[j] = v - alpha*m.Mean[k][j]
		square += x[j] * x[j]
	}
	return alpha*alpha*m.Variance[k] + sigma*sigma, square
}

// Responsibilities returns those of the components for z at a noise level, and the log of the
// noised density at z.
func (m Mixture) Responsibilities(
	z []float64, alpha, sigma float64,
) (rho []float64, logDensity float64) {
	rho = make([]float64, len(m.Weight))
	x, d := make([]float64, len(z)), float64(len(z))
	top := math.Inf(-1)
	for k, w := range m.Weight {
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

// ScoreAt is the score at z of a one-dimensional mixture noised to log-SNR lambda.
func (m Mixture) ScoreAt(z, lambda float64) float64 {
	sigma := diffusion.Sigma(lambda)
	var eps [1]float64
	m.eps(eps[:], []float64{z}, diffusion.Alpha(lambda), sigma)
	return -eps[0] / sigma
}

func (m Mixture) eps(dst, z []float64, alpha, sigma float64) {
	rho, _ := m.Responsibilities(z, alpha, sigma)
	x := make([]float64, len(z))
	clear(dst)
	for k, r := range rho {
		c, _ := m.noised(x, z, k, alpha, sigma)
		for j, v := range x {
			dst[j] += sigma * r * v / c
		}
	}
}

// backward differentiates g eps = -sigma sum_k rho_k a_k, where a_k = -g (z - alpha m_k)/c_k. The
// derivative with respect to log(rho_k), before normalisation, has the factor rho_k (a_k - mean
// a), and that with respect to a_k has rho_k.
func (m Mixture) backward(dz, grad, z, g []float64, alpha, sigma float64) {
	rho, _ := m.Responsibilities(z, alpha, sigma)
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
		byVariance := lean*(square/c-float64(d))/2 - r*a[k]
		grad[n+k] = -sigma * alpha * alpha * m.Variance[k] * byVariance / c
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
