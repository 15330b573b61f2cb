//go:build mpi && linux

package mpi

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/comm"
)

var measured = flag.Bool("measure", false, "measure sums (TestMeasure)")

const envLengths = "PLUME_TEST_LENGTHS"

// measure prints the seconds of a SumTree of each length that the environment gives.
func measure(w *World) error {
	for _, text := range strings.Fields(os.Getenv(envLengths)) {
		var n int
		if _, err := fmt.Sscan(text, &n); err != nil {
			return err
		}
		took, err := timeSum(w, n)
		if err != nil {
			return err
		}
		if w.Rank() == 0 {
			fmt.Println(w.Size(), n, took)
		}
	}
	return nil
}

// timeSum is the seconds of a SumTree of n numbers as the slowest rank sees them, and the least of
// several rounds: other processes may have had a share of the cores.
func timeSum(w *World, n int) (float64, error) {
	x, all := make([]float32, n), make([]float64, w.Size())
	rounds := min(max(int(1e8/float64(n+1)), 8), 1000)
	best := 1e9
	for round := range rounds + 1 {
		if err := w.Barrier(); err != nil {
			return 0, err
		}
		start := time.Now()
		if err := w.SumTree(x); err != nil {
			return 0, err
		}
		all[w.Rank()] = time.Since(start).Seconds()
		if err := w.Gather(all); err != nil {
			return 0, err
		}
		if round > 0 { // the first one makes rooms and connections
			best = min(best, slices.Max(all))
		}
	}
	return best, nil
}

// timeAdd is the seconds of an addition of one number to another by comm.Add, of parts that no
// cache holds.
func timeAdd() float64 {
	const n, ranks = 1 << 22, 4
	g := newGroup(nil, 0, ranks, direct)
	for r := range g.parts {
		g.parts[r] = vector(r, n)
	}
	best := time.Hour
	for range 5 {
		start := time.Now()
		g.addParts()
		best = min(best, time.Since(start))
	}
	return best.Seconds() / (n * (ranks - 1))
}

// TestMeasure prints the table of MODEL.md: SumTree by length, number of ranks and transport, the
// latency and bandwidth that fit, and how far the model is off.
func TestMeasure(t *testing.T) {
	if !*measured {
		t.Skip("without -measure")
	}
	add := timeAdd()
	fmt.Printf("%s; an addition takes %.2g ns\n", Library(), add*1e9)
	for name, flags := range transports() {
		fitted(t, name, add, func(_ *testing.T, j job) job {
			j.flags = flags
			return j
		})
	}
	fitted(t, "namespaces at 1 Gbit/s", add, func(t *testing.T, j job) job {
		j.front, j.flags = namespaces(t, j.ranks, "1gbit")
		return j
	})
}

// fitted measures and fits one transport.
func fitted(t *testing.T, name string, add float64, with func(t *testing.T, j job) job) {
	var samples []comm.Sample
	for _, ranks := range []int{2, 4} {
		t.Run(fmt.Sprint(name, " ", ranks), func(t *testing.T) {
			j := with(t, job{role: "sum", ranks: ranks,
				env: []string{envLengths + "=100 250000 1000000 20000000"}})
			code, out, complaints := j.run(t)
			if code != 0 {
				t.Fatalf("code %d\n%s", code, complaints)
			}
			for line := range strings.Lines(out) {
				var s comm.Sample
				if _, err := fmt.Sscan(line, &s.Ranks, &s.Numbers, &s.Seconds); err != nil {
					t.Fatal(err)
				}
				samples = append(samples, s)
			}
		})
	}
	n, err := comm.Fit(samples, add)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	fmt.Printf("\n%s: a = %.3g us, B = %.3g GB/s\n", name, n.Latency*1e6, n.Bandwidth/1e9)
	for _, s := range samples {
		model := n.SumTree(s.Ranks, s.Numbers, comm.Float32Bytes)
		fmt.Printf("| %s | %d | %g | %.4g ms | %.2f |\n", name, s.Ranks, s.Numbers, s.Seconds*1e3,
			s.Seconds/model)
	}
}
