package particle_test

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/particle"
)

// Particles of a standard normal law keep it under Langevin moves with the drift z, which is the
// gradient of z^2/2. Here two minibatches take turns.
func Example() {
	const datapoints, perDatapoint, latent, seed = 1000, 1, 8, 1
	cloud := particle.NewCloud(nil, 0, datapoints, perDatapoint, latent, false, seed)
	batch := cloud.NewBatch(nil, datapoints/2)
	halves := [2][]int{}
	for m := range datapoints {
		halves[m%2] = append(halves[m%2], m)
	}
	for step := range uint32(100) {
		batch.Select(halves[step%2])
		batch.SetSteps(0.1, 0, step)
		n := len(batch.IDs)
		batch.Gather(0, n)
		copy(batch.G, batch.Z) // the drift; P, its other part, stays zero
		batch.Move(0, n, particle.Langevin{
			Key: kernel.Key{Seed: seed, Step: step, Stream: particle.StreamMove},
		})
		batch.MarkVisited(step)
	}
	fmt.Printf("mean of z^2: %.1f\n", cloud.Stats().MeanSquare)
	// Output:
	// mean of z^2: 1.1
}
