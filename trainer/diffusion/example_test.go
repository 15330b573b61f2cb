package diffusion_test

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
)

// Samples of a Gaussian of variance 1/4 are drawn with its exact score. At log-SNR lambda the
// variance is alpha^2/4 + sigma^2, so that the noise to predict is sigma z / (alpha^2/4 + sigma^2).
func ExampleWalk() {
	const rows, dim = 1000, 4
	walk := diffusion.Walk{
		Process: diffusion.Process{Min: -10, Max: 10},
		Solver:  diffusion.DPM2M,
		Steps:   20,
		D:       dim,
		Eps: func(eps, z []float32, lambda float64) {
			alpha, sigma := diffusion.Alpha(lambda), diffusion.Sigma(lambda)
			for i := range eps {
				eps[i] = z[i] * float32(sigma/(alpha*alpha/4+sigma*sigma))
			}
		},
	}
	ids := make([]uint64, rows)
	for i := range ids {
		ids[i] = uint64(i)
	}
	z := make([]float32, rows*dim)
	kernel.NormalRows(z, ids, dim, kernel.Key{Seed: 1, Stream: diffusion.StreamSamplePrior})
	walk.Run(z, ids, make([]float32, 3*len(z)))

	var square float64
	for _, v := range z {
		square += float64(v) * float64(v) / float64(len(z))
	}
	fmt.Printf("mean square %.2f\n", square)
	// Output: mean square 0.26
}
