package method

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/internal/reference"
)

// onRanks calls f on several ranks at once, and returns their errors.
func onRanks(n int, f func(rank int, c comm.Comm) error) []error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	for rank, c := range comm.Local(n) {
		wait.Go(func() {
			if errs[rank] = f(rank, c); errs[rank] != nil {
				c.Abort(1)
			}
			_ = c.Close()
		})
	}
	wait.Wait()
	return errs
}

// runRanks is run on several ranks, whose particles it joins. What all ranks have must be the same.
func (l laned) runRanks(t *testing.T, n int) state {
	t.Helper()
	states := make([]state, n)
	errs := onRanks(n, func(rank int, c comm.Comm) (err error) {
		states[rank], err = l.runRank(c)
		return err
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("%v, %d ranks: %v", l, n, err)
	}
	all := state{}
	for name, first := range states[0] {
		all[name] = first
		for rank, s := range states[1:] {
			switch own := s[name].(type) {
			case []float32:
				if strings.HasPrefix(name, "cloud/") {
					all[name] = append(slices.Clip(all[name].([]float32)), own...)
					continue
				}
			case []uint32:
				if strings.HasPrefix(name, "cloud/") {
					all[name] = append(slices.Clip(all[name].([]uint32)), own...)
					continue
				}
			}
			if fmt.Sprintf("%x", s[name]) != fmt.Sprintf("%x", first) {
				t.Errorf("%v, %d ranks: %s differs on rank %d", l, n, name, rank+1)
			}
		}
	}
	return all
}

// sameOnRanks checks that a training has the same bits on several ranks.
func (l laned) sameOnRanks(t *testing.T, ranks ...int) {
	t.Helper()
	l.workers, l.tile, l.wave = 2, 64, 0
	want := l.run(t)
	for i, n := range ranks {
		if l.wave = 0; i == 0 { // and parts of a lane
			l.wave = 3 * l.o.Particles
		}
		if diff := want.diff(l.runRanks(t, n)); diff != "" {
			t.Errorf("%v, %d ranks: %s differs", l, n, diff)
		}
	}
}

// With several ranks the bits are those of one, for every method, at any number of ranks. (Ranks
// whose number is no power of two are in TestTwelveLanes.)
func TestRanks(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	train := table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)}
	for _, name := range config.Methods {
		o := lanedOptions(name)
		o.CloudInit = config.FromComponents
		if validate(name, o) != nil {
			o.CloudInit = config.FromNormal
		}
		l := laned{name: name, o: o, train: train, steps: 6, lanes: 8}
		l.sameOnRanks(t, few(1, 2, 8)...)
	}
}

// Three ranks have four lanes each, and their sums the order of twelve lanes on one.
func TestTwelveLanes(t *testing.T) {
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	train := table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)}
	l := laned{name: "pgd", o: small(), train: train, steps: 4, lanes: 12}
	l.sameOnRanks(t, 3)
}

// The same with rounded products, and of convolutions with classes.
func TestRanksOfNetworks(t *testing.T) {
	skipInPlainGo(t)
	before := blas.Info().Backend
	t.Cleanup(func() { useBLAS(t, before) })
	useBLAS(t, "native")
	train := table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)}
	for _, p := range []blas.Precision{blas.BF16, blas.BF16x3} {
		o := smallEncoder()
		o.Precision, o.Optimizer, o.Particles = p, "adam", 3
		o.DecoderWidths, o.ScoreWidth, o.EncoderWidths = []int{70, 40}, 66, []int{50}
		l := laned{name: config.IPLD, o: o, train: train, steps: 3, lanes: 4}
		l.sameOnRanks(t, 4)
	}
	images := newColours(lanePoints)
	for _, name := range []config.Method{config.IPLD, config.TwoStage} {
		o := convOptions(t, name)
		o.Condition, o.Classes, o.ConditionDrop = config.OfBoth, 3, 0.1
		l := laned{name: name, o: o, train: images, steps: 4, lanes: 4}
		l.sameOnRanks(t, 4)
	}
}

// Ranks that cannot share the lanes are refused, on each of them.
func TestRanksRefused(t *testing.T) {
	l := laned{
		name: "pgd", o: small(), lanes: 8, workers: 1, tile: 4,
		train: table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)},
	}
	for rank, err := range onRanks(3, func(_ int, c comm.Comm) error {
		_, err := l.runRank(c)
		return err
	}) {
		if err == nil || !strings.Contains(err.Error(), "lanes = 8 on 3 ranks") {
			t.Errorf("rank %d: error %v", rank, err)
		}
	}
}

// A fault on one rank is the fault of all, at the same place.
func TestRanksDiverge(t *testing.T) {
	train := table{D: testDim, X: reference.Normals(lanePoints*testDim, 3, 1)}
	const bad = 30
	train.X[bad*testDim+1] = 1e30
	for _, name := range []config.Method{config.IPLD, config.VAEDiffusion} {
		o := smallEncoder()
		if o.Particles = 3; validate(name, o) != nil {
			o.Particles = 1
		}
		l := laned{name: name, o: o, train: train, steps: 6, lanes: 4, workers: 1, tile: 4}
		_, want := l.runRank(nil)
		if !errors.Is(want, ErrDiverged) {
			t.Fatalf("%v: error %v, expected divergence", l, want)
		}
		for rank, err := range onRanks(4, func(_ int, c comm.Comm) error {
			_, err := l.runRank(c)
			return err
		}) {
			if !errors.Is(err, ErrDiverged) || err.Error() != want.Error() {
				t.Errorf("%v, rank %d: error %v, expected %v", l, rank, err, want)
			}
		}
	}
}
