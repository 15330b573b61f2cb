package reference

import "math"

// Process is the range of the log-SNR lambda.
type Process struct{ Min, Max float64 }

// Alpha2 is alpha^2 = sigmoid(lambda); sigma^2 is Alpha2(-lambda).
func Alpha2(lambda float64) float64 { return 1 / (1 + math.Exp(-lambda)) }

// Draw is a noise level with a noise vector.
type Draw struct {
	Lambda float64
	Eps    []float64
}

// Levels are the stratified noise levels of n draws: lambda_i = min + span (perm_i + u)/n.
func (p Process) Levels(perm []int, u float64) []float64 {
	l := make([]float64, len(perm))
	for i, k := range perm {
		l[i] = p.Min + (p.Max-p.Min)*(float64(k)+u)/float64(len(perm))
	}
	return l
}

// Simple is the weight of level lambda: proportional to sech(lambda/2), with mean 1 over the range,
// which is integrated by Simpson's rule.
func (p Process) Simple(lambda float64) float64 {
	sech := func(l float64) float64 { return 1 / math.Cosh(l/2) }
	const n = 200
	h := (p.Max - p.Min) / n
	sum := sech(p.Min) + sech(p.Max)
	for i := 1; i < n; i++ {
		sum += float64(2+2*(i%2)) * sech(p.Min+h*float64(i))
	}
	return sech(lambda) / (sum * h / 3 / (p.Max - p.Min))
}

// Residual predicts eps - sigma z_lambda.
type Residual func(zl []float64, lambda float64) []float64

// noised returns z_lambda and the error e = sigma z_lambda + r - eps.
func noised(r Residual, z []float64, d Draw) (zl, e []float64) {
	alpha, sigma := math.Sqrt(Alpha2(d.Lambda)), math.Sqrt(Alpha2(-d.Lambda))
	zl, e = make([]float64, len(z)), make([]float64, len(z))
	for j := range z {
		zl[j] = alpha*z[j] + sigma*d.Eps[j]
	}
	for j, v := range r(zl, d.Lambda) {
		e[j] = sigma*zl[j] + v - d.Eps[j]
	}
	return zl, e
}

// PriorLoss is span/2 |e|^2 for one draw.
func (p Process) PriorLoss(r Residual, z []float64, d Draw) float64 {
	_, e := noised(r, z, d)
	return (p.Max - p.Min) / 2 * Square(e)
}

// Bound is l_theta(z) in nats, with the integral over lambda estimated from the given draws.
func (p Process) Bound(r Residual, z []float64, draws []Draw) float64 {
	var l float64
	for _, d := range draws {
		l += p.PriorLoss(r, z, d) / float64(len(draws))
	}
	s2min, n := Alpha2(-p.Min), float64(len(z))
	l += (Alpha2(p.Min)*Square(z) + n*(s2min-1-math.Log(s2min))) / 2
	return l + n/2*(math.Log(2*math.Pi*Alpha2(-p.Max)/Alpha2(p.Max))+1)
}

// ControlVariate is alpha_max^2 z + span alpha (J_r^T e + sigma r), averaged over the draws. The
// product with the Jacobian J_r is computed by central differences.
func (p Process) ControlVariate(r Residual, z []float64, draws []Draw) []float64 {
	g := make([]float64, len(z))
	for j := range g {
		g[j] = Alpha2(p.Max) * z[j]
	}
	for _, d := range draws {
		zl, e := noised(r, z, d)
		back := Gradient(func(y []float64) float64 { return dot(e, r(y, d.Lambda)) }, zl)
		alpha, sigma := math.Sqrt(Alpha2(d.Lambda)), math.Sqrt(Alpha2(-d.Lambda))
		for j, v := range r(zl, d.Lambda) {
			g[j] += (p.Max - p.Min) * alpha * (back[j] + sigma*v) / float64(len(draws))
		}
	}
	return g
}

// ScoreDrift is -s_theta(z, lambda_max) = (sigma z + r)/sigma.
func (p Process) ScoreDrift(r Residual, z []float64) []float64 {
	sigma, g := math.Sqrt(Alpha2(-p.Max)), make([]float64, len(z))
	for j, v := range r(z, p.Max) {
		g[j] = (sigma*z[j] + v) / sigma
	}
	return g
}

// DataLoss is |y - x|^2 / (2 sigma_x^2).
func DataLoss(y, x []float64, sigmaX float64) (loss float64) {
	for j := range y {
		loss += (y[j] - x[j]) * (y[j] - x[j]) / (2 * sigmaX * sigmaX)
	}
	return loss
}

// Gradient is the gradient of f at x by central differences, whose error is about 1e-10 of f's
// scale for smooth f. x is perturbed in place and restored.
func Gradient(f func(x []float64) float64, x []float64) []float64 {
	const h = 1e-5
	g := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		up := f(x)
		x[i] = v - h
		g[i] = (up - f(x)) / (2 * h)
		x[i] = v
	}
	return g
}

// Square is |x|^2.
func Square(x []float64) float64 { return dot(x, x) }

func dot(x, y []float64) (s float64) {
	for i := range x {
		s += x[i] * y[i]
	}
	return s
}

// Distance is the relative error |got - want| / max(|want|, 1e-30), infinite if the lengths differ.
func Distance(got []float32, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var diff float64
	for i, w := range want {
		diff += (float64(got[i]) - w) * (float64(got[i]) - w)
	}
	return math.Sqrt(diff) / math.Max(math.Sqrt(Square(want)), 1e-30)
}

// Wide converts x to float64.
func Wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
