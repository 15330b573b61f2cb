package bench

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// BenchmarkLanes is one training step by lanes, each with 64 rows of the minibatch or more: what
// the sums of several lanes cost beside those of one.
func BenchmarkLanes(b *testing.B) {
	for _, s := range []shape{defaults("D", 512), shapes()[0], shapes()[1]} {
		for _, threads := range threads() {
			for _, lanes := range []int{1, 8} {
				name := fmt.Sprintf("shape=%s/threads=%d/lanes=%d", s.name, threads, lanes)
				b.Run(name, func(b *testing.B) { s.stepsOfLanes(b, lanes, threads) })
			}
		}
	}
}

// stepsOfLanes measures steps on a minibatch with equally many datapoints of each lane.
func (s shape) stepsOfLanes(b *testing.B, lanes, threads int) {
	p := pool.New(threads)
	defer p.Close()
	train := images()
	m, err := method.New(method.Default().Method, method.Setup{
		Options: s.options, Train: train, Batch: s.batch, Lanes: lanes,
		Tile: method.Default().Tile, Seed: 1, Pool: p,
	})
	if err != nil {
		b.Fatal(err)
	}
	var batch method.Minibatch
	for l := range lanes {
		first, _ := comm.Block(train.Len(), lanes, l)
		for i := range s.batch / lanes {
			batch.Index = append(batch.Index, first+i)
		}
	}
	for b.Loop() {
		if _, err := m.Step(batch); err != nil {
			b.Fatal(err)
		}
		batch.Repeat = 1 // the same images, as with batch_repeats
	}
}
