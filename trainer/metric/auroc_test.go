package metric

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plume-ml/plume/kernel"
)

// Small cases counted by hand: pairs of a positive and a negative score.
func TestAUROCByHand(t *testing.T) {
	for _, c := range []struct {
		positive, negative []float64
		want               float64
	}{
		{[]float64{3, 4}, []float64{1, 2}, 1},
		{[]float64{1, 2}, []float64{3, 4}, 0},
		{[]float64{1, 1}, []float64{1, 1}, 0.5},
		{[]float64{1, 3}, []float64{2, 4}, 0.25},
		{[]float64{2, 3, 5}, []float64{1, 2}, 5.5 / 6},
		{[]float64{math.Inf(1), 0}, []float64{math.Inf(-1), 1}, 0.75},
	} {
		got, err := AUROC(c.positive, c.negative, 0.95)
		if err != nil || math.Abs(got.Value-c.want) > 1e-15 {
			t.Errorf("%v over %v: %v, %v, expected %v", c.positive, c.negative, got.Value, err,
				c.want)
		}
		if got.Low > got.Value || got.High < got.Value || got.Low < 0 || got.High > 1 {
			t.Errorf("%v over %v: interval %+v", c.positive, c.negative, got)
		}
	}
	for _, bad := range [][]float64{{1}, {1, math.NaN()}} {
		if got, err := AUROC(bad, []float64{1, 2}, 0.95); err == nil {
			t.Errorf("%v: %v and no error", bad, got)
		}
		if got, err := AUROC([]float64{1, 2}, bad, 0.95); err == nil {
			t.Errorf("negative %v: %v and no error", bad, got)
		}
	}
}

// For N(s, 1) over N(0, 1) the area is Phi(s/sqrt 2). 400 intervals of 95 % miss it 20 times in the
// mean, with a standard deviation of 4.4; the asymptotic ones of 40 scores are a little narrow. An
// interval of half the width would miss it 130 times, one of twice the width never.
func TestAUROCCovers(t *testing.T) {
	const sets, n, shift = 400, 40, 1.0
	want := distuv.UnitNormal.CDF(shift / math.Sqrt2)
	missed := 0
	for set := range sets {
		x := make([]float32, 2*n)
		kernel.Normal(x, kernel.Key{Seed: 5, Step: uint32(set), Stream: StreamMetric}, 0)
		var scores [2][]float64
		for i, v := range x {
			scores[i%2] = append(scores[i%2], float64(v)+shift*float64(i%2))
		}
		got, err := AUROC(scores[1], scores[0], 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if got.Low > want || got.High < want {
			missed++
		}
	}
	if missed < 7 || missed > 42 {
		t.Errorf("%d of %d intervals miss the area", missed, sets)
	}
}
