//go:build mpi && linux

package mpi

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/comm"
)

// What the test binary does as a rank: envRole says which of roles, and envOptions the Options, as
// two numbers.
const (
	envRole    = "PLUME_TEST_ROLE"
	envOptions = "PLUME_TEST_OPTIONS"
)

func TestMain(m *testing.M) {
	role := os.Getenv(envRole)
	if role == "" {
		os.Exit(m.Run())
	}
	var o Options
	if _, err := fmt.Sscan(os.Getenv(envOptions), &o.Direct, &o.Chunk); err != nil {
		fail(err)
	}
	if role == "interrupted" { // what Open finds must stay
		signal.Notify(interrupts, syscall.SIGUSR1)
	}
	c, err := Open(o)
	if err != nil {
		fail(err)
	}
	w, ok := c.(*World)
	if !ok {
		fail(fmt.Errorf("Open returned %T", c))
	}
	// No rank stays behind: whatever the test forgets is over in the end.
	time.AfterFunc(80*time.Second, func() { w.Abort(99) })
	os.Exit(roles[role](w))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

var interrupts = make(chan os.Signal, 1)

// ended prints an error and ends the job, or parts from the others and returns the code.
func ended(w *World, err error, code int) int {
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		w.Abort(9)
	}
	return code
}

var roles = map[string]func(w *World) int{
	"calls": func(w *World) int {
		err := errors.Join(sums(w, 0, 1, 5, 1000, 100003), others(w))
		if w.Rank() == 0 {
			fmt.Println(w.Size(), "ranks on", w.Host(w.Size()-1))
		}
		return ended(w, err, 0)
	},
	"sum":   func(w *World) int { return ended(w, measure(w), 0) },
	"agree": func(w *World) int { return ended(w, w.Barrier(), 3) },
	"abort": func(w *World) int {
		if w.Rank() == 1 {
			w.Abort(5)
		}
		return ended(w, w.SumTree(make([]float32, 1<<20)), 0)
	},
	"other call": func(w *World) int {
		if w.Rank() == 1 {
			return ended(w, w.Barrier(), 0)
		}
		return ended(w, w.SumTree(make([]float32, 1<<20)), 0)
	},
	"other length": func(w *World) int {
		return ended(w, w.SumTree(make([]float32, 1<<20+16*w.Rank())), 0)
	},
	"longer": func(w *World) int {
		const sent, expected = 1 << 20, 1000
		if w.Rank() != 1 {
			data := bytes.Repeat([]byte{1}, sent)
			return ended(w, w.engine.exchange(5, []message{{1, data, true}}), 0)
		}
		room := make([]byte, sent)
		err := w.engine.exchange(5, []message{{0, room[:expected], false}})
		if n := bytes.Count(room[expected:], []byte{1}); n > 0 {
			fmt.Fprintln(os.Stderr, n, "bytes were written beyond the end of a message")
			w.Abort(10)
		}
		return ended(w, err, 0)
	},
	"leaves": func(w *World) int {
		if w.Rank() == 1 {
			_ = w.Close() // the error that is looked for is that of the others
			time.Sleep(5 * time.Second)
		}
		return ended(w, w.Gather(make([]float64, w.Size())), 0)
	},
	"killed": func(w *World) int {
		if w.Rank() == 1 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return ended(w, w.SumTree(make([]float32, 1<<20)), 0)
	},
	"stopped": func(w *World) int {
		err := w.Barrier()
		if w.Rank() == 1 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		}
		c := comm.Watch(w, time.Second, func(e *comm.Overdue) {
			fmt.Fprintln(os.Stderr, e)
			w.Abort(7)
		})
		return ended(w, errors.Join(err, c.SumTree(make([]float32, 1<<20))), 0)
	},
	"nil": func(w *World) int {
		err := func() (err error) {
			defer func() { err, _ = recover().(error) }()
			var nothing *Options
			nothing.Chunk++
			return nil
		}()
		if err == nil || !strings.Contains(err.Error(), "nil pointer") {
			fail(fmt.Errorf("a nil pointer: %v", err))
		}
		return ended(w, w.Barrier(), 0)
	},
	"interrupted": func(w *World) int {
		err := w.Barrier()
		if w.Rank() == 0 {
			fmt.Println("ready")
		}
		got := make([]float64, w.Size())
		for n := 0.; err == nil && n < float64(w.Size()); { // as trainings agree to stop
			select {
			case <-interrupts:
				got[w.Rank()] = 1
			case <-time.After(10 * time.Millisecond):
			}
			all := append([]float64(nil), got...)
			err = w.Gather(all)
			n = 0
			for _, stopped := range all {
				n += stopped
			}
		}
		return ended(w, err, 143)
	},
}
