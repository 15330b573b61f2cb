package particle

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// beyond reports whether |diff| exceeds tol or is NaN.
func beyond(diff, tol float64) bool { return !(math.Abs(diff) <= tol) }

// The positions of a new cloud are the normals of their addresses, with mean 0, mean square 1 and
// unit standard deviation in each dimension, within 5 standard errors of 6,000 particles. The
// velocities are zero.
func TestNewCloud(t *testing.T) {
	const m, n, d, seed = 2000, 3, 5, 9
	c := NewCloud(nil, 0, m, n, d, true, seed)
	ids := make([]uint64, m*n)
	for i := range ids {
		ids[i] = uint64(i)
	}
	want := make([]float32, m*n*d)
	kernel.NormalRows(want, ids, d, kernel.Key{Seed: seed, Stream: StreamCloud})
	if !slices.Equal(c.Z, want) {
		t.Error("the positions are not the normals of their rows")
	}
	if slices.ContainsFunc(c.U, func(u float32) bool { return u != 0 }) || len(c.U) != len(c.Z) {
		t.Error("velocities are not zero")
	}
	if len(c.Visited) != m || slices.Max(c.Visited) != 0 {
		t.Error("a datapoint counts as visited")
	}
	var mean float64
	for _, z := range c.Z {
		mean += float64(z) / (m * n * d)
	}
	s := c.Stats()
	se := 1 / math.Sqrt(m*n*d)
	seStd := 1 / math.Sqrt(2*m*n)
	if beyond(mean, 5*se) || beyond(s.MeanSquare-1, 5*math.Sqrt2*se) ||
		beyond(s.StdMin-1, 5*seStd) || beyond(s.StdMax-1, 5*seStd) {
		t.Errorf("mean %v, %+v", mean, s)
	}
	if NewCloud(nil, 0, m, n, d, false, seed).U != nil {
		t.Error("velocities without momentum")
	}
	if slices.Equal(NewCloud(nil, 0, m, n, d, false, seed+1).Z, c.Z) {
		t.Error("the seed has no effect")
	}
}

// Stats is exact if dimension j has the values 3 + 2^j and 3 - 2^j equally often.
func TestStats(t *testing.T) {
	const m, n, d = 4, 2, 3
	c := NewCloud(nil, 0, m, n, d, false, 0)
	for i := range c.Z {
		c.Z[i] = 3 + float32(int(1)<<(i%d))*float32(1-2*(i/d%2))
	}
	want := Stats{MeanSquare: 9 + (1.0+4+16)/3, StdMin: 1, StdMax: 4}
	if got := c.Stats(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestSetSteps(t *testing.T) {
	const h = 0.001
	for _, c := range []struct {
		name      string
		visited   int // last minibatch; -1: never
		minibatch uint32
		catchUp   int
		factor    float64
	}{
		{"off", 3, 9, 0, 1},
		{"off, never visited", -1, 9, 0, 1},
		{"never visited", -1, 9, 5, 1},
		{"the same minibatch again", 9, 9, 5, 1},
		{"the minibatch before", 8, 9, 5, 1},
		{"two ago", 7, 9, 5, 2},
		{"four ago", 5, 9, 5, 4},
		{"at the cap", 4, 9, 5, 5},
		{"beyond the cap", 0, 9, 5, 5},
		{"capped at one", 0, 9, 1, 1},
		{"first minibatch", -1, 0, 5, 1},
		{"visited in the first", 0, 3, 10, 3},
	} {
		b := NewCloud(nil, 0, 3, 2, 1, false, 0).NewBatch(nil, 4)
		if c.visited >= 0 {
			b.Select([]int{2})
			b.MarkVisited(uint32(c.visited))
		}
		b.Select([]int{0, 2})
		b.SetSteps(h, c.catchUp, c.minibatch)
		want := []float32{h, h, float32(h * c.factor), float32(h * c.factor)}
		if !slices.Equal(b.H, want) {
			t.Errorf("%s: steps %v, want %v", c.name, b.H, want)
		}
	}
}

func TestSelect(t *testing.T) {
	b := NewCloud(nil, 0, 5, 3, 2, true, 1).NewBatch(nil, 6)
	for _, c := range []struct {
		idx []int
		ids []uint64
	}{
		{[]int{4, 1}, []uint64{12, 13, 14, 3, 4, 5}},
		{[]int{0}, []uint64{0, 1, 2}},
		{nil, nil},
	} {
		b.Select(c.idx)
		if !slices.Equal(b.IDs, c.ids) {
			t.Errorf("%v selects %v, want %v", c.idx, b.IDs, c.ids)
		}
	}
	if a := testing.AllocsPerRun(10, func() { b.Select([]int{4, 1}) }); a != 0 {
		t.Errorf("Select allocates %v times", a)
	}
}

// Gather copies the right positions and velocities, in parts.
func TestGather(t *testing.T) {
	const d = 3
	c := NewCloud(nil, 0, 5, 2, d, true, 1)
	for i := range c.U {
		c.U[i] = float32(i)
	}
	b := c.NewBatch(nil, 6)
	b.Select([]int{3, 0, 4})
	b.Gather(4, 6)
	b.Gather(0, 4)
	for i, row := range []int{6, 7, 0, 1, 8, 9} {
		if !slices.Equal(b.Rows(b.Z, i, i+1), c.Z[row*d:(row+1)*d]) ||
			!slices.Equal(b.Rows(b.U, i, i+1), c.U[row*d:(row+1)*d]) {
			t.Errorf("row %d of the batch is not row %d of the cloud", i, row)
		}
	}
}
