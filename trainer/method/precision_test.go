package method

import (
	"strings"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// manyPoints is the datapoints of trainPrecise: more than two groups of rows in a batch of 70.
const manyPoints = 100

// trainPrecise makes some steps in a precision, and returns the state.
func trainPrecise(
	t *testing.T, name config.Method, o config.Options, p blas.Precision, workers, tile, wave int,
) state {
	t.Helper()
	o.Precision = p
	crew := pool.New(workers)
	defer crew.Close()
	train := table{D: testDim, X: reference.Normals(manyPoints*testDim, 3, 1)}
	m, err := New(name, Setup{
		Options: o, Train: train, Batch: 70, Tile: tile, Wave: wave, Seed: testSeed, Steps: 8,
		Pool: crew,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	b := data.NewBatches(manyPoints, 70, 1)
	for k := range 8 {
		index := b.At(k/b.PerEpoch(), k%b.PerEpoch())
		takeStep(t, m, Minibatch{Index: index, Number: uint32(k), Progress: float64(k) / 8})
	}
	return stateOf(m)
}

// In every precision the bits are the same at any number of workers, tile and wave, and are those
// of no other precision. Waves are whole groups of rows, so that some asked for are made larger.
func TestPrecisions(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	for _, name := range []config.Method{config.IPLD, config.VAEDiffusion} {
		o := smallEncoder()
		o.DecoderWidths, o.ScoreWidth, o.EncoderWidths = []int{70, 40}, 66, []int{50}
		o.Optimizer, o.EMA = "adam", 0.9
		seen := map[blas.Precision]state{}
		for _, p := range blas.Precisions {
			want := trainPrecise(t, name, o, p, 1, 64, 0)
			for other, s := range seen {
				if want.diff(s) == "" {
					t.Errorf("%s: %s has the bits of %s", name, p, other)
				}
			}
			seen[p] = want
			cuts := few(1, [][3]int{{3, 1, 32}, {2, 64, 0}, {8, 5, 33}, {1, 64, 1}}...)
			for _, cut := range cuts {
				got := trainPrecise(t, name, o, p, cut[0], cut[1], cut[2])
				if differs := want.diff(got); differs != "" {
					t.Errorf("%s in %s, %d workers, tile %d, wave %d: %s differs", name, p, cut[0],
						cut[1], cut[2], differs)
				}
			}
		}
	}
}

// A library that was asked for by name, and has float32 alone, is not replaced.
func TestPrecisionOfLibraries(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "gonum")
	o := small()
	o.Precision = blas.BF16
	_, err := New("ipld", Setup{Options: o, Train: testData(), Batch: 5, Tile: 2, Seed: testSeed})
	if err == nil || !strings.Contains(err.Error(), "gonum") ||
		!strings.Contains(err.Error(), "native") {
		t.Errorf("error %v", err)
	}
}

// The networks are described with the precision of their products, where that is not float32.
func TestPrecisionIsDescribed(t *testing.T) {
	c := Default()
	for _, p := range blas.Precisions {
		c.Precision = p
		text, err := Describe(c, testPicture)
		if said := strings.HasSuffix(text, "; products in "+string(p)); err != nil ||
			said != (p != blas.Float32) {
			t.Errorf("%s: %q, error %v", p, text, err)
		}
	}
}
