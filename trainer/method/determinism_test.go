package method

import (
	"fmt"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

// busy returns options that cut the work into many tasks (decoder layers of unequal widths, several
// column blocks and optimiser chunks of the score network, tiles of few rows), and that use every
// sum and counter of the flow.
func busy(dynamics particle.Dynamics, particles int) config.Options {
	o := small()
	o.Dynamics, o.Particles, o.ScoreWidth, o.ScoreBlocks = dynamics, particles, 150, 1
	o.DecoderWidths = []int{60, 9, 40}
	o.Optimizer, o.EMA, o.DecoderDecay = "adam", 0.99, 1
	o.Condition, o.Classes, o.ConditionDrop = config.OfBoth, 3, 0.3
	o.ScaleAnchor, o.CatchUp, o.DriftClip, o.PriorWarmup = 1, 3, 0.1, 2
	return o
}

// trainFlow makes steps on minibatches of uneven sizes and returns the state.
func trainFlow(t *testing.T, f *flow, batch, steps int) state {
	b := data.NewBatches(testPoints, batch, 1)
	for k := range steps {
		epoch, number := k/b.PerEpoch(), k%b.PerEpoch()
		done := float64(k) / float64(steps)
		mustStep(t, f, Minibatch{Index: b.At(epoch, number), Number: uint32(k), Progress: done})
	}
	f.Diagnose(0)
	return stateOf(f)
}

// The same seed gives the same bits at any number of workers, diagnostics and samples included.
func TestSameBitsAtAnyNumberOfWorkers(t *testing.T) {
	for _, dynamics := range []particle.Dynamics{"overdamped", "underdamped"} {
		for _, particles := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/N=%d", dynamics, particles), func(t *testing.T) {
				eachBLAS(t, func(t *testing.T) { sameBits(t, busy(dynamics, particles)) })
			})
		}
	}
}

func sameBits(t *testing.T, o config.Options) {
	const batch, steps = 5, 24
	var want state
	for _, workers := range few(3, 1, 3, 12, 2) { // 12 get other blocks of weights
		f := startFlow(t, "ipld", o, batch, workers)
		got := trainFlow(t, f, batch, steps)
		got["temperature"] = []float64{f.Diagnose(0).ExtraTemperature}
		got["samples"] = sampleSome(t, f, 130)
		if want == nil {
			want = got
		}
		if name := want.diff(got); name != "" {
			t.Errorf("%d workers: %s differs from one worker's", workers, name)
		}
	}
}

// Plume's own products have the same bits however rows are cut, so the bits do not depend on the
// size of tiles.
func TestSameBitsAtAnyTile(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	var want state
	for _, tile := range []int{1, 4, 100} {
		f := tiledFlow(t, "ipld", busy("underdamped", 3), 5, 2, tile)
		got := trainFlow(t, f, 5, 24)
		if want == nil {
			want = got
		}
		if name := want.diff(got); name != "" {
			t.Errorf("tiles of %d rows: %s differs from that of 1", tile, name)
		}
	}
}

// With many workers there are more tiles, unless that would change the bits of one of the networks.
func TestTilesFeedTheWorkers(t *testing.T) {
	before := blas.Default().Name()
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "gonum")
	gonums := model.NewMLP(nil, 1, 1).NewTape(
		nil, make([]float32, 2), model.Size{Rows: 1}, model.Train)
	useBLAS(t, before)
	eachBLAS(t, func(t *testing.T) {
		for _, c := range []struct{ rows, particles, workers, tiles, native int }{
			{500, 1, 2, 8, 8}, {500, 1, 16, 8, 32}, {500, 1, 64, 8, 35}, {250, 1, 16, 4, 17},
			{1024, 8, 64, 16, 64}, {64, 16, 64, 1, 4}, {0, 1, 4, 1, 1},
		} {
			p := pool.New(c.workers)
			s := Setup{Options: config.Options{Particles: c.particles}, Tile: 64, Pool: p}
			want := c.tiles
			if blas.Default().CutFree() {
				want = c.native
			}
			mine := model.NewMLP(nil, 1, 1).NewTape(
				nil, make([]float32, 2), model.Size{Rows: 1}, model.Train)
			if got := s.tiles(c.rows/c.particles, s.Tile, mine).Count; got != want {
				t.Errorf("%d rows of %d particles, %d workers: %d tiles, want %d", c.rows,
					c.particles, c.workers, got, want)
			}
			if got := s.tiles(c.rows/c.particles, s.Tile, mine, gonums).Count; got != c.tiles {
				t.Errorf("%d rows of %d particles, %d workers, one network of gonum's products: "+
					"%d tiles, want %d", c.rows, c.particles, c.workers, got, c.tiles)
			}
			p.Close()
		}
	})
}

func sampleSome(t *testing.T, f *flow, n int) []float32 {
	t.Helper()
	x := make([]float32, n*testDim)
	if err := f.Generator(true).Sample(t.Context(), x, n, generate.Spec{
		Solver: "ancestral", Steps: 3, Seed: 5,
	}); err != nil {
		t.Fatal(err)
	}
	return x
}

// The tensors are the whole state: restored into a fresh flow between two steps or repeats, both
// flows continue with the same bits. Diagnose does not change the training.
func TestStateIsWhole(t *testing.T) {
	o := busy("underdamped", 2)
	o.PriorWarmup = 1
	a := startFlow(t, "ipld", o, 5, 1)
	for i := range a.cloud.Z { // wide, so that the anchor acts
		a.cloud.Z[i] *= 2
	}
	a.meanSquare[0] = a.cloud.Stats().MeanSquare
	trainFlow(t, a, 5, 7)
	again := Minibatch{Index: []int{1, 5, 6}, Number: 7}
	mustStep(t, a, again)

	b := startFlow(t, "ipld", o, 5, 1)
	saved := a.Tensors()
	for i, to := range b.Tensors() {
		copy(to.F32, saved[i].F32)
		copy(to.U32, saved[i].U32)
		copy(to.F64, saved[i].F64)
	}
	b.Restored()
	b.Diagnose(0)
	again.Repeat = 1
	for range 3 {
		mustStep(t, a, again)
		mustStep(t, b, again)
		again.Repeat++
	}
	if name := stateOf(a).diff(stateOf(b)); name != "" {
		t.Errorf("%s differs after the state was carried over", name)
	}
}

// A step allocates nothing. The networks are so small that gonum's products start no goroutines.
func TestStepDoesNotAllocate(t *testing.T) {
	for _, dynamics := range []particle.Dynamics{"overdamped", "underdamped"} {
		for _, cv := range []bool{false, true} {
			o := busy(dynamics, 2)
			o.ScoreWidth, o.ScoreDraws, o.InnerSteps = 40, 2, 2
			o.ControlVariate, o.PriorWarmup = cv, 0
			f := newFlow(t, "ipld", o, 6)
			b := Minibatch{Index: []int{4, 2, 8, 1, 0}}
			n := testing.AllocsPerRun(20, func() {
				mustStep(t, f, b)
				b.Number++
			})
			if n != 0 {
				t.Errorf("%s, control variate %v: a step allocates %v times", dynamics, cv, n)
			}
		}
	}
}
