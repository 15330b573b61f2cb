package pool_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/plume-ml/plume/trainer/pool"
)

// Without a pool, tasks run in order on the caller's goroutine, in one scratch.
func TestEachAlone(t *testing.T) {
	var order []int
	s := pool.NewScratch(nil, func() int { return 7 })
	pool.Each(nil, 5, func(i int) {
		s.Use(func(v int) { order = append(order, v+i) })
	})
	if !slices.Equal(order, []int{7, 8, 9, 10, 11}) || len(s) != 1 {
		t.Errorf("%v, %d values", order, len(s))
	}
}

// No two tasks have the same value at a time, and there are no more values than workers.
func TestScratch(t *testing.T) {
	p := pool.New(3)
	defer p.Close()
	made := 0
	s := pool.NewScratch(p, func() *atomic.Int32 { made++; return new(atomic.Int32) })
	pool.Each(p, 1000, func(int) {
		s.Use(func(users *atomic.Int32) {
			if users.Add(1) != 1 {
				t.Error("two tasks use one value")
			}
			users.Add(-1)
		})
	})
	if made != 3 {
		t.Errorf("%d values for 3 workers", made)
	}
}
