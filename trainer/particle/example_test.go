package particle_test

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/particle"
)

// Particles sample a Gaussian of variance 1/4, whose potential 2 z^2 has the gradient 4 z.
func Example() {
	const datapoints, dim = 500, 4
	cloud := particle.NewCloud(nil, datapoints, 1, dim, false, 1)
	batch := cloud.NewBatch(nil, datapoints)
	all := make([]int, datapoints)
	for i := range all {
		all[i] = i
	}
	batch.Select(all)
	batch.SetSteps(0.01, 0, 0)
	batch.Gather(0, datapoints)
	fmt.Printf("mean square %.2f\n", cloud.Stats().MeanSquare)
	for step := range uint32(200) {
		for i, z := range batch.Z {
			batch.G[i] = 4 * z
		}
		batch.Move(0, datapoints, particle.Langevin{
			Key: kernel.Key{Seed: 1, Step: step, Stream: particle.StreamMove},
		})
	}
	fmt.Printf("mean square %.2f\n", cloud.Stats().MeanSquare)
	// Output:
	// mean square 0.95
	// mean square 0.25
}
