package verify

import "math"

// normal95 is how many standard deviations hold 95 % of a normal law, to either side.
const normal95 = 1.96

// fit is a weighted straight line: its slope, and that slope's standard error.
type fit struct{ slope, se float64 }

// fitLog fits log y = a + slope x by weighted least squares, where y has standard errors se, so that
// its logarithm has se/y. Without any (all 0) the scatter about the line gives the slope's error.
func fitLog(x, y, se []float64) fit {
	logY, w := make([]float64, len(y)), make([]float64, len(y))
	exact := true
	for i, v := range y {
		logY[i], w[i] = math.Log(v), 1
		exact = exact && se[i] == 0
	}
	if !exact {
		for i, v := range y {
			w[i] = v * v / (se[i] * se[i])
		}
	}
	f, scatter := line(x, logY, w)
	if exact {
		f.se *= math.Sqrt(scatter / float64(len(x)-2))
	}
	return f
}

// line fits y = a + slope x with weights w, the inverse variances of y. scatter is the weighted sum of
// squared deviations from it.
func line(x, y, w []float64) (f fit, scatter float64) {
	var sw, mx, my float64
	for i := range x {
		sw += w[i]
		mx += w[i] * x[i]
		my += w[i] * y[i]
	}
	mx, my = mx/sw, my/sw
	var xx, xy float64
	for i := range x {
		xx += w[i] * (x[i] - mx) * (x[i] - mx)
		xy += w[i] * (x[i] - mx) * (y[i] - my)
	}
	f = fit{slope: xy / xx, se: 1 / math.Sqrt(xx)}
	for i := range x {
		d := y[i] - my - f.slope*(x[i]-mx)
		scatter += w[i] * d * d
	}
	return f, scatter
}

// sample is numbers of independent replicates, for the moments of their law.
type sample []float64

func (s sample) mean() float64 {
	var sum float64
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(s))
}

// variance is the unbiased one.
func (s sample) variance() float64 {
	m := s.mean()
	var sum float64
	for _, v := range s {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(s)-1)
}

// se is the standard error of the mean.
func (s sample) se() float64 { return math.Sqrt(s.variance() / float64(len(s))) }

// varianceSE is the standard error of the variance of n independent normal numbers of variance v.
func varianceSE(v float64, n int) float64 { return v * math.Sqrt(2/float64(n-1)) }
