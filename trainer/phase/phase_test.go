package phase_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"testing"

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

func BenchmarkEnter(b *testing.B) {
	defer unlabel()
	b.ReportAllocs()
	for b.Loop() {
		phase.Move.Enter()
	}
}
