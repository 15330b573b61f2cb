package lab

import "math"

// Normal95 is how many standard deviations to either side hold 95 % of a normal law.
const Normal95 = 1.96

// Fit is the slope of a straight line through points, and its standard error.
type Fit struct{ Slope, SE float64 }

// FitLog fits log y = a + slope x by weighted least squares. The standard errors se of y make
// those of log y, se/y; if all are 0, the scatter about the line gives the slope's error.
func FitLog(x, y, se []float64) Fit {
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
		f.SE *= math.Sqrt(scatter / float64(len(x)-2))
	}
	return f
}

// line fits y = a + slope x with weights w, the inverse variances of y. scatter is the weighted
// sum of the squared deviations from the line.
func line(x, y, w []float64) (f Fit, scatter float64) {
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
	f = Fit{Slope: xy / xx, SE: 1 / math.Sqrt(xx)}
	for i := range x {
		d := y[i] - my - f.Slope*(x[i]-mx)
		scatter += w[i] * d * d
	}
	return f, scatter
}

// Sample is numbers from independent replicates.
type Sample []float64

// Mean is their mean.
func (s Sample) Mean() float64 {
	var sum float64
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(s))
}

// Variance is their unbiased variance.
func (s Sample) Variance() float64 {
	m := s.Mean()
	var sum float64
	for _, v := range s {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(s)-1)
}

// SE is the standard error of the mean.
func (s Sample) SE() float64 { return math.Sqrt(s.Variance() / float64(len(s))) }

// VarianceSE is the standard error of the sample variance of n normal numbers of variance v.
func VarianceSE(v float64, n int) float64 { return v * math.Sqrt(2/float64(n-1)) }

// Logs returns the logarithms of x.
func Logs(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = math.Log(v)
	}
	return y
}
