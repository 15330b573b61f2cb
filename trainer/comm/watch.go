package comm

import (
	"fmt"
	"strings"
	"time"
)

// Overdue is a call that has not returned in time. As an error it says which, where and for how
// long, and which ranks it waits for, where that is known.
type Overdue struct {
	Call  string // the name of the method
	Rank  int    // of the caller
	After time.Duration
	// Waiting are the ranks that the call waits for. Known is false where the Comm cannot tell.
	Waiting []int
	Known   bool
	host    func(rank int) string
}

func (e *Overdue) Error() string {
	text := fmt.Sprintf("%s on %s has not returned after %v: ", e.Call, e.name(e.Rank), e.After)
	switch {
	case !e.Known:
		return text + "another rank has not come, and which one cannot be known here"
	case len(e.Waiting) == 0:
		return text + "it waits for no other rank: the exchange itself is stuck"
	}
	names := make([]string, min(len(e.Waiting), 8))
	for i := range names {
		names[i] = e.name(e.Waiting[i])
	}
	text += "it waits for " + strings.Join(names, ", ")
	if more := len(e.Waiting) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// name is a rank with its host, if that is known.
func (e *Overdue) name(rank int) string {
	if e.host != nil {
		return fmt.Sprintf("rank %d (%s)", rank, e.host(rank))
	}
	return fmt.Sprintf("rank %d", rank)
}

// Watch returns c with a watchdog: late is called, on a goroutine of its own, for each call that
// has not returned after the timeout. The call goes on; late should end it, usually by Abort. A
// timeout of 0 or less means none.
//
// c may have a method Waiting() []int, the ranks that its call under way waits for, and a method
// Host(rank int) string, the name of a rank's machine; a Meter has none, and goes around Watch.
func Watch(c Comm, timeout time.Duration, late func(*Overdue)) Comm {
	if timeout <= 0 || c.Size() == 1 {
		return c
	}
	return &watched{Comm: c, timeout: timeout, late: late}
}

// watched is a Comm whose calls are timed.
type watched struct {
	Comm
	timeout time.Duration
	late    func(*Overdue)
}

// start begins to time a call, whose end is told to the result.
func (w *watched) start(call string) *time.Timer {
	return time.AfterFunc(w.timeout, func() {
		e := &Overdue{Call: call, Rank: w.Rank(), After: w.timeout}
		if c, ok := w.Comm.(interface{ Waiting() []int }); ok {
			e.Waiting, e.Known = c.Waiting(), true
		}
		if c, ok := w.Comm.(interface{ Host(rank int) string }); ok {
			e.host = c.Host
		}
		w.late(e)
	})
}

// SumTree implements Comm.
func (w *watched) SumTree(x []float32) error {
	defer w.start("SumTree").Stop()
	return w.Comm.SumTree(x)
}

// Gather implements Comm.
func (w *watched) Gather(x []float64) error {
	defer w.start("Gather").Stop()
	return w.Comm.Gather(x)
}

// Broadcast implements Comm.
func (w *watched) Broadcast(x []byte, root int) ([]byte, error) {
	defer w.start("Broadcast").Stop()
	return w.Comm.Broadcast(x, root)
}

// Barrier implements Comm.
func (w *watched) Barrier() error {
	defer w.start("Barrier").Stop()
	return w.Comm.Barrier()
}

// Close implements Comm.
func (w *watched) Close() error {
	defer w.start("Close").Stop()
	return w.Comm.Close()
}
