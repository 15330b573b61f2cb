package likelihood

import "math"

// Mean implements Likelihood.
func (l *Mixed) Mean(mean, out []float32) {
	for ; len(out) > 0; mean, out = mean[l.dim:], out[l.Outputs():] {
		for _, at := range l.places {
			l.mean(mean[at.lo:at.hi], out, at)
		}
	}
}

// mean sets a column's part of a mean.
func (l *Mixed) mean(mean, out []float32, at place) {
	switch at.kind {
	case Normal:
		mean[0] = out[at.lo]
	case Bernoulli:
		mean[0] = float32(sigmoid(float64(out[at.lo])))
	default:
		y, sum := out[at.lo:at.hi], 0.0
		top := largest(y)
		for _, v := range y {
			sum += exp(float64(v) - top)
		}
		for k, v := range y {
			mean[k] = float32(exp(float64(v)-top) / sum)
		}
	}
}

// Variance implements Likelihood.
func (l *Mixed) Variance(v []float64, out []float32) {
	mean := make([]float32, l.dim)
	l.Mean(mean, out)
	for _, at := range l.places {
		if at.kind == Normal {
			v[at.lo], _ = l.variance(out[at.scale])
			continue
		}
		for j := at.lo; j < at.hi; j++ {
			v[j] = float64(mean[j]) * (1 - float64(mean[j]))
		}
	}
}

// Draw implements Likelihood.
func (l *Mixed) Draw(x, out, normal []float32) {
	for ; len(out) > 0; x, out, normal = x[l.dim:], out[l.Outputs():], normal[l.dim:] {
		for _, at := range l.places {
			row := x[at.lo:at.hi]
			l.mean(row, out, at)
			if at.kind == Normal {
				variance, _ := l.variance(out[at.scale])
				row[0] += float32(math.Sqrt(variance) * float64(normal[at.lo]))
				continue
			}
			choose(row, uniform(normal[at.lo]))
		}
	}
}

// uniform is the share of normal numbers that are below v.
func uniform(v float32) float64 { return math.Erfc(-float64(v)/math.Sqrt2) / 2 }

// choose replaces the probabilities of 1 by numbers 0 and 1: of a single number, or of several of
// which one is 1.
func choose(p []float32, u float64) {
	if len(p) == 1 {
		p[0] = truth(u < float64(p[0]))
		return
	}
	left, chosen := u, len(p)-1
	for k, share := range p[:len(p)-1] {
		if left < float64(share) {
			chosen = k
			break
		}
		left -= float64(share)
	}
	for k := range p {
		p[k] = truth(k == chosen)
	}
}

func truth(v bool) float32 {
	if v {
		return 1
	}
	return 0
}
