package method

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// cells are rows of three normal columns, a Boolean one and one of three categories, a fifth of
// which is missing, with the given number in its place.
func cells(instead float32) data.Table {
	const dim = 7
	t := data.Table{
		D: dim, X: reference.Normals(testPoints*dim, 3, 1), Missing: make([]bool, testPoints*dim),
	}
	for i := range testPoints {
		row, missing := t.X[i*dim:(i+1)*dim], t.Missing[i*dim:(i+1)*dim]
		row[3] = float32(i % 2)
		clear(row[4:])
		row[4+i%3] = 1
		missing[i%5] = true
		if missing[4] {
			missing[5], missing[6] = true, true
		}
		for j, gone := range missing {
			if gone {
				row[j] = instead
			}
		}
	}
	return t
}

// columnOptions are options of a method for cells.
func columnOptions(t *testing.T, name config.Method) config.Options {
	t.Helper()
	o := smallEncoder()
	setDefaults(t, name, &o)
	o.Likelihood, o.ObsNoise = "normal:3,bernoulli,categorical:3", 0.1
	o.Optimizer, o.LR, o.PriorShare = "adam", 0.02, 0.2
	return o
}

// trainCells makes steps of the named method on cells.
func trainCells(
	t *testing.T, name config.Method, instead float32, workers, tile, wave int,
) (end state, losses []float64) {
	t.Helper()
	p := pool.New(workers)
	t.Cleanup(p.Close)
	m, err := New(name, Setup{
		Options: columnOptions(t, name), Train: cells(instead), Batch: 5, Tile: tile, Wave: wave,
		Seed: testSeed, Steps: 60, Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	b := data.NewBatches(testPoints, 5, 1)
	for k := range 60 {
		s := takeStep(t, m, Minibatch{
			Index: b.At(k/b.PerEpoch(), k%b.PerEpoch()), Number: uint32(k),
			Progress: float64(k) / 60,
		})
		losses = append(losses, s.DataLoss/s.Rows)
	}
	return stateOf(m), losses
}

// Every method trains on columns of which cells are missing: the loss falls, and the bits do not
// depend on workers, nor on what stands where a cell is missing, nor with Plume's own products on
// tiles and waves.
func TestEveryMethodTrainsOnColumns(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	for _, name := range config.Methods {
		want, losses := trainCells(t, name, 0, 1, 64, 0)
		half := len(losses) / 2
		if before, after := losses[0], slices.Min(losses[half:]); !(after < before) {
			t.Errorf("%s: the loss was %v, and is %v", name, before, after)
		}
		n := columnOptions(t, name).Particles
		for _, way := range []struct {
			instead             float32
			workers, tile, wave int
		}{{0, 3, 4, 0}, {0, 2, 4, 2 * n}, {7, 2, 64, 0}} {
			got, _ := trainCells(t, name, way.instead, way.workers, way.tile, way.wave)
			if diff := want.diff(got); diff != "" {
				t.Errorf("%s, %+v: %s differs", name, way, diff)
			}
		}
	}
}

// A step on columns allocates nothing.
func TestStepOnColumnsDoesNotAllocate(t *testing.T) {
	p := pool.New(1)
	t.Cleanup(p.Close)
	m, err := New(config.IPLD, Setup{
		Options: columnOptions(t, config.IPLD), Train: cells(0), Batch: 5, Tile: 4, Seed: testSeed,
		Steps: 60, Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := Minibatch{Index: []int{4, 2, 8, 1, 0}}
	if n := testing.AllocsPerRun(20, func() {
		takeStep(t, m, b)
		b.Number++
	}); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}
