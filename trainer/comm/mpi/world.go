package mpi

import (
	"errors"
	"fmt"
	"sync"

	"github.com/plume-ml/plume/trainer/comm"
)

// engine is a link, and what else a World needs of the library.
type engine interface {
	link
	// waiting are the ranks that an exchange under way waits for. It may be called at any time.
	waiting() []int
	// abort ends the processes of all ranks. It may be called at any time.
	abort(code int)
	// finalize ends the use of the library.
	finalize() error
}

// World is one of the ranks that a launcher has started. It implements comm.Comm; calls of several
// goroutines are made one after the other.
type World struct {
	engine engine
	hosts  []string // of the ranks

	mu     sync.Mutex
	group  *group
	failed error // of all later calls
}

// hostLength is the room for the name of a host.
const hostLength = 64

// newWorld makes a World and exchanges the names of hosts.
func newWorld(e engine, rank, size int, host string, o Options) (*World, error) {
	w := &World{engine: e, group: newGroup(e, rank, size, o.filled().Direct)}
	names := make([]byte, hostLength*size)
	copy(names[hostLength*rank:hostLength*(rank+1)], host)
	if err := w.group.tell(names); err != nil {
		return nil, fmt.Errorf("rank %d (%s) cannot exchange names with the others: %w", rank,
			host, err)
	}
	for r := range size {
		name := names[hostLength*r : hostLength*(r+1)]
		for len(name) > 0 && name[len(name)-1] == 0 {
			name = name[:len(name)-1]
		}
		w.hosts = append(w.hosts, string(name))
	}
	return w, nil
}

// tell gathers equal parts of bytes in rank 0 and sends them all to each: once, at the start.
func (g *group) tell(all []byte) error {
	tag, n := g.next(opening, 0), len(all)/g.size
	if g.rank == 0 {
		g.others(func(peer int) { g.receive(peer, all[n*peer:n*(peer+1)]) })
	} else {
		g.send(0, all[n*g.rank:n*(g.rank+1)])
	}
	if err := g.swap(tag); err != nil {
		return err
	}
	whole, err := g.broadcast(all, 0)
	copy(all, whole)
	return err
}

// Rank implements comm.Comm.
func (w *World) Rank() int { return w.group.rank }

// Size implements comm.Comm.
func (w *World) Size() int { return w.group.size }

// Host is the name of the machine of a rank.
func (w *World) Host(rank int) string { return w.hosts[rank] }

// Waiting returns the ranks that the call under way waits for.
func (w *World) Waiting() []int { return w.engine.waiting() }

// name is a rank with its host.
func (w *World) name(rank int) string { return fmt.Sprintf("rank %d (%s)", rank, w.hosts[rank]) }

// do makes a call, unless one has failed, and explains its error.
func (w *World) do(k kind, call func(g *group) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return w.failed
	}
	err := call(w.group)
	if other := (*surprise)(nil); errors.As(err, &other) {
		err = other.explain(w.Rank(), w.name)
	} else if err != nil {
		err = fmt.Errorf("%v on %s: %w", k, w.name(w.Rank()), err)
	}
	w.failed = err
	return err
}

// SumTree implements comm.Comm.
func (w *World) SumTree(x []float32) error {
	return w.do(sumTree, func(g *group) error { return g.sumTree(x) })
}

// Gather implements comm.Comm.
func (w *World) Gather(x []float64) error {
	if len(x)%w.Size() != 0 {
		return fmt.Errorf("Gather of %d numbers on %d ranks: expected equal parts", len(x),
			w.Size())
	}
	return w.do(gather, func(g *group) error { return g.gather(x) })
}

// Broadcast implements comm.Comm.
func (w *World) Broadcast(x []byte, root int) (got []byte, err error) {
	if root < 0 || root >= w.Size() {
		return nil, fmt.Errorf("Broadcast from rank %d of %d", root, w.Size())
	}
	err = w.do(broadcast, func(g *group) error {
		got, err = g.broadcast(x, root)
		return err
	})
	return got, err
}

// Barrier implements comm.Comm.
func (w *World) Barrier() error {
	return w.do(barrier, func(g *group) error { return g.meet(barrier) })
}

// Abort ends the processes of all ranks with the code, this one too: it does not return.
func (w *World) Abort(code int) { w.engine.abort(code) }

var errClosed = errors.New("the ranks have parted: Close was called")

// Close waits until all ranks have called it, tells those that make another call, and ends the use
// of MPI. After the error of a call it does nothing: the library could wait for ever.
func (w *World) Close() error {
	err := w.do(closing, func(g *group) error { return g.meet(closing) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return err
	}
	w.failed = errClosed
	return w.engine.finalize()
}

var _ comm.Comm = (*World)(nil)
