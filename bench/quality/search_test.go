package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var threeSeeds = []uint64{1, 2, 3}

// falling is a contestant whose distance is the target at the given epochs.
func falling(at float64, trained map[string]int) search {
	return search{2, threeSeeds, func(epochs int, seed uint64) (outcome, error) {
		trained[fmt.Sprint(epochs, " ", seed)]++
		return outcome{FD: 2 * at / float64(epochs)}, nil
	}}
}

// TestSearch: the search finds the first rung that reaches the target, wherever it is, without
// training anything twice.
func TestSearch(t *testing.T) {
	for i, want := range ladder {
		trained := map[string]int{}
		got, err := falling(float64(want)-0.5, trained).run(ladder)
		if err != nil || got != want {
			t.Errorf("rung %d: %d epochs, %v; want %d", i, got, err, want)
		}
		for key, n := range trained {
			if n > 1 {
				t.Errorf("rung %d: trained %d times with epochs and seed %s", i, n, key)
			}
		}
		if len(trained) > 3*13 {
			t.Errorf("rung %d: %d trainings", i, len(trained))
		}
	}
}

func TestSearchNotReached(t *testing.T) {
	_, err := falling(1e9, map[string]int{}).run(ladder)
	var missed *notReached
	if !errors.As(err, &missed) || missed.epochs != ladder[len(ladder)-1] {
		t.Errorf("error %v, want %T at the last rung", err, missed)
	}
	bad := errors.New("bad")
	s := search{target: 2, seeds: threeSeeds, train: func(int, uint64) (outcome, error) {
		return outcome{}, bad
	}}
	if _, err := s.run(ladder); err != bad {
		t.Errorf("error %v, want that of the training", err)
	}
}

// TestSearchNoisy: with distances as noisy as real ones the result reaches the target, the rung
// below does not, and it is near the right one.
func TestSearchNoisy(t *testing.T) {
	const right = 60
	for trial := range uint64(200) {
		distance := func(epochs int, seed uint64) float64 {
			rng := rand.New(rand.NewPCG(1000*trial+seed, uint64(epochs)))
			return 2 * math.Sqrt(right/float64(epochs)) * (1 + 0.05*rng.NormFloat64())
		}
		mean := func(epochs int) (sum float64) {
			for _, seed := range threeSeeds {
				sum += distance(epochs, seed) / 3
			}
			return sum
		}
		got, err := search{2, threeSeeds, func(epochs int, seed uint64) (outcome, error) {
			return outcome{FD: distance(epochs, seed)}, nil
		}}.run(ladder)
		if err != nil {
			t.Fatal(err)
		}
		below := ladder[slices.Index(ladder, got)-1]
		if mean(got) > 2 || mean(below) <= 2 {
			t.Errorf("trial %d: %d epochs have %.3f, %d have %.3f", trial, got, mean(got), below,
				mean(below))
		}
		if got < right*2/3 || got > right*3/2 {
			t.Errorf("trial %d: %d epochs, right are %d", trial, got, right)
		}
	}
}

// TestReached: NaN is not at most the target, and seeds that cannot change the answer are left out.
func TestReached(t *testing.T) {
	for _, c := range []struct {
		fds  []float64
		want bool
		runs int
	}{
		{[]float64{2, 2, 2}, true, 3}, {[]float64{1, 2, 3}, true, 3},
		{[]float64{1, 2, 3.01}, false, 3}, {[]float64{7, 0, 0}, false, 1},
		{[]float64{1, math.NaN(), 0}, false, 2},
	} {
		runs := 0
		s := search{2, threeSeeds, func(_ int, seed uint64) (outcome, error) {
			runs++
			return outcome{FD: c.fds[seed-1]}, nil
		}}
		if got, err := s.reached(7); got != c.want || err != nil || runs != c.runs {
			t.Errorf("%v: %v, %v after %d trainings; want %v after %d", c.fds, got, err, runs,
				c.want, c.runs)
		}
	}
}

func TestRungs(t *testing.T) {
	want := []int{2, 3, 4, 5, 6, 7, 8}
	if !slices.Equal(ladder[:7], want) || ladder[len(ladder)-1] < 450 {
		t.Errorf("ladder %v", ladder)
	}
}
