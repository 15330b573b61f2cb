package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// convolutions is shape C: the default networks of colour pictures of 32 x 32, with 128 rows.
func convolutions(tb testing.TB) (config.Config, data.Dataset) {
	tb.Helper()
	pictures, err := data.Open(context.Background(), "emoji", data.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	c, err := method.DefaultOn(config.IPLD, pictures.Shape())
	if err != nil {
		tb.Fatal(err)
	}
	c.CloudInit = config.FromNormal // only how long a step takes matters
	return c, pictures
}

// BenchmarkConvStep is one training step of ipld with convolutions.
func BenchmarkConvStep(b *testing.B) {
	c, pictures := convolutions(b)
	eachBackend(b, func(b *testing.B, name string) {
		for _, n := range threads() {
			b.Run(fmt.Sprintf("threads=%d", n), func(b *testing.B) {
				under(b, name)
				convSteps(b, c, pictures, n)
			})
		}
	})
}

// convSteps measures the steps of convolutions.
func convSteps(b *testing.B, c config.Config, pictures data.Dataset, threads int) {
	p := pool.New(threads)
	b.Cleanup(p.Close)
	m, err := method.New(c.Method, method.Setup{
		Options: c.Options, Train: pictures, Batch: c.Batch, Tile: c.Tile, Seed: 1, Pool: p,
	})
	if err != nil {
		b.Fatal(err)
	}
	shape{options: c.Options, batch: c.Batch}.steps(b, m)
	reportRate(b, convOperations(b, c, pictures.Shape()), threads)
}

// convOperations is the number of floating-point operations in the products of a step's parameters,
// as they are defined: convolutions in squares take fewer, and may be above the peak.
func convOperations(tb testing.TB, c config.Config, picture data.Shape) float64 {
	tb.Helper()
	decoder, err := method.NewDecoder(c.Options, picture)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := method.NewPrior(c.Method, c.Options)
	if err != nil {
		tb.Fatal(err)
	}
	score := p.(*prior.Diffusion).Score
	return 6 * float64(c.Batch) * (decoder.Work() + score.Work())
}
