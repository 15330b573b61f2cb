package metric

import (
	"context"

	"github.com/plume-ml/plume/trainer/pool"
)

// rooms is what tasks work in: as many as work at once, each used by one task at a time.
type rooms[T any] chan T

func newRooms[T any](p *pool.Pool, room func() T) rooms[T] {
	all := make(rooms[T], workers(p))
	for range workers(p) {
		all <- room()
	}
	return all
}

// use runs a task in a room of its own.
func (r rooms[T]) use(task func(room T)) {
	room := <-r
	defer func() { r <- room }()
	task(room)
}

// run runs n tasks on the pool, or one after the other without one.
func run(p *pool.Pool, n int, task func(i int)) {
	if p != nil {
		p.Run(pool.Group{N: n, Do: task})
		return
	}
	for i := range n {
		task(i)
	}
}

// runUntil is run whose tasks are passed over once ctx has ended: then it returns ctx's error, and
// what the tasks were to find is of no use.
func runUntil(ctx context.Context, p *pool.Pool, n int, task func(i int)) error {
	run(p, n, func(i int) {
		if ctx.Err() == nil {
			task(i)
		}
	})
	return ctx.Err()
}

// workers is how many tasks of run work at once.
func workers(p *pool.Pool) int {
	if p == nil {
		return 1
	}
	return p.Workers()
}
