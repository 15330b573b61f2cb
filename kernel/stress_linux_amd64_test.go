package kernel

import (
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestHalvesAmongSignals: products keep their bits while the process is profiled 1,000 times a
// second, its threads get signals, and its memory is collected: the system saves tiles, too, when
// it interrupts a thread.
func TestHalvesAmongSignals(t *testing.T) {
	const workers, products = 8, 4
	eachHalves(t, func(t *testing.T, h, definition *Halves) {
		if h == definition {
			t.Skip("no assembly is under way in plain Go for a signal to meet")
		}
		rounds := 300
		if h == &amxHalves { // which is fast
			rounds = 8000
		}
		runtime.SetCPUProfileRate(1000)
		defer runtime.SetCPUProfileRate(0)
		disturbed, stop := disturb(t)
		defer stop()
		var calls atomic.Int64
		var work sync.WaitGroup
		for w := range workers {
			work.Go(func() {
				r := rand.New(rand.NewPCG(15, uint64(w)))
				var list [products]halfProduct
				var want [products][]float32
				for i := range list {
					list[i] = halfProduct{
						rows: 1 + r.IntN(40), panels: 2, n: HalfDepth * (1 + r.IntN(16)), parts: 1,
						first: true, ldc: 64, rs: 256, bs: 256 * HalfCols,
					}
					list[i].draw(r, usualHalves, usualHalves, usualHalves)
					want[i] = append([]float32(nil), list[i].c...)
					list[i].run(definition, want[i], list[i].a, list[i].b)
				}
				for n := 0; n < rounds || n < 100*rounds && !disturbed(); n++ {
					p := &list[n%products]
					p.run(h, p.c, p.a, p.b)
					calls.Add(1)
					for j, v := range p.c {
						if v != want[n%products][j] {
							t.Errorf("call %d: c[%d] is %v, want %v", n, j, v, want[n%products][j])
							return
						}
					}
				}
			})
		}
		work.Wait()
		if calls.Load() < int64(workers*rounds) {
			t.Errorf("%d calls were right, of %d or more", calls.Load(), workers*rounds)
		}
	})
}

// disturb sends signals to all threads and makes garbage until it is stopped, and then says how
// much. disturbed reports whether both have happened.
func disturb(t *testing.T) (disturbed func() bool, stop func()) {
	received := make(chan os.Signal, 100)
	signal.Notify(received, syscall.SIGUSR1)
	var signals, collections atomic.Int64
	done := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-received:
				signals.Add(1)
			case <-time.After(100 * time.Microsecond):
			}
			threads, err := os.ReadDir("/proc/self/task")
			if err != nil {
				t.Error(err)
				return
			}
			for _, thread := range threads {
				if id, err := strconv.Atoi(thread.Name()); err == nil {
					syscall.RawSyscall(
						syscall.SYS_TGKILL, uintptr(os.Getpid()), uintptr(id),
						uintptr(syscall.SIGUSR1),
					)
				}
			}
		}
	})
	work.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
				collections.Add(1)
			}
		}
	})
	disturbed = func() bool { return signals.Load() > 0 && collections.Load() > 0 }
	return disturbed, func() {
		close(done)
		work.Wait()
		signal.Stop(received)
		t.Logf("%d signals were seen, %d collections", signals.Load(), collections.Load())
		if !disturbed() {
			t.Error("nothing was disturbed")
		}
	}
}
