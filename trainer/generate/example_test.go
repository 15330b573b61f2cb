package generate_test

import (
	"context"
	"fmt"
	"log"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// A linear decoder x = (2 z + 1, -z) of one latent, with the prior N(0, 1): the first pixel of its
// samples is N(1, 4).
func ExampleGenerator() {
	decoder := model.NewMLP(nil, 1, 2)
	params := make([]float32, decoder.Layout().Size())
	copy(decoder.Layout().View(params, "layer0.weight"), []float32{2, -1})
	copy(decoder.Layout().View(params, "layer0.bias"), []float32{1, 0})
	m := generate.Model{Decoder: decoder, DecoderP: params, Prior: prior.Gaussian{Latent: 1}}

	workers := pool.New(2)
	defer workers.Close()
	g := generate.New(nil, m, workers.Workers(), workers)
	images := make([]float32, 2*g.Dim())
	g.Decode(images, []float32{0, 3}, nil)
	fmt.Println("images of 0 and 3:", images)

	const n = 10000
	samples := make([]float32, n*g.Dim())
	if err := g.Sample(context.Background(), samples, n, generate.Spec{
		Solver: diffusion.DDIM, Seed: 1,
	}); err != nil {
		log.Fatal(err)
	}
	mean := 0.0
	for i := range n {
		mean += float64(samples[i*g.Dim()]) / n
	}
	fmt.Printf("mean of the first pixel: %.1f\n", mean)
	// Output:
	// images of 0 and 3: [1 0 7 -3]
	// mean of the first pixel: 1.0
}
