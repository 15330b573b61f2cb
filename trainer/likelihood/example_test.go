package likelihood_test

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
)

// The gradient of -log p(x|z) by the latents of two particles that share one image. The decoder,
// without hidden layers and with random weights, has one latent dimension and three pixels.
func ExampleGaussian_Gradient() {
	const rows, latent, pixels = 2, 1, 3
	decoder := model.NewMLP(nil, latent, pixels)
	weights := make([]float32, decoder.Layout().Size())
	decoder.Layout().Init(weights, 1, 0)
	tape := decoder.NewTape(nil, weights, model.Size{Rows: rows}, model.Train)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}

	l := likelihood.Gaussian{Sigma: 0.5, D: pixels}
	z, x := []float32{-1, 1}, []float32{0.5, 0, -0.5}
	loss := make([]float64, rows)
	square, g := make([]float32, rows), make([]float32, rows*latent)
	l.Gradient(tape, likelihood.Rows{
		Hi: rows, Particles: rows, Z: z, X: x, Loss: loss, Square: square, G: g,
	})
	for i, nats := range loss {
		fmt.Printf("z = %2v: -log p(x|z) = %.3f nats, gradient %.3f\n",
			z[i], nats, g[i])
	}
	// Output:
	// z = -1: -log p(x|z) = 4.196 nats, gradient -4.830
	// z =  1: -log p(x|z) = 8.605 nats, gradient 9.239
}
