package prior_test

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

// The loss -log N(z; 0, I) and its gradient by z, for two latents in two dimensions.
func ExamplePrior() {
	const rows = 2
	var p prior.Prior = prior.Gaussian{Latent: 2}
	tape := p.NewTape(nil, nil, model.Size{Rows: rows}, model.Train)
	tape.Begin(rows, kernel.Key{}, kernel.Key{}) // keys of noise, of which a Gaussian has none
	z, ids := []float32{0, 0, 3, 4}, []uint64{0, 1}
	g, loss := make([]float32, len(z)), make([]float32, rows)
	tape.Evaluate(diffusion.Rows{Hi: rows, Z: z, IDs: ids, G: g, Loss: loss, Train: true})
	fmt.Printf("losses %.3f nats, gradient %v\n", loss, g)
	// Output: losses [1.838 14.338] nats, gradient [0 0 3 4]
}
