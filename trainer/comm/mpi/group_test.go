package mpi

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/plume-ml/plume/trainer/comm"
)

// wire is an engine of one process: channels between all ranks.
type wire struct {
	rank   int
	pipes  [][]chan parcel // from, to
	failed *failure
	sent   int // bytes
}

type parcel struct {
	tag  int
	data []byte
}

// failure ends the exchanges of all ranks.
type failure struct {
	once sync.Once
	over chan struct{}
}

var errOver = errors.New("another rank has failed")

func (w *wire) exchange(tag int, all []message) error {
	for _, m := range all {
		if m.out {
			w.pipes[w.rank][m.peer] <- parcel{tag, append([]byte(nil), m.data...)}
			w.sent += len(m.data)
		}
	}
	for _, m := range all {
		if m.out {
			continue
		}
		select {
		case p := <-w.pipes[m.peer][w.rank]:
			if p.tag != tag || len(p.data) != len(m.data) {
				w.failed.once.Do(func() { close(w.failed.over) })
				return &surprise{m.peer, p.tag, len(p.data), tag, len(m.data)}
			}
			copy(m.data, p.data)
		case <-w.failed.over:
			return errOver
		}
	}
	return nil
}

func (w *wire) waiting() []int  { return nil }
func (w *wire) abort(int)       { w.failed.once.Do(func() { close(w.failed.over) }) }
func (w *wire) finalize() error { return nil }

// onWires runs f on so many ranks, and returns their errors.
func onWires(size int, o Options, f func(w *World) error) []error {
	pipes, failed := make([][]chan parcel, size), &failure{over: make(chan struct{})}
	for from := range pipes {
		pipes[from] = make([]chan parcel, size)
		for to := range pipes[from] {
			pipes[from][to] = make(chan parcel, 100)
		}
	}
	errs := make([]error, size)
	var all sync.WaitGroup
	for r := range size {
		all.Go(func() {
			e := &wire{rank: r, pipes: pipes, failed: failed}
			w, err := newWorld(e, r, size, fmt.Sprint("node", r), o)
			if err == nil {
				err = f(w)
			}
			errs[r] = err
		})
	}
	all.Wait()
	return errs
}

// vector is a rank's summand, of numbers whose sum depends on the order.
func vector(rank, n int) []float32 {
	r := rand.New(rand.NewPCG(uint64(rank), uint64(n)))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Exp(8*r.Float64()) * r.NormFloat64())
	}
	return x
}

var trees sync.Map // of sums that have been computed, by ranks and length

// tree is the sum of all ranks' vectors as package comm defines it.
func tree(ranks, n int) []float32 {
	if known, ok := trees.Load([2]int{ranks, n}); ok {
		return known.([]float32)
	}
	all := make([][]float32, ranks)
	for r := range all {
		all[r] = vector(r, n)
	}
	comm.Add(all)
	trees.Store([2]int{ranks, n}, all[0])
	return all[0]
}

// sums compares sums of several lengths with the tree, twice, so that kept rooms are used again.
func sums(c comm.Comm, lengths ...int) error {
	for range 2 {
		for _, n := range lengths {
			x := vector(c.Rank(), n)
			if err := c.SumTree(x); err != nil {
				return err
			}
			for i, want := range tree(c.Size(), n) {
				if math.Float32bits(x[i]) != math.Float32bits(want) {
					return fmt.Errorf("rank %d of %d, number %d of %d: %v, expected %v",
						c.Rank(), c.Size(), i, n, x[i], want)
				}
			}
		}
	}
	return nil
}

// others compares what the other calls bring with what each rank gave.
func others(c comm.Comm) error {
	for _, n := range []int{0, 1, 3} {
		x := make([]float64, n*c.Size())
		for i := range n {
			x[n*c.Rank()+i] = float64(100*c.Rank() + i)
		}
		if err := c.Gather(x); err != nil {
			return err
		}
		for i, v := range x {
			if want := float64(100*(i/n) + i%n); v != want {
				return fmt.Errorf("rank %d gathered %v at %d, expected %v", c.Rank(), v, i, want)
			}
		}
	}
	for root := range c.Size() {
		var sent []byte
		want := strings.Repeat(fmt.Sprint("from ", root), 40*root) // root 0 sends nothing
		if c.Rank() == root {
			sent = []byte(want)
		}
		if got, err := c.Broadcast(sent, root); err != nil || string(got) != want {
			return fmt.Errorf("rank %d got %q of root %d, %v", c.Rank(), got, root, err)
		}
	}
	return c.Barrier()
}

// Both algorithms give the bits of the tree, on any number of ranks.
func TestSumsAreTheTree(t *testing.T) {
	for _, o := range []Options{{}, {Direct: 1}} {
		for _, size := range []int{1, 2, 3, 4, 6, 8, 16} {
			lengths := []int{0, 1, 5, 257}
			if size == 8 {
				lengths = append(lengths, 1<<17+9) // more than a block of addParts
			}
			err := errors.Join(onWires(size, o, func(w *World) error {
				return errors.Join(sums(w, lengths...), others(w), w.Close())
			})...)
			if err != nil {
				t.Errorf("%d ranks, %+v: %v", size, o, err)
			}
		}
	}
}

// Ranks send what comm.Meter counts, whatever the algorithm.
func TestBytesOfSum(t *testing.T) {
	const n = 1 << 12
	for _, o := range []Options{{}, {Direct: 1}} {
		err := errors.Join(onWires(8, o, func(w *World) error {
			e := w.engine.(*wire)
			e.sent = 0
			m := comm.Measured(w)
			if err := m.SumTree(make([]float32, n)); err != nil {
				return err
			}
			if int64(e.sent) != m.Bytes() || e.sent != 2*7*4*n/8 {
				t.Errorf("%+v: %d bytes were sent, and %d counted", o, e.sent, m.Bytes())
			}
			return nil
		})...)
		if err != nil {
			t.Error(err)
		}
	}
}

// A rank that makes another call, or leaves, is named, with its host, and the others end too.
func TestOtherCalls(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(w *World) error
		want string
	}{
		"call":   {(*World).Barrier, "rank 2 (node2) calls Barrier while rank"},
		"length": {func(w *World) error { return w.SumTree(make([]float32, 9)) }, "another length"},
		"length, same last bits": {func(w *World) error { return w.SumTree(make([]float32, 24)) },
			"calls SumTree of another length than rank"},
		"leaves": {(*World).Close, "rank 2 has left, while others wait for it: rank"},
	} {
		errs := onWires(4, Options{}, func(w *World) error {
			if w.Rank() == 2 {
				return c.do(w)
			}
			err := w.SumTree(make([]float32, 8))
			if again := w.Barrier(); again == nil || again.Error() != err.Error() {
				t.Errorf("%s: a later call says %v after %v", name, again, err)
			}
			return err
		})
		text := errors.Join(errs...).Error()
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: %q lacks %q", name, text, c.want)
		}
		for r, err := range errs {
			if left := (*comm.Left)(nil); err == nil || name == "leaves" && r != 2 &&
				!errors.Is(err, errOver) && (!errors.As(err, &left) || left.Rank != 2) {
				t.Errorf("%s: rank %d ended with %v", name, r, err)
			}
		}
	}
	errs := onWires(4, Options{}, func(w *World) error {
		_, err := w.Broadcast(nil, w.Rank()/3*2) // rank 3 takes 2 for the root
		return err
	})
	if text := errors.Join(errs...).Error(); !strings.Contains(text, "another root") {
		t.Error(text)
	}
}

// What a call cannot do is refused before anything is sent, and the next one works.
func TestBadCalls(t *testing.T) {
	err := errors.Join(onWires(2, Options{}, func(w *World) error {
		_, root := w.Broadcast(nil, 2)
		if err := w.Gather(make([]float64, 3)); err == nil || root == nil {
			t.Errorf("unequal parts: %v; root 2 of 2: %v", err, root)
		}
		err := errors.Join(w.Barrier(), w.Close())
		if w.Barrier() == nil || w.Close() == nil {
			t.Error("calls after Close")
		}
		return err
	})...)
	if err != nil {
		t.Error(err)
	}
}
