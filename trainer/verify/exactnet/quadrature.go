package exactnet

import (
	"sync"

	"gonum.org/v1/gonum/integrate/quad"

	"github.com/plume-ml/plume/trainer/diffusion"
)

// legendre are the nodes and weights of a quadrature over [-1, 1]: over the log-SNR, on whose scale of one all
// changes, 120 nodes in a range of 20 leave the moments of the drift exact to rounding.
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
