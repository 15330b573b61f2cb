package infer_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// For x = z + noise of variance 1 with z ~ N(0, 1), the posterior of x = 2 is N(1, 1/2), and
// log p(x) is log N(2; 0, 2).
func ExamplePosterior() {
	decoder := model.NewMLP(nil, 1, 1)
	params := make([]float32, decoder.Layout().Size())
	copy(decoder.Layout().View(params, "layer0.weight"), []float32{1})
	m := generate.Model{
		Decoder: decoder, DecoderP: params, Prior: prior.Gaussian{Latent: 1},
		Likelihood: likelihood.Gaussian{Sigma: 1, D: 1},
	}

	workers := pool.New(2)
	defer workers.Close()
	posterior := infer.New(m, infer.Setup{
		Images:    data.Table{D: 1, X: []float32{2}},
		Particles: 500, Batch: 1, Tile: 500, Seed: 1, Pool: workers,
		StepSize: 0.05, StepSizeEnd: 0.02, Friction: 0.3,
	})
	ctx := context.Background()
	if err := posterior.Run(ctx, infer.Moves{Burn: 200, Keep: 400, Cov: true}); err != nil {
		log.Fatal(err)
	}
	image := posterior.Images()[0]
	fmt.Printf("posterior mean %.1f, variance %.1f\n", image.Mean[0], image.Cov[0])

	joint := infer.NewJoint(m, 1, workers)
	marginals, err := posterior.Marginals(ctx, joint, 2000, 1)
	if err != nil {
		log.Fatal(err)
	}
	exact := -1 - math.Log(4*math.Pi)/2
	fmt.Printf("log p(x) %.2f, exactly %.2f\n", marginals[0].LogP, exact)
	// Output:
	// posterior mean 1.0, variance 0.5
	// log p(x) -2.27, exactly -2.27
}
