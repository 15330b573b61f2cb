package data

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/comm"
)

func TestBatches(t *testing.T) {
	for _, tc := range []struct{ m, batch, n int }{
		{10, 3, 4}, {10, 5, 2}, {10, 10, 1}, {10, 11, 1}, {1, 1, 1}, {7, 1, 7}, {9000, 500, 18},
		{9001, 500, 19}, {1617, 250, 7},
	} {
		b := NewBatches(tc.m, tc.batch, 1)
		if b.PerEpoch() != tc.n {
			t.Errorf("%d by %d: %d batches; expected %d", tc.m, tc.batch, b.PerEpoch(), tc.n)
		}
		for epoch := range 3 {
			seen, smallest, largest := []int(nil), tc.m, 0
			for k := range b.PerEpoch() {
				at := b.At(epoch, k)
				smallest, largest = min(smallest, len(at)), max(largest, len(at))
				seen = append(seen, at...)
			}
			if largest > tc.batch || largest-smallest > 1 || smallest < 1 {
				t.Errorf("%d by %d: batches of %d to %d", tc.m, tc.batch, smallest, largest)
			}
			slices.Sort(seen)
			if !slices.Equal(seen, Range(0, tc.m)) {
				t.Errorf("%d by %d, epoch %d: not every datapoint exactly once", tc.m,
					tc.batch, epoch)
			}
		}
	}
}

func TestBatchesStateless(t *testing.T) {
	a, b, other := NewBatches(1000, 64, 7), NewBatches(1000, 64, 7), NewBatches(1000, 64, 8)
	first := a.At(0, 0)
	kept := slices.Clone(first)
	for epoch := range 4 {
		for k := range a.PerEpoch() {
			a.At(epoch, k)
		}
	}
	if !slices.Equal(a.At(2, 5), b.At(2, 5)) {
		t.Error("a batch depends on what was asked before")
	}
	if !slices.Equal(first, kept) || !slices.Equal(b.At(0, 0), kept) {
		t.Error("a batch changed after it was returned, or on return to its epoch")
	}
	if slices.Equal(b.At(0, 0), b.At(1, 0)) {
		t.Error("two epochs have the same order")
	}
	if slices.Equal(b.At(0, 0), other.At(0, 0)) {
		t.Error("two seeds have the same order")
	}
}

func TestBatchesAllocations(t *testing.T) {
	b := NewBatches(1000, 64, 7)
	b.At(3, 0)
	if n := testing.AllocsPerRun(100, func() { b.At(3, 9) }); n != 0 {
		t.Errorf("%v allocations within an epoch", n)
	}
}

func TestBatchesPanics(t *testing.T) {
	b := NewBatches(10, 3, 0)
	for name, f := range map[string]func(){
		"m":     func() { NewBatches(0, 1, 0) },
		"batch": func() { NewBatches(1, 0, 0) },
		"lanes": func() { NewLaneBatches(5, 5, 6, 0) },
		"half":  func() { NewLaneBatches(50, 11, 6, 0) },
		"k":     func() { b.At(0, 4) },
		"epoch": func() { b.At(-1, 0) },
	} {
		wantPanic(t, name, f)
	}
}

func wantPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", name)
		}
	}()
	f()
}

// Each lane has a part of every minibatch, in the order of the lanes, and every datapoint comes
// once an epoch. What a lane draws does not depend on the others.
func TestLaneBatches(t *testing.T) {
	for _, tc := range []struct{ m, batch, lanes, n int }{
		{43, 24, 4, 2}, {43, 24, 6, 2}, {9, 100, 8, 1}, {1000, 64, 8, 16}, {17, 8, 4, 3},
	} {
		b := NewLaneBatches(tc.m, tc.batch, tc.lanes, 1)
		if b.PerEpoch() != tc.n {
			t.Errorf("%v: %d batches; expected %d", tc, b.PerEpoch(), tc.n)
		}
		var seen []int
		for k := range b.PerEpoch() {
			at := b.At(1, k)
			if len(at) > tc.batch {
				t.Errorf("%v: a batch of %d", tc, len(at))
			}
			rest := at
			for l := range tc.lanes {
				_, last := comm.Block(tc.m, tc.lanes, l)
				n := 0
				for n < len(rest) && rest[n] < last {
					n++
				}
				if n == 0 || n > max(2, tc.batch/tc.lanes) {
					t.Errorf("%v: lane %d has %d of batch %d", tc, l, n, k)
				}
				rest = rest[n:]
			}
			if len(rest) > 0 {
				t.Errorf("%v: batch %d is %v, not in the order of the lanes", tc, k, at)
			}
			seen = append(seen, at...)
		}
		if slices.Sort(seen); !slices.Equal(seen, Range(0, tc.m)) {
			t.Errorf("%v: not every datapoint exactly once", tc)
		}
	}
	first := func(m, lanes int) []int {
		b := NewLaneBatches(m, m, lanes, 3)
		return slices.Clone(b.At(0, 0)[:m/lanes])
	}
	if one := first(400, 4); !slices.Equal(one, first(800, 8)) || slices.IsSorted(one) {
		t.Errorf("lane 0 of 100 datapoints: %v in one of eight lanes", one)
	}
}
