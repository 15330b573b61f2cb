package pool_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/pool"
)

func TestEveryTaskOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		p := pool.New(workers)
		for _, n := range []int{0, 1, 2, 7, 1000} {
			count := make([]atomic.Int32, n)
			p.Run(pool.Group{N: n, Do: func(i int) { count[i].Add(1) }})
			for i := range count {
				if c := count[i].Load(); c != 1 {
					t.Fatalf("%d workers, %d tasks: task %d ran %d times", workers, n, i, c)
				}
			}
		}
		p.Close()
	}
}

// Each task of each group runs once. An empty group needs no Do.
func TestGroups(t *testing.T) {
	for _, workers := range []int{1, 3} {
		p := pool.New(workers)
		for _, sizes := range [][]int{
			{}, {0}, {0, 0, 5}, {2, 0, 1}, {1, 0, 0}, {3, 1, 4, 1, 5, 9, 2, 6},
		} {
			groups, count := make([]pool.Group, len(sizes)), make([][]atomic.Int32, len(sizes))
			for g, n := range sizes {
				count[g] = make([]atomic.Int32, n)
				if groups[g].N = n; n > 0 {
					groups[g].Do = func(i int) { count[g][i].Add(1) }
				}
			}
			p.Run(groups...)
			for g := range count {
				for i := range count[g] {
					if c := count[g][i].Load(); c != 1 {
						t.Fatalf("%d workers, groups of %v: task %d of group %d ran %d times",
							workers, sizes, i, g, c)
					}
				}
			}
		}
		p.Close()
	}
}

// Tasks start in the order of their groups.
func TestOrder(t *testing.T) {
	p := pool.New(1)
	defer p.Close()
	var got []int
	group := func(first int) pool.Group {
		return pool.Group{N: 2, Do: func(i int) { got = append(got, first+i) }}
	}
	p.Run(group(0), group(10), group(20))
	if want := []int{0, 1, 10, 11, 20, 21}; !slices.Equal(got, want) {
		t.Errorf("the tasks ran in the order %v, expected %v", got, want)
	}
}

func TestTooManyGroups(t *testing.T) {
	p := pool.New(1)
	defer p.Close()
	defer func() {
		if recover() == nil {
			t.Error("nine groups do not panic")
		}
	}()
	p.Run(make([]pool.Group, 9)...)
}

func TestRunDoesNotAllocate(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	var sum atomic.Int64
	task := func(i int) { sum.Add(int64(i)) }
	run := func() { p.Run(pool.Group{N: 16, Do: task}, pool.Group{N: 3, Do: task}) }
	if a := testing.AllocsPerRun(100, run); a != 0 {
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
	p.Run(pool.Group{N: workers, Do: func(int) {
		pprof.SetGoroutineLabels(labelled)
		all.Done()
		all.Wait() // so that each worker runs one task
	}})
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

// checkFrom compares tiles of later points with the same tiles of the first ones.
func checkFrom(t *testing.T, tiles pool.Tiles, each int) {
	t.Helper()
	const from = 9
	later := tiles.From(from)
	for i := range tiles.Count {
		first, last := tiles.Points(i)
		lo, hi := tiles.Rows(i)
		gotFirst, gotLast := later.Points(i)
		gotLo, gotHi := later.Rows(i)
		if gotFirst != first+from || gotLast != last+from || gotLo != lo+from*each ||
			gotHi != hi+from*each {
			t.Errorf("tile %d from point %d: points %d to %d, rows %d to %d", i, from, gotFirst,
				gotLast, gotLo, gotHi)
		}
	}
	if again := tiles.From(0); later.Count != tiles.Count || again != tiles {
		t.Errorf("from 0 %+v, expected %+v", again, tiles)
	}
}

// A serial pool makes each task once, begins its groups with several tasks by turns, and tells
// their times in order.
func TestSerial(t *testing.T) {
	var took []time.Duration
	p := pool.Serial(64, func(times []time.Duration) { took = times })
	firsts := map[int]bool{}
	for range 20 {
		var done []int
		long := func(i int) {
			if done = append(done, i); i == 2 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		p.Run(pool.Group{N: 3, Do: func(int) {}}, pool.Group{}, pool.Group{N: 5, Do: long})
		firsts[done[0]] = true
		slices.Sort(done)
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(done, want) {
			t.Fatalf("tasks %v ran, expected %v", done, want)
		}
		if len(took) != 8 || took[5] != slices.Max(took) {
			t.Fatalf("times %v, expected 8, the longest of task 5", took)
		}
	}
	if len(firsts) != 5 {
		t.Errorf("of 5 tasks, only %v came first", firsts)
	}
}

// Tiles are whole points, one after the other, of about the size asked for; more of them feed many
// workers where the cut is free, of 14 rows or more unless those asked for have fewer; and where
// there are few for each worker, each gets as many.
func TestTiles(t *testing.T) {
	for _, c := range []struct {
		points, each, size, workers int
		tiles, free                 int // expected
	}{
		{500, 1, 64, 2, 8, 8}, {500, 1, 64, 16, 8, 32}, {500, 1, 64, 64, 8, 35},
		{250, 1, 64, 16, 4, 17}, {128, 8, 64, 64, 16, 64}, {4, 16, 64, 64, 1, 4},
		{3, 100, 64, 2, 3, 3}, {0, 1, 64, 4, 1, 1}, {500, 1, 64, 3, 8, 9},
		{128, 1, 6, 1, 22, 22}, {128, 1, 6, 2, 22, 22}, {128, 1, 6, 16, 22, 32},
		{128, 1, 6, 64, 22, 64}, {128, 1, 6, 100, 22, 100}, {128, 1, 6, 200, 22, 22},
		{128, 1, 1, 64, 128, 128}, {128, 1, 1, 48, 128, 128},
	} {
		p := pool.New(c.workers)
		cut := p.Tiles(c.points, c.each, c.size, false)
		free := p.Tiles(c.points, c.each, c.size, true)
		p.Close()
		if cut.Count != c.tiles || free.Count != c.free {
			t.Errorf("%+v: %d tiles, %d where the cut is free", c, cut.Count, free.Count)
		}
		for _, tiles := range []pool.Tiles{cut, free} {
			end := 0
			for i := range tiles.Count {
				first, last := tiles.Points(i)
				lo, hi := tiles.Rows(i)
				if first != end || lo != first*c.each || hi != last*c.each {
					t.Errorf("%+v: tile %d is points %d to %d, rows %d to %d",
						c, i, first, last, lo, hi)
				}
				end = last
			}
			if end != c.points {
				t.Errorf("%+v: tiles of %d points", c, end)
			}
			checkFrom(t, tiles, c.each)
		}
	}
}
