package comm

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// silent runs two calls on four ranks, of which rank 2 makes the second one only after an hour, and
// returns what the watchdogs of the others said, and the errors.
func silent(late func(c Comm, e *Overdue)) []error {
	return onAll(4, func(c Comm) error {
		w := Watch(c, time.Minute, func(e *Overdue) { late(c, e) })
		err := w.Gather(make([]float64, 4))
		if w.Rank() == 2 {
			time.Sleep(time.Hour)
		}
		return errors.Join(err, w.SumTree(make([]float32, 8)))
	})
}

// The watchdogs of those that wait say which rank is missing, after the timeout, and once a call.
func TestWatchNamesTheMissingRank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		said := make(chan *Overdue, 8)
		errs := silent(func(_ Comm, e *Overdue) { said <- e })
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if since := time.Since(start); since != time.Hour {
			t.Errorf("the calls took %v", since)
		}
		synctest.Wait()
		close(said)
		ranks := []int{}
		for e := range said {
			ranks = append(ranks, e.Rank)
			if e.Call != "SumTree" || e.After != time.Minute || !e.Known ||
				!slices.Equal(e.Waiting, []int{2}) {
				t.Errorf("%+v", e)
			}
		}
		slices.Sort(ranks)
		if !slices.Equal(ranks, []int{0, 1, 3}) {
			t.Errorf("the watchdogs of ranks %v bark", ranks)
		}
	})
}

// A watchdog that aborts ends the calls of all, that of the silent rank too once it comes.
func TestWatchAborts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errs := silent(func(c Comm, _ *Overdue) { c.Abort(1) })
		for r, err := range errs {
			if aborted := (*Aborted)(nil); !errors.As(err, &aborted) || aborted.Code != 1 {
				t.Errorf("rank %d: %v", r, err)
			}
		}
	})
}

// deaf hides what a Comm knows about others.
type deaf struct{ Comm }

// hosted knows the machines of ranks.
type hosted struct{ *local }

func (hosted) Host(rank int) string { return "node" + string(rune('a'+rank)) }

func TestOverdueText(t *testing.T) {
	many := make([]int, 11)
	for _, c := range []struct {
		e    Overdue
		want string
	}{
		{Overdue{Call: "Gather", Rank: 1, After: time.Second},
			"Gather on rank 1 has not returned after 1s: another rank has not come, and which"},
		{Overdue{Call: "Barrier", Waiting: []int{3, 5}, Known: true, host: hosted{}.Host},
			"Barrier on rank 0 (nodea) has not returned after 0s: it waits for rank 3 (noded), " +
				"rank 5 (nodef)"},
		{Overdue{Known: true, Waiting: many}, "rank 0, rank 0 and 3 more"},
		{Overdue{Known: true}, "waits for no other rank"},
	} {
		if got := c.e.Error(); !strings.Contains(got, c.want) {
			t.Errorf("%q lacks %q", got, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		ranks, said := Local(2), make(chan *Overdue, 2)
		for _, c := range []Comm{hosted{ranks[0].(*local)}, deaf{ranks[1]}} {
			w := Watch(c, time.Second, func(e *Overdue) { said <- e }).(*watched)
			timer := w.start("SumTree")
			time.Sleep(2 * time.Second)
			timer.Stop()
		}
		if e := <-said; e.host == nil || !slices.Equal(e.Waiting, []int{0, 1}) {
			t.Errorf("the first knows %+v", e)
		}
		if e := <-said; e.host != nil || e.Known {
			t.Errorf("a Comm that knows nothing says %+v", e)
		}
	})
}

// Without a timeout, and alone, there is nothing to watch.
func TestWatchNothing(t *testing.T) {
	c := Local(2)[0]
	if Watch(c, 0, nil) != c || Watch(Alone{}, time.Second, nil) != (Alone{}) {
		t.Error("a watchdog that can never bark")
	}
}

// What a rank sends: both halves of a sum, its part for each other, and the data at the root.
func TestMeter(t *testing.T) {
	err := errors.Join(onAll(4, func(c Comm) error {
		m := Measured(c)
		want := int64(0)
		check := func(err error, bytes int64) error {
			if want += bytes; err == nil && m.Bytes() != want {
				err = errors.New("wrong count of bytes")
				t.Errorf("rank %d: %d bytes, expected %d", c.Rank(), m.Bytes(), want)
			}
			return err
		}
		atRoot := int64(0)
		if c.Rank() == 1 {
			atRoot = 3 * 5
		}
		_, sent := m.Broadcast([]byte("hello"), 1)
		err := errors.Join(check(sent, atRoot),
			check(m.SumTree(make([]float32, 10)), 2*3*10), // 3/4 of 40 bytes, twice
			check(m.Gather(make([]float64, 8)), 3*16),
			check(m.Barrier(), 0))
		if m.Seconds() <= 0 {
			t.Error("four calls took no time")
		}
		return err
	})...)
	if err != nil {
		t.Error(err)
	}
	alone := Measured(Alone{})
	if err := alone.SumTree(make([]float32, 10)); err != nil || alone.Bytes() != 0 {
		t.Errorf("a single rank sends %d bytes, %v", alone.Bytes(), err)
	}
}

// The time of a call is that of its wait.
func TestMeterSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := errors.Join(onAll(2, func(c Comm) error {
			m := Measured(c)
			time.Sleep(time.Duration(c.Rank()) * time.Minute)
			err := m.Barrier()
			if want := 60 * float64(1-c.Rank()); m.Seconds() != want {
				t.Errorf("rank %d: %v seconds, expected %v", c.Rank(), m.Seconds(), want)
			}
			return err
		})...)
		if err != nil {
			t.Error(err)
		}
	})
}
