package method_test

import (
	"fmt"
	"log"
	"math"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// Build a method and take its steps: what the loop of package trainer does for a run.
func Example() {
	line := data.Table{D: 3} // points of a line in space
	for i := range 100 {
		t := math.Sin(float64(i))
		line.X = append(line.X, float32(t), float32(-t), float32(t/2))
	}
	c, err := method.DefaultFor(config.PGD)
	if err != nil {
		log.Fatal(err)
	}
	c.Latent, c.DecoderWidths, c.ObsNoise, c.LR = 1, []int{16}, 0.1, 1e-2
	p := pool.New(1)
	defer p.Close()
	const steps = 300
	m, err := method.New(c.Method, method.Setup{
		Options: c.Options, Train: line, Batch: 50, Tile: c.Tile, Seed: 1, Steps: steps, Pool: p,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	batches := data.NewBatches(line.Len(), 50, 1)
	var first, last float64 // mean squared errors
	for k := range steps {
		stats, err := m.Step(method.Minibatch{
			Index:    batches.At(k/batches.PerEpoch(), k%batches.PerEpoch()),
			Number:   uint32(k),
			Progress: float64(k) / steps,
		})
		if err != nil {
			log.Fatal(err)
		}
		last = stats.SquareError / stats.Rows / 3
		if k == 0 {
			first = last
		}
	}
	fmt.Println("the error of the reconstructions fell to less than a tenth:", last < first/10)
	// Output: the error of the reconstructions fell to less than a tenth: true
}

// A key that a method does not read is refused where a user gives it.
func ExampleCheckRead() {
	given := []config.Given{{Key: "encoder_widths", Where: "--encoder-widths"}}
	err := method.CheckRead(given, config.IPLD)
	fmt.Println(strings.ReplaceAll(err.Error(), "; ", ";\n"))
	// Output:
	// --encoder-widths: encoder_widths is not read by ipld, which has no encoder;
	// leave it out, or choose a method that reads it: vae, vae+diffusion, two-stage
}
