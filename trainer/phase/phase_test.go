package phase_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/phase"
)

// labels returns the lines with labels in a dump of all goroutines.
func labels(t *testing.T) (lines []string) {
	t.Helper()
	var dump bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&dump, 1); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(dump.String()) {
		if strings.HasPrefix(line, "# labels: ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// unlabel removes the labels of the test's goroutine.
func unlabel() { pprof.SetGoroutineLabels(context.Background()) }

func TestEnter(t *testing.T) {
	defer unlabel()
	seen := map[string]bool{}
	for p := phase.Gather; p <= phase.Decode; p++ {
		p.Enter()
		want := fmt.Sprintf(`# labels: {"phase":%q}`, p.String())
		if got := labels(t); len(got) != 1 || got[0] != want {
			t.Errorf("%v: labels %q, expected %q", p, got, want)
		}
		if p.String() == "" || seen[p.String()] {
			t.Errorf("phase %d has no name, or another's: %q", p, p)
		}
		seen[p.String()] = true
	}
}

func TestEnterDoesNotAllocate(t *testing.T) {
	defer unlabel()
	if n := testing.AllocsPerRun(100, phase.Move.Enter); n != 0 {
		t.Errorf("Enter allocates %v times", n)
	}
}

// A clock counts each phase from its beginning to the next one, on all goroutines; counting from
// outside, with the same clock of the machine, gives the same or a little more.
func TestClock(t *testing.T) {
	var c phase.Clock
	var outside [2]atomic.Int64
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for range 20 {
				began := time.Now()
				span := c.Enter(phase.Gather)
				time.Sleep(time.Millisecond)
				span = span.Enter(phase.Move)
				outside[0].Add(int64(time.Since(began)))
				began = time.Now()
				time.Sleep(time.Millisecond)
				span.End()
				outside[1].Add(int64(time.Since(began)))
			}
		})
	}
	all.Wait()
	for i, p := range []phase.Phase{phase.Gather, phase.Move} {
		got, most := c.Take(p), time.Duration(outside[i].Load())
		if got < 60*time.Millisecond || got > most+most/10+time.Millisecond {
			t.Errorf("%v: %v, expected 60 ms or more, and not more than %v", p, got, most)
		}
		if again := c.Take(p); again != 0 {
			t.Errorf("%v: %v is left", p, again)
		}
	}
	if got := c.Take(phase.Noise); got != 0 {
		t.Errorf("%v in a phase that nothing entered", got)
	}
}

// Without a clock a span labels, and nothing else.
func TestNoClock(t *testing.T) {
	defer unlabel()
	var none *phase.Clock
	span := none.Enter(phase.Gather).Enter(phase.Move)
	if got := labels(t); len(got) != 1 || !strings.Contains(got[0], phase.Move.String()) {
		t.Errorf("labels %q", got)
	}
	span.End()
	if got := none.Take(phase.Move); got != 0 {
		t.Errorf("%v of no clock", got)
	}
}

func TestClockDoesNotAllocate(t *testing.T) {
	defer unlabel()
	var c phase.Clock
	enter := func() { c.Enter(phase.Gather).Enter(phase.Move).End() }
	if n := testing.AllocsPerRun(100, enter); n != 0 {
		t.Errorf("a span allocates %v times", n)
	}
}

// Two phases, as in a task.
func BenchmarkClock(b *testing.B) {
	defer unlabel()
	var c phase.Clock
	b.ReportAllocs()
	for b.Loop() {
		c.Enter(phase.Gather).Enter(phase.Move).End()
	}
}

func BenchmarkEnter(b *testing.B) {
	defer unlabel()
	b.ReportAllocs()
	for b.Loop() {
		phase.Move.Enter()
	}
}
