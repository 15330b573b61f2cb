package diffusion_test

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
)

// Samples of N(3, 0.5^2), whose noise is predicted exactly: of z = alpha x + sigma eps, eps has the
// mean sigma (z - 3 alpha)/(alpha^2/4 + sigma^2).
func ExampleWalk_Run() {
	const rows = 4000
	walk := diffusion.Walk{
		Process: diffusion.Process{Min: -10, Max: 10},
		Solver:  diffusion.DPM2M, Steps: 20, D: 1,
		Eps: func(eps, z []float32, lambda float64) {
			a, s := diffusion.Alpha(lambda), diffusion.Sigma(lambda)
			for i, v := range z {
				eps[i] = float32(s * (float64(v) - 3*a) / (a*a/4 + s*s))
			}
		},
	}
	z, ids := make([]float32, rows), make([]uint64, rows)
	for i := range ids {
		ids[i] = uint64(i)
	}
	kernel.NormalRows(z, ids, 1, kernel.Key{Seed: 1, Stream: diffusion.StreamSamplePrior})
	walk.Run(z, ids, make([]float32, 3*rows))

	var sum, square float64
	for _, v := range z {
		sum, square = sum+float64(v), square+float64(v)*float64(v)
	}
	mean := sum / rows
	fmt.Printf("mean %.1f, standard deviation %.1f\n", mean, math.Sqrt(square/rows-mean*mean))
	// Output:
	// mean 3.0, standard deviation 0.5
}

func ExampleProcess() {
	p := diffusion.Process{Min: -10, Max: 10}
	for _, lambda := range []float64{p.Min, 0, p.Max} {
		fmt.Printf("log-SNR %3v: z = %.3f x + %.3f eps\n",
			lambda, diffusion.Alpha(lambda), diffusion.Sigma(lambda))
	}
	// Output:
	// log-SNR -10: z = 0.007 x + 1.000 eps
	// log-SNR   0: z = 0.707 x + 0.707 eps
	// log-SNR  10: z = 1.000 x + 0.007 eps
}
