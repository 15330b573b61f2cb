package exactnet

import "github.com/plume-ml/plume/trainer/diffusion"

// levels are alpha and sigma of a log-SNR.
func levels(lambda float32) (alpha, sigma float64) {
	return diffusion.Alpha(float64(lambda)), diffusion.Sigma(float64(lambda))
}

func Widen(dst []float64, x []float32) {
	for i, v := range x {
		dst[i] = float64(v)
	}
}

func Narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
