package comm

import (
	"fmt"
	"sync"
)

// Local returns n ranks for as many goroutines of one process, which share its memory. It serves to
// try what needs several ranks.
func Local(n int) []Comm {
	h := &hub{calls: make([]call, n), left: make([]bool, n)}
	h.changed.L = &h.mu
	ranks := make([]Comm, n)
	for r := range ranks {
		ranks[r] = &local{hub: h, rank: r}
	}
	return ranks
}

// hub is where local ranks meet. A call of all ranks is a round: each rank leaves its part, and the
// last one to come does the work for all.
type hub struct {
	mu      sync.Mutex
	changed sync.Cond
	calls   []call // of this round
	came    int    // ranks that have left their part
	round   int
	left    []bool // ranks that have called Close
	failed  error  // of this call and all later ones
}

// call is a rank's part of a round.
type call struct {
	what string // the name of the method, "" for a rank that has not come
	size int    // numbers, or the root
	f32  []float32
	f64  []float64
	data []byte
	got  [][]byte // one, for what the root sends
}

// meet leaves a rank's part, and returns once the work is done. work runs on one goroutine, while
// the others wait.
func (h *hub) meet(rank int, c call, work func(all []call)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed != nil {
		return h.failed
	}
	h.calls[rank] = c
	h.came++
	for r, gone := range h.left {
		if gone {
			return h.fail(&Left{r})
		}
	}
	if h.came < len(h.calls) {
		round := h.round
		for h.round == round && h.failed == nil {
			h.changed.Wait()
		}
		if h.round != round { // whatever has failed since
			return nil
		}
		return h.failed
	}
	for r, other := range h.calls {
		if first := h.calls[0]; other.what != first.what || other.size != first.size {
			return h.fail(fmt.Errorf("rank %d calls %s of %d while rank 0 calls %s of %d",
				r, other.what, other.size, first.what, first.size))
		}
	}
	work(h.calls)
	clear(h.calls)
	h.came = 0
	h.round++
	h.changed.Broadcast()
	return nil
}

// fail ends this round and all later ones with an error, unless another one came first.
func (h *hub) fail(err error) error {
	if h.failed == nil {
		h.failed = err
		h.changed.Broadcast()
	}
	return h.failed
}

// local is one rank of a hub.
type local struct {
	*hub
	rank int
}

// Rank implements Comm.
func (l *local) Rank() int { return l.rank }

// Size implements Comm.
func (l *local) Size() int { return len(l.calls) }

// SumTree implements Comm.
func (l *local) SumTree(x []float32) error {
	return l.meet(l.rank, call{what: "SumTree", size: len(x), f32: x}, func(all []call) {
		parts := make([][]float32, len(all))
		for r, c := range all {
			parts[r] = c.f32
		}
		Add(parts)
		for _, part := range parts[1:] {
			copy(part, parts[0])
		}
	})
}

// Waiting returns the ranks that have not come to the round under way.
func (l *local) Waiting() (ranks []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, c := range l.calls {
		if c.what == "" {
			ranks = append(ranks, r)
		}
	}
	return ranks
}

// Gather implements Comm.
func (l *local) Gather(x []float64) error {
	if len(x)%l.Size() != 0 {
		return fmt.Errorf("Gather of %d numbers on %d ranks: expected equal parts", len(x),
			l.Size())
	}
	return l.meet(l.rank, call{what: "Gather", size: len(x), f64: x}, func(all []call) {
		for r, from := range all {
			lo, hi := Block(len(x), len(all), r)
			for _, to := range all {
				copy(to.f64[lo:hi], from.f64[lo:hi])
			}
		}
	})
}

// Broadcast implements Comm.
func (l *local) Broadcast(x []byte, root int) ([]byte, error) {
	if root < 0 || root >= l.Size() {
		return nil, fmt.Errorf("Broadcast from rank %d of %d", root, l.Size())
	}
	got := make([][]byte, 1)
	c := call{what: "Broadcast", size: root, data: x, got: got}
	err := l.meet(l.rank, c, func(all []call) {
		for _, to := range all {
			to.got[0] = all[root].data
		}
	})
	return got[0], err
}

// Barrier implements Comm.
func (l *local) Barrier() error {
	return l.meet(l.rank, call{what: "Barrier"}, func([]call) {})
}

// Abort implements Comm.
func (l *local) Abort(code int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.fail(&Aborted{l.rank, code}) // an earlier error stands
}

// Close implements Comm.
func (l *local) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left[l.rank] = true
	if l.came > 0 {
		_ = l.fail(&Left{l.rank}) // the others' error
	}
	return nil
}
