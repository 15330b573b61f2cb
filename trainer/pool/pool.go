// Package pool runs a step's phases, lists of groups of tasks, on a fixed set of worker goroutines.
//
// Tasks write to disjoint places, and how they are cut either does not depend on the number of
// workers or does not show in what they compute: so any number of workers computes the same bits,
// and which worker takes which task does not matter.
package pool

import (
	"context"
	"math"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// cores is the parallelism that the process started with.
var cores = runtime.GOMAXPROCS(0)

// DefaultWorkers is the number of workers that New(0) starts.
func DefaultWorkers() int { return cores }

// SpareProcessors doubles GOMAXPROCS, for programs whose workers spend their time in cgo, as
// those of OpenBLAS do; the default number of workers stays what it was. A goroutine keeps its
// scheduler slot during a long C call only while another slot is idle; with as many workers as
// slots each call of more than 20 us loses it and has to win it back, which cost two workers
// up to a fifth of their speed (bench/README.md). It changes the whole process, so only a program's
// main may decide it.
func SpareProcessors() { runtime.GOMAXPROCS(2 * cores) }

// Pool is a set of workers. Run is for one caller at a time; the caller works too.
type Pool struct {
	workers int
	spins   int           // how often a goroutine looks for a token before it sleeps
	start   chan struct{} // one token wakes one helper for the current phase
	left    atomic.Int32  // helpers that still work on the current phase
	done    chan struct{} // one token ends it
	exited  sync.WaitGroup

	next   atomic.Int64     // number of the next task, counted over all groups
	groups [maxGroups]Group // of the current phase; those after the last are empty

	timed func(took []time.Duration) // of Serial; nil: there are workers
}

// Group is N independent tasks: Do(0) .. Do(N-1).
type Group struct {
	N  int
	Do func(i int)
}

// maxGroups is the largest number of groups in a phase: they are copied into an array, so that Run
// does not allocate.
const maxGroups = 8

const panicGroups = "pool: Run takes at most 8 groups"

// New starts a pool of the given number of workers, the caller of Run included; 0 means the
// GOMAXPROCS that the process started with. Close ends it.
func New(workers int) *Pool {
	if workers <= 0 {
		workers = cores
	}
	p := &Pool{workers: workers, start: make(chan struct{}, workers), done: make(chan struct{}, 1)}
	if workers <= runtime.GOMAXPROCS(0) { // else who looks only keeps others from their work
		p.spins = spins
	}
	p.exited.Add(workers - 1)
	for range workers - 1 {
		go p.help()
	}
	return p
}

// Workers is the number of workers, the caller of Run included.
func (p *Pool) Workers() int { return p.workers }

// spins takes some 50 us: waking a goroutine takes about as long, and most phases are shorter than
// a few milliseconds.
const spins = 1 << 14

// await receives a token; open is false if there will be none.
func (p *Pool) await(tokens chan struct{}) (open bool) {
	for range p.spins {
		select {
		case _, open = <-tokens:
			return open
		default:
		}
	}
	_, open = <-tokens
	return open
}

func (p *Pool) help() {
	defer p.exited.Done()
	for p.await(p.start) {
		p.drain()
		if p.left.Add(-1) == 0 {
			p.done <- struct{}{}
		}
	}
}

// drain takes tasks until none is left. Profiler labels that the tasks left on the goroutine end
// here, so that neither waiting nor what the caller of Run does next counts as theirs.
func (p *Pool) drain() {
	g, first := 0, 0 // the group of the task taken last, and the number of its first task
	for {
		i := int(p.next.Add(1)) - 1
		for g < maxGroups && i >= first+p.groups[g].N {
			first += p.groups[g].N
			g++
		}
		if g == maxGroups {
			pprof.SetGoroutineLabels(context.Background())
			return
		}
		p.groups[g].Do(i - first)
	}
}

// Serial returns a pool for which tasks are cut as for so many workers, and which makes them on the
// caller's goroutine, one after the other. It tells phase how long each task of each phase took, in
// the order in which workers would take them. It begins each group with another task, and goes on
// with the first one after the last, so that no task is always the one for which caches have
// nothing.
func Serial(workers int, phase func(took []time.Duration)) *Pool {
	return &Pool{workers: workers, start: make(chan struct{}), timed: phase}
}

// serial is Run of such a pool.
func (p *Pool) serial(groups []Group) {
	const golden = 0.6180339887498949 // its multiples' fractions lie evenly
	_, turn := math.Modf(golden * float64(p.next.Add(1)))
	var took []time.Duration
	for _, g := range groups {
		times := make([]time.Duration, g.N)
		for i := range g.N {
			i = (i + int(turn*float64(g.N))) % g.N
			began := time.Now()
			g.Do(i)
			times[i] = time.Since(began)
		}
		took = append(took, times...)
	}
	pprof.SetGoroutineLabels(context.Background())
	p.timed(took)
}

// Run runs one phase: it calls every task of every group once and returns when all have returned.
// Tasks start in the order of the groups and of their numbers, so the longest should come first;
// they must not depend on each other. Run does not allocate; if each Do is kept in a struct field,
// neither does the call. The caller's goroutine has no profiler labels (package runtime/pprof)
// afterwards. Run panics if there are more than 8 groups.
func (p *Pool) Run(groups ...Group) {
	if len(groups) > maxGroups {
		panic(panicGroups)
	}
	if p.timed != nil {
		p.serial(groups)
		return
	}
	copy(p.groups[:], groups)
	tasks := 0
	for _, g := range groups {
		tasks += g.N
	}
	p.next.Store(0)
	helpers := min(p.workers, tasks) - 1
	if helpers > 0 {
		p.left.Store(int32(helpers))
		for range helpers {
			p.start <- struct{}{}
		}
	}
	p.drain()
	if helpers > 0 {
		p.await(p.done)
	}
	p.groups = [maxGroups]Group{}
}

// Close ends the workers. Run must not be called afterwards.
func (p *Pool) Close() {
	close(p.start)
	p.exited.Wait()
}

// Span is piece i of n nearly equal pieces of 0..total: lo inclusive, hi exclusive.
func Span(total, n, i int) (lo, hi int) { return total * i / n, total * (i + 1) / n }

// Pieces is how many pieces of at most size it takes to hold total (at least one).
func Pieces(total, size int) int { return max(1, (total+size-1)/size) }
