package method

import (
	"fmt"
	"math"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// laned is a training by lanes of some random datapoints, in minibatches of up to 24.
type laned struct {
	name                              config.Method
	o                                 config.Options
	train                             data.Dataset
	lanes, workers, tile, wave, steps int
}

// lanePoints are the datapoints: lanes of unequal size, and minibatches of unequal parts.
const lanePoints, laneBatch = 43, 24

func (l laned) String() string {
	return fmt.Sprintf("%s in %s, %d lanes, %d workers, tile %d, wave %d", l.name, l.o.Precision,
		l.lanes, l.workers, l.tile, l.wave)
}

// run makes the steps, and returns state and losses.
func (l laned) run(t *testing.T) state {
	t.Helper()
	got, err := l.runRank(nil)
	if err != nil {
		t.Fatal(l, err)
	}
	return got
}

// runRank is run on one of several ranks; with nil, on the only one.
func (l laned) runRank(c comm.Comm) (state, error) {
	crew := pool.New(l.workers)
	defer crew.Close()
	m, err := New(l.name, Setup{
		Options: l.o, Train: l.train, Batch: laneBatch, Tile: l.tile, Wave: l.wave,
		Lanes: l.lanes, Comm: c, Seed: testSeed, Steps: l.steps, Pool: crew,
	})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var losses []float64
	b := data.NewLaneBatches(lanePoints, laneBatch, l.lanes, 1)
	for k := range l.steps {
		s, err := m.Step(Minibatch{
			Index: b.At(k/b.PerEpoch(), k%b.PerEpoch()), Number: uint32(k),
			Progress: float64(k) / float64(l.steps),
		})
		if err != nil {
			return nil, err
		}
		for _, v := range s.Values() {
			losses = append(losses, *v)
		}
		for _, v := range s.Levels.All() {
			losses = append(losses, v...)
		}
		losses = append(append(losses, s.GradientNorm[:]...), s.Operations)
	}
	d := m.Diagnose(1)
	got := stateOf(m)
	got["losses"] = append(losses, d.Cloud.MeanSquare, d.Cloud.StdMin, d.Cloud.StdMax,
		d.ExtraTemperature)
	return got, m.Err()
}

// same checks that a training has the bits of others with more workers and in other tiles and
// waves: in those of parts of a lane, of one, and of several.
func (l laned) same(t *testing.T, cuts [][3]int) state {
	t.Helper()
	l.workers, l.tile, l.wave = 1, 64, 0
	want := l.run(t)
	for _, cut := range cuts {
		other := l
		other.workers, other.tile, other.wave = cut[0], cut[1], cut[2]*l.o.Particles
		if diff := want.diff(other.run(t)); diff != "" {
			t.Errorf("%v: %s differs", other, diff)
		}
	}
	return want
}

// lanedOptions keep in use what a method has.
func lanedOptions(name config.Method) config.Options {
	o := smallEncoder()
	o.Dynamics, o.Optimizer, o.EMA, o.ScoreDraws = "underdamped", "adam", 0.9, 2
	if o.Particles = 3; validate(name, o) != nil {
		o.Particles = 1
	}
	if o.PriorWarmup = 2; validate(name, o) != nil {
		o.PriorWarmup = 0
	}
	return o
}

// With several lanes the bits are the same at any number of workers, tile and wave, for every
// method; and another number of lanes has others.
func TestLanes(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	train := table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)}
	for _, name := range config.Methods {
		o := lanedOptions(name)
		l := laned{name: name, o: o, train: train, steps: 6}
		seen := map[int]state{}
		for _, l.lanes = range []int{1, 4, 6} {
			got := l.same(t, few(2, [][3]int{{3, 2, 0}, {2, 64, 9}, {8, 5, 5}, {1, 64, 1}}...))
			for other, s := range seen {
				if got.diff(s) == "" {
					t.Errorf("%v: the bits of %d lanes", l, other)
				}
			}
			seen[l.lanes] = got
		}
	}
}

// The same in every precision.
func TestLanesInPrecisions(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	train := table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)}
	for _, name := range few(1, config.IPLD, config.VAEDiffusion) {
		for _, p := range blas.Precisions[1:] {
			o := smallEncoder()
			o.Precision, o.Optimizer, o.Particles = p, "adam", 3
			o.DecoderWidths, o.ScoreWidth, o.EncoderWidths = []int{70, 40}, 66, []int{50}
			l := laned{name: name, o: o, train: train, steps: 3, lanes: 4}
			l.same(t, [][3]int{{3, 7, 0}, {2, 64, 13}})
		}
	}
}

// The same of convolutions, and of transformers.
func TestLanesOfConvolutions(t *testing.T) {
	skipInPlainGo(t)
	images := newColours(lanePoints)
	for _, name := range few(1, config.IPLD, config.VAEDiffusion, config.TwoStage) {
		for _, score := range []config.Score{config.ScoreUNet, config.ScoreTransformer} {
			for _, p := range few(1, blas.Float32, blas.BF16) {
				o := convOptions(t, name)
				o.Score, o.Precision = score, p
				o.Condition, o.Classes, o.ConditionDrop = config.OfBoth, 3, 0.1
				if score == config.ScoreTransformer {
					o.ScoreWidth, o.ScoreHeads, o.ScoreBlocks = 8, 2, 1
				}
				l := laned{name: name, o: o, train: images, steps: 4, lanes: 4}
				l.same(t, [][3]int{{3, 4, 0}, {2, 64, 13}, {2, 64, 4}})
			}
		}
	}
}

// Lanes change the order of sums and no more: without a prior's levels, a step on one minibatch
// makes the gradients of one lane, up to rounding. The factors are of order one, and the sums of up
// to 24 rows in single precision.
func TestLanesMakeTheGradient(t *testing.T) {
	const tolerance = 64 * 24 * 0x1p-24
	o := small()
	train := table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)}
	index := data.NewLaneBatches(lanePoints, laneBatch, 6, 1).At(0, 0)
	var want []float32
	for _, lanes := range []int{1, 2, 6} {
		crew := pool.New(2)
		defer crew.Close()
		m, err := New("pgd", Setup{
			Options: o, Train: train, Batch: laneBatch, Tile: 4, Lanes: lanes, Seed: testSeed,
			Pool: crew,
		})
		if err != nil {
			t.Fatal(err)
		}
		f := m.(*flow)
		takeStep(t, m, Minibatch{Index: index}) // the order of six lanes is one of two
		if want == nil {
			want = f.decoder.g
			continue
		}
		for i, g := range f.decoder.g {
			if diff := math.Abs(float64(g - want[i])); !(diff <= tolerance) {
				t.Errorf("%d lanes: gradient %d is %v, expected %v", lanes, i, g, want[i])
			}
		}
	}
}

// Lanes of which one has no datapoints in a minibatch, as in diagnostics.
func TestEmptyLane(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	train := table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)}
	l := laned{name: "pgd", o: small(), train: train, lanes: 4}
	var want state
	for _, l.wave = range []int{0, 3} {
		crew := pool.New(2)
		defer crew.Close()
		m, err := New(l.name, Setup{
			Options: l.o, Train: train, Batch: laneBatch, Tile: 4, Wave: l.wave, Lanes: l.lanes,
			Seed: testSeed, Pool: crew,
		})
		if err != nil {
			t.Fatal(err)
		}
		takeStep(t, m, Minibatch{Index: []int{1, 2, 3, 4, 5, 25, 26, 42}})
		if want == nil {
			want = stateOf(m)
		}
		if diff := want.diff(stateOf(m)); diff != "" {
			t.Errorf("wave %d: %s differs", l.wave, diff)
		}
	}
}

// More lanes than a minibatch has datapoints are refused.
func TestTooManyLanes(t *testing.T) {
	_, err := New("pgd", Setup{Options: small(), Train: testData(), Batch: 5, Tile: 2, Lanes: 6})
	if err == nil {
		t.Error("6 lanes of 5 datapoints: no error")
	}
}

// A sum over rows is one for each lane, and these are added along the tree: (1 + 2^-53) + (2^-53 +
// 2^-53) is above 1 in float64, and as a chain it is 1.
func TestLaneSum(t *testing.T) {
	const half = 0x1p-53
	s := Setup{Train: table{D: 1, X: make([]float32, 8)}, Lanes: 4}
	s.share()
	l := s.newLanes()
	l.set([]int{0, 2, 4, 5, 6})
	x := []float64{0.5, 0.5, half, 0, half / 2, half / 4, 0, half / 4, half, 0}
	got := l.sum(1, func(_, from, end int, part []float64) { part[0] = sum(x[2*from : 2*end]) })[0]
	if got != 1+2*half {
		t.Errorf("the sum is 1 + %v, expected 1 + %v", got-1, 2*half)
	}
}
