// Package pool runs the tasks of one phase of a step on a fixed set of worker goroutines.
//
// Tasks write to disjoint places, and how they are cut either does not depend on the number of workers or does not
// show in what they compute: so any number of workers computes the same bits, and which worker
// takes which task does not matter.
package pool

import (
	"context"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
)

// cores is the parallelism that the process started with.
var cores = runtime.GOMAXPROCS(0)

// DefaultWorkers is the number of workers that New(0) starts.
func DefaultWorkers() int { return cores }

// SpareProcessors doubles GOMAXPROCS, for programs whose workers spend their time in cgo, as
// those of OpenBLAS do; the default number of workers stays what it was. A goroutine keeps its
// scheduler slot during a long C call only while another slot is idle; with as many workers as
// slots each call of more than 20 us loses it and has to win it back, which cost two workers
// up to a fifth of their speed (bench/README.md). It changes the whole process, so only a program's main may decide it.
func SpareProcessors() { runtime.GOMAXPROCS(2 * cores) }

// Pool is a set of workers. Run is for one caller at a time; the caller works too.
type Pool struct {
	workers int
	spins   int           // how often a goroutine looks for a token before it sleeps
	start   chan struct{} // one token wakes one helper for the current phase
	left    atomic.Int32  // helpers that still work on the current phase
	done    chan struct{} // one token ends it
	exited  sync.WaitGroup

	next  atomic.Int64
	tasks int
	task  func(i int)
}

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

// spins takes some 50 us: to be woken takes about as long, and most phases are shorter than a few milliseconds.
const spins = 1 << 14

// await receives a token, or tells that there will be none.
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

// drain takes tasks until none is left. Tasks start in order, so the longest should come first.
// Labels for the profiler that the tasks left on the goroutine end here, so that waiting and what
// the caller of Run does next do not count as theirs.
func (p *Pool) drain() {
	for {
		i := int(p.next.Add(1)) - 1
		if i >= p.tasks {
			pprof.SetGoroutineLabels(context.Background())
			return
		}
		p.task(i)
	}
}

// Run calls task(0) .. task(n-1), each once, and returns when all have returned. It does not
// allocate; a task kept in a struct field makes the call free of allocation altogether. The
// caller's goroutine has no profiler labels (package runtime/pprof) afterwards.
func (p *Pool) Run(n int, task func(i int)) {
	p.next.Store(0)
	p.tasks, p.task = n, task
	helpers := min(p.workers, n) - 1
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
	p.task = nil
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
