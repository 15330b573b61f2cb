package exactnet

import "github.com/plume-ml/plume/trainer/diffusion"

// levels returns alpha and sigma at a log-SNR.
func levels(lambda float32) (alpha, sigma float64) {
	return diffusion.Alpha(float64(lambda)), diffusion.Sigma(float64(lambda))
}

// Widen copies x into dst.
func Widen(dst []float64, x []float32) {
	for i, v := range x {
		dst[i] = float64(v)
	}
}

// Narrow rounds x to float32.
func Narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
