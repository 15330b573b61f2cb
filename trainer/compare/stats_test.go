package compare

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/record"
)

var nan = record.Number(math.NaN())

// near compares a number with one computed by hand.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

func TestSpread(t *testing.T) {
	c := spread([]record.Number{2, 4, nan, 9}) // squares 9 + 1 + 16 over 2
	near(t, "mean", float64(c.Mean), 5, 1e-15)
	near(t, "sd", float64(c.SD), math.Sqrt(13), 1e-15)
	if c.N != 3 {
		t.Errorf("n = %d", c.N)
	}
	if one := spread([]record.Number{7}); one.Mean != 7 || one.SD.Finite() || one.N != 1 {
		t.Errorf("one value: %+v", one)
	}
	if none := spread([]record.Number{nan}); none.Mean.Finite() || none.N != 0 {
		t.Errorf("no value: %+v", none)
	}
}

// Variances 4 (of 3) and 1 (of 2): pooled (2*4 + 1)/3 = 3, times 1/3 + 1/2 = 5/6 gives 2.5.
func TestPooledError(t *testing.T) {
	a, b := Cell{SD: 2, N: 3}, Cell{SD: 1, N: 2}
	near(t, "error", pooledError(a, b), math.Sqrt(2.5), 1e-15)
	near(t, "with a single run", pooledError(a, Cell{SD: nan, N: 1}), 2*math.Sqrt(4.0/3), 1e-15)
	if e := pooledError(Cell{SD: nan, N: 1}, Cell{SD: nan, N: 1}); !math.IsNaN(e) {
		t.Errorf("of two single runs: %v", e)
	}
}

func TestRank(t *testing.T) {
	// The standard error of a difference between the first four is sqrt(0.03 * 2/3) = 0.1414.
	sd := record.Number(math.Sqrt(0.03))
	make5 := func() []*Cell {
		return []*Cell{
			{Mean: 1.14, SD: sd, N: 3}, {Mean: 1, SD: sd, N: 3},
			{Mean: 1.15, SD: sd, N: 3}, {Mean: 0.87, SD: sd, N: 3}, spreadPtr(),
		}
	}
	check := func(better string, best int, tied ...bool) {
		t.Helper()
		cells := make5()
		rank(cells, better)
		for i, c := range cells {
			if c.Best != (i == best) || c.Tied != tied[i] {
				t.Errorf("better %q, cell %d: %+v", better, i, *c)
			}
		}
	}
	check("lower", 3, false, true, false, false, false)
	check("higher", 2, true, false, false, false, false)
	check("", -1, false, false, false, false, false)

	single := []*Cell{{Mean: 1, SD: nan, N: 1}, {Mean: 1, SD: nan, N: 1}}
	rank(single, "lower")
	if !single[0].Best || !single[1].Best || single[0].Tied || single[1].Tied {
		t.Errorf("equal means are equally good: %+v %+v", *single[0], *single[1])
	}
	single[1].Mean += 1e-9
	rank(single, "lower")
	if !single[0].Best || single[1].Best || single[1].Tied {
		t.Errorf("single runs say nothing about ties: %+v %+v", *single[0], *single[1])
	}
	rank([]*Cell{spreadPtr()}, "lower")
}

func spreadPtr() *Cell {
	none := spread(nil)
	return &none
}
