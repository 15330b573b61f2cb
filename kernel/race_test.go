//go:build race

package kernel

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// conflict is a pair of calls that run at once without synchronisation, and whether they touch
// the same memory with at least one writing it.
type conflict struct {
	name string
	race bool
	a, b func(x, y []float32, pixels []uint8)
}

// conflicts are some of every kind.
var conflicts = append([]conflict{
	{"row numbers", true,
		func(x, _ []float32, _ []uint8) { NormalRows(x[:60], rowNumbers, 20, Key{}) },
		func(_, _ []float32, _ []uint8) { rowNumbers[len(rowNumbers)-1]++ }},
	{"two writers", true,
		func(x, y []float32, _ []uint8) { Add(x[:60], y) },
		func(x, y []float32, _ []uint8) { Add(x[:60], y) }},
	{"writers of overlapping parts", true,
		func(x, y []float32, _ []uint8) { Add(x[:60], y) },
		func(x, y []float32, _ []uint8) { Add(x[59:119], y) }},
	{"a reader and a writer", true,
		func(x, y []float32, _ []uint8) { Add(x[:60], y) },
		func(x, y []float32, _ []uint8) { Scale(y, 2) }},
	{"a writer and Go code", true,
		func(x, _ []float32, _ []uint8) { Scale(x, 2) },
		func(x, _ []float32, _ []uint8) { x[len(x)-1]++ }},
	{"a reader and a writer of pixels", true,
		func(x, _ []float32, pixels []uint8) { U8ToF32(x, pixels) },
		func(_, _ []float32, pixels []uint8) { pixels[len(pixels)-1]++ }},
	{"writers of neighbours, readers of the same", false,
		func(x, y []float32, _ []uint8) { Add(x[:60], y) },
		func(x, y []float32, _ []uint8) { Add(x[60:], y) }},
	{"readers of pixels", false,
		func(x, _ []float32, pixels []uint8) { U8ToF32(x[:60], pixels[:60]) },
		func(x, _ []float32, pixels []uint8) { U8ToF32(x[60:], pixels[:60]) }},
}, productConflicts()...)

// rowNumbers are those of three rows.
var rowNumbers = make([]uint64, 3)

const envConflict = "PLUME_TEST_CONFLICT"

// TestRaceDetector: the race detector sees what the kernels touch, although it cannot see into
// assembly. A race ends a process, so each pair of calls runs in one of its own: this test again,
// with the name of the pair in the environment.
func TestRaceDetector(t *testing.T) {
	if name := os.Getenv(envConflict); name != "" {
		collide(name)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		for _, c := range conflicts {
			t.Run(p.name+"/"+c.name, func(t *testing.T) {
				cmd := exec.Command(self, "-test.run=^TestRaceDetector$")
				cmd.Env = append(
					os.Environ(), envConflict+"="+c.name, EnvPath+"="+p.name,
					"GORACE=exitcode=66 atexit_sleep_ms=0",
				)
				out, err := cmd.CombinedOutput()
				code := 0
				if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
					code = exit.ExitCode()
				} else if err != nil {
					t.Fatal(err)
				}
				seen := strings.Contains(string(out), "WARNING: DATA RACE")
				if want := map[bool]int{true: 66}[c.race]; code != want || seen != c.race {
					t.Errorf(
						"exit code %d, race reported: %t; want %d, %t\n%s", code, seen, want,
						c.race, out,
					)
				}
			})
		}
	}
}

// collide runs a pair of calls in two goroutines and ends the process: with 66 after a race, with 2
// if it is not on the path that was asked for.
func collide(name string) {
	if Err() != nil {
		os.Exit(2)
	}
	for _, c := range conflicts {
		if c.name != name {
			continue
		}
		x, y, pixels := make([]float32, 120), make([]float32, 60), make([]uint8, 120)
		var done sync.WaitGroup
		done.Go(func() { c.a(x, y, pixels) })
		done.Go(func() {
			// This orders nothing, but the detector may miss accesses at the same moment.
			time.Sleep(time.Millisecond)
			c.b(x, y, pixels)
		})
		done.Wait()
		os.Exit(0)
	}
	os.Exit(2)
}
