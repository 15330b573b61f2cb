package bench

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/method"
)

var tilesFlag = flag.String("tiles", "",
	"tiles of BenchmarkRows, such as 32,64,128 (default: that of the default run)")

// BenchmarkStep is one training step.
func BenchmarkStep(b *testing.B) {
	for _, s := range shapes() {
		b.Run("shape="+s.name, func(b *testing.B) {
			s.benchmark(b, method.Default().Tile)
		})
	}
}

// BenchmarkRows is one training step of the default networks by rows, and by tiles if asked for.
func BenchmarkRows(b *testing.B) {
	tiles, err := parseTiles(*tilesFlag)
	if err != nil {
		b.Fatal(err)
	}
	for _, rows := range []int{250, 500, 1024, 8192} {
		for _, tile := range tiles {
			b.Run(fmt.Sprintf("rows=%d/tile=%d", rows, tile), func(b *testing.B) {
				defaults("", rows).benchmark(b, tile)
			})
		}
	}
}

func parseTiles(list string) (tiles []int, err error) {
	if list == "" {
		return []int{method.Default().Tile}, nil
	}
	for text := range strings.SplitSeq(list, ",") {
		tile, err := strconv.Atoi(text)
		if err != nil || tile < 1 {
			return nil, fmt.Errorf(
				"-tiles %q: expected numbers from 1 on, with commas between them", list,
			)
		}
		tiles = append(tiles, tile)
	}
	return tiles, nil
}

// benchmark measures a step of this shape by backend and number of workers.
func (s shape) benchmark(b *testing.B, tile int) {
	eachBackend(b, func(b *testing.B, name string) {
		for _, n := range threads() {
			b.Run(fmt.Sprintf("threads=%d", n), func(b *testing.B) {
				under(b, name)
				s.steps(b, s.newMethod(b, tile, n))
				reportRate(b, s.operations(), n)
			})
		}
	})
}

func (s shape) steps(b *testing.B, m method.Method) {
	batch := method.Minibatch{Index: make([]int, s.batch)}
	for i := range batch.Index {
		batch.Index[i] = i
	}
	step := func() {
		if _, err := m.Step(batch); err != nil {
			b.Fatal(err)
		}
	}
	step()           // the first step gathers its images and allocates
	batch.Repeat = 1 // the same images, as with batch_repeats
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(s.rows())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
