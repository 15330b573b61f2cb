package pool_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/plume-ml/plume/trainer/pool"
)

func TestEveryTaskOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		p := pool.New(workers)
		for _, n := range []int{0, 1, 2, 7, 1000} {
			count := make([]atomic.Int32, n)
			p.Run(n, func(i int) { count[i].Add(1) })
			for i := range count {
				if c := count[i].Load(); c != 1 {
					t.Fatalf("%d workers, %d tasks: task %d ran %d times", workers, n, i, c)
				}
			}
		}
		p.Close()
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	var sum atomic.Int64
	task := func(i int) { sum.Add(int64(i)) }
	if a := testing.AllocsPerRun(100, func() { p.Run(16, task) }); a != 0 {
		t.Errorf("Run allocates %v times", a)
	}
}

// Labels set by a task do not outlive Run, neither in a worker nor in the caller of Run.
func TestLabelsEnd(t *testing.T) {
	const workers = 3
	p := pool.New(workers)
	defer p.Close()
	labelled := pprof.WithLabels(t.Context(), pprof.Labels("pool", "test"))
	var all sync.WaitGroup
	all.Add(workers)
	p.Run(workers, func(int) {
		pprof.SetGoroutineLabels(labelled)
		all.Done()
		all.Wait() // so that each worker runs one task
	})
	defer pprof.SetGoroutineLabels(context.Background())
	var dump bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&dump, 1); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(dump.Bytes(), []byte(`"pool":"test"`)) {
		t.Errorf("a label outlives its task:\n%s", &dump)
	}
}

func TestSpansTile(t *testing.T) {
	for total := range 200 {
		n, end := pool.Pieces(total, 32), 0
		for i := range n {
			lo, hi := pool.Span(total, n, i)
			if lo != end || hi-lo > 32 {
				t.Fatalf("piece %d of %d is [%d, %d), after %d", i, total, lo, hi, end)
			}
			end = hi
		}
		if end != total {
			t.Fatalf("pieces of %d end at %d", total, end)
		}
	}
}
