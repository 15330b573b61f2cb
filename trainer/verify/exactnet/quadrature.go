package exactnet

import (
	"sync"

	"gonum.org/v1/gonum/integrate/quad"

	"github.com/plume-ml/plume/trainer/diffusion"
)

// legendre returns the nodes and weights of a Gauss-Legendre quadrature over [-1, 1]. The
// integrands vary on the scale of one in the log-SNR, so that 120 nodes over a range of 20 make
// the moments of the drift exact to rounding.
var legendre = sync.OnceValues(func() (x, w []float64) {
	x, w = make([]float64, 120), make([]float64, 120)
	quad.Legendre{}.FixedLocations(x, w, -1, 1)
	return x, w
})

// MeanOver is the mean of f over the range of log-SNRs.
func MeanOver(p diffusion.Process, f func(lambda float64) float64) (mean float64) {
	x, w := legendre()
	for i, v := range x {
		mean += w[i] / 2 * f((p.Min+p.Max)/2+p.Span()/2*v)
	}
	return mean
}
