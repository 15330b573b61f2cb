package bench

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// shape is the sizes of the networks and the rows of a step.
type shape struct {
	name    string
	options config.Options
	batch   int // datapoints
}

// shapes are the tracked steps: small and large networks with 1,024 rows, and the default run's
// own step.
func shapes() []shape {
	small := defaults("S", 128)
	small.options.Particles = 8
	large := defaults("L", 128)
	large.options.Particles = 8
	large.options.Latent = 64
	large.options.ScoreWidth = 512
	large.options.DecoderWidths = []int{512, 1024}
	return []shape{small, large, defaults("D", method.Default().Batch)}
}

// defaults are the networks of the default run, with one particle a datapoint.
func defaults(name string, batch int) shape {
	return shape{name, method.Default().Options, batch}
}

func (s shape) rows() int { return s.batch * s.options.Particles }

// layer is the weights of one linear layer.
type layer struct{ in, out int }

func (l layer) weights() int { return l.in * l.out }

// layers returns those of the decoder, then those of the score network.
func (s shape) layers() []layer {
	o := s.options
	widths := slices.Concat([]int{o.Latent}, o.DecoderWidths, []int{images().Shape().Dim()})
	var list []layer
	for i := range widths[1:] {
		list = append(list, layer{widths[i], widths[i+1]})
	}
	w := o.ScoreWidth
	// two layers of lambda's embedding, then the layer that reads z
	list = append(list, layer{o.ScoreFeatures, w}, layer{w, w}, layer{o.Latent, w})
	for range o.ScoreBlocks {
		list = append(list, layer{w, w}, layer{w, w})
	}
	return append(list, layer{w, o.Latent})
}

// operations is the number of floating-point operations in the products of a step. For each weight
// and row there are a multiplication and an addition forward, and as many for the gradients of the
// input and of the weight. The first layer of the score network is counted like the others,
// although it needs no gradient of its input.
func (s shape) operations() float64 {
	weights := 0
	for _, l := range s.layers() {
		weights += l.weights()
	}
	return 6 * float64(weights) * float64(s.rows())
}

// images returns the embedded images of the default run.
var images = sync.OnceValue(func() data.Dataset {
	set, err := data.Open(context.Background(), method.Default().Data, data.Options{})
	if err != nil {
		panic(err) // cannot be: they are part of the program
	}
	return set
})

// newMethod returns the default run's method with networks of this shape.
func (s shape) newMethod(tb testing.TB, tile, threads int) method.Method {
	tb.Helper()
	p := pool.New(threads)
	tb.Cleanup(p.Close)
	m, err := method.New(method.Default().Method, method.Setup{
		Options: s.options, Train: images(), Batch: s.batch, Tile: tile, Seed: 1, Pool: p,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}
