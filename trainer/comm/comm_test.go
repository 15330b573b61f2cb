package comm

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// plain is the sum of vectors lo to hi along the tree, by its definition from the top: the left
// subtree has as many leaves as the largest power of two below their number.
func plain(x [][]float32, lo, hi, k int) float32 {
	if hi-lo == 1 {
		return x[lo][k]
	}
	half := 1
	for 2*half < hi-lo {
		half *= 2
	}
	return plain(x, lo, lo+half, k) + plain(x, lo+half, hi, k)
}

func vectors(n, size int) [][]float32 {
	r := rand.New(rand.NewPCG(uint64(n), uint64(size)))
	x := make([][]float32, n)
	for i := range x {
		x[i] = make([]float32, size)
		for k := range x[i] {
			x[i][k] = float32(math.Exp(8*r.Float64())) * float32(r.NormFloat64())
		}
	}
	return x
}

func copies(x [][]float32) [][]float32 {
	y := make([][]float32, len(x))
	for i := range x {
		y[i] = append([]float32(nil), x[i]...)
	}
	return y
}

func TestAddIsTheTree(t *testing.T) {
	const size = 257
	for n := 1; n <= 33; n++ {
		x := vectors(n, size)
		got, scalars := copies(x), make([]float64, n)
		Add(got)
		for k := range size {
			if want := plain(x, 0, n, k); got[0][k] != want {
				t.Fatalf("%d vectors, number %d: %v, expected %v", n, k, got[0][k], want)
			}
		}
		other := make([][]float64, n)
		for i := range other {
			other[i] = []float64{float64(x[i][0]) / 3}
			scalars[i] = other[i][0]
		}
		if Add(other); plain64(scalars) != other[0][0] {
			t.Errorf("%d numbers in float64: %v, expected %v", n, other[0][0], plain64(scalars))
		}
	}
}

// plain64 is the tree for single numbers: the first half, a power of two of them, and the rest.
func plain64(x []float64) float64 {
	if len(x) == 1 {
		return x[0]
	}
	half := 1
	for 2*half < len(x) {
		half *= 2
	}
	return plain64(x[:half]) + plain64(x[half:])
}

// onAll runs f on n local ranks at once, and returns their errors.
func onAll(n int, f func(c Comm) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for r, c := range Local(n) {
		all.Go(func() {
			errs[r] = f(c)
			errs[r] = errors.Join(errs[r], c.Close())
		})
	}
	all.Wait()
	return errs
}

// The sums of lanes do not depend on how many ranks have them, and they are those of the tree.
func TestSumTreeOnAnyRanks(t *testing.T) {
	const size = 129
	for _, lanes := range []int{8, 12, 5} {
		x := vectors(lanes, size)
		for ranks := 1; ranks <= lanes; ranks++ {
			if Check(lanes, ranks) != nil {
				continue
			}
			var mu sync.Mutex
			errs := onAll(ranks, func(c Comm) error {
				first, last := Own(lanes, c.Size(), c.Rank())
				mu.Lock()
				own := copies(x[first:last])
				mu.Unlock()
				for range 3 { // rounds do not mix
					mine := copies(own)
					Add(mine)
					if err := c.SumTree(mine[0]); err != nil {
						return err
					}
					for k, got := range mine[0] {
						if want := plain(x, 0, lanes, k); got != want {
							return fmt.Errorf("rank %d, number %d: %v, expected %v",
								c.Rank(), k, got, want)
						}
					}
				}
				return nil
			})
			if err := errors.Join(errs...); err != nil {
				t.Errorf("%d lanes on %d ranks: %v", lanes, ranks, err)
			}
		}
	}
}

func TestGatherBroadcastBarrier(t *testing.T) {
	err := errors.Join(onAll(4, func(c Comm) error {
		x := make([]float64, 8)
		x[2*c.Rank()], x[2*c.Rank()+1] = float64(c.Rank()), -1
		if err := c.Gather(x); err != nil {
			return err
		}
		for r := range 4 {
			if x[2*r] != float64(r) || x[2*r+1] != -1 {
				return fmt.Errorf("rank %d gathered %v", c.Rank(), x)
			}
		}
		got, err := c.Broadcast([]byte(fmt.Sprint("from ", c.Rank())), 2)
		if err == nil && string(got) != "from 2" {
			err = fmt.Errorf("rank %d got %q", c.Rank(), got)
		}
		return errors.Join(err, c.Barrier())
	})...)
	if err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		lanes, ranks int
		fine         bool
	}{
		{1, 1, true}, {8, 1, true}, {8, 2, true}, {8, 4, true}, {8, 8, true}, {3, 1, true},
		{12, 3, true}, {12, 6, true}, {12, 12, true}, {8, 3, false}, {8, 16, false},
		{12, 2, false}, {12, 4, false}, {1, 2, false}, {0, 1, false}, {8, 0, false},
	} {
		if err := Check(c.lanes, c.ranks); (err == nil) != c.fine {
			t.Errorf("%d lanes on %d ranks: %v", c.lanes, c.ranks, err)
		}
	}
	const want = "here 1, 2, 4, 8"
	if err := Check(8, 3); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v; expected %q in it", err, want)
	}
	if err := Check(12, 2); err == nil || !strings.Contains(err.Error(), "here 1, 3, 6, 12") {
		t.Error(err)
	}
}

// Blocks follow each other without gaps, and a rank's lanes are a block of datapoints.
func TestBlocks(t *testing.T) {
	for _, m := range []int{8, 9, 1000} {
		end := 0
		for l := range 8 {
			first, last := Block(m, 8, l)
			if first != end || last-first < m/8 || last-first > m/8+1 {
				t.Errorf("lane %d of %d: %d to %d", l, m, first, last)
			}
			end = last
		}
		if end != m {
			t.Errorf("blocks of %d end at %d", m, end)
		}
	}
}

// A rank that aborts, leaves, or makes another call ends the calls of all others.
func TestAllEndTogether(t *testing.T) {
	var aborted *Aborted
	var left *Left
	for name, end := range map[string]struct {
		do   func(c Comm) error
		want any
	}{
		"abort":   {func(c Comm) error { c.Abort(3); return c.Barrier() }, &aborted},
		"leave":   {func(Comm) error { return nil }, &left},
		"another": {func(c Comm) error { return c.SumTree(make([]float32, 4)) }, nil},
		"length":  {func(c Comm) error { return c.Gather(make([]float64, 8)) }, nil},
	} {
		errs := onAll(4, func(c Comm) error {
			if err := c.Barrier(); err != nil {
				return err
			}
			if c.Rank() == 2 {
				return end.do(c)
			}
			return c.Gather(make([]float64, 4))
		})
		for r, err := range errs {
			if name == "leave" && r == 2 {
				continue
			}
			if err == nil || end.want != nil && !errors.As(err, end.want) {
				t.Errorf("%s: rank %d ended with %v", name, r, err)
			}
		}
	}
	if aborted == nil || aborted.Rank != 2 || aborted.Code != 3 {
		t.Errorf("aborted by %+v, expected rank 2 with code 3", aborted)
	}
}

func TestAlone(t *testing.T) {
	var c Comm = Alone{}
	x, y := []float32{1, 2}, []float64{3}
	got, err := c.Broadcast([]byte("x"), 0)
	err = errors.Join(err, c.SumTree(x), c.Gather(y), c.Barrier(), c.Close())
	if c.Abort(1); err != nil || c.Size() != 1 || c.Rank() != 0 || string(got) != "x" ||
		x[1] != 2 || y[0] != 3 {
		t.Error("a single rank is changed by itself", err)
	}
}

// Several processes that cannot know each other are refused, and single ones are not.
func TestCheckAlone(t *testing.T) {
	for _, c := range []struct {
		name, value string
		size        int
		fine        bool
	}{
		{"OMPI_COMM_WORLD_SIZE", "4", 1, false}, {"PMI_SIZE", "2", 1, false},
		{"SLURM_STEP_NUM_TASKS", "8", 1, false}, {"SLURM_STEP_NUM_TASKS", "1", 1, true},
		{"OMPI_COMM_WORLD_SIZE", "4", 4, true}, {"PMI_SIZE", "", 1, true}, {"HOME", "7", 1, true},
	} {
		err := CheckAlone(c.size, func(name string) (string, bool) {
			if name != c.name {
				return "", false
			}
			return c.value, true
		})
		says := err != nil && strings.Contains(err.Error(), c.name+"="+c.value)
		if c.fine != (err == nil) || c.fine == says {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
