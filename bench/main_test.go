// Package bench measures training steps, sampling and their parts, with the code that trains.
package bench

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/machine"
	"github.com/plume-ml/plume/trainer/pool"
)

// TestMain prints a description of the machine above the benchmarks.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		if err := printHeader(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// printHeader writes configuration lines of the Go benchmark format.
func printHeader(w io.Writer) error {
	if err := kernel.Err(); err != nil {
		return err
	}
	if err := machine.Describe().WriteConfig(w); err != nil {
		return err
	}
	for _, n := range threads() {
		rate, err := peak(n)
		if err != nil {
			return err
		}
		key := machine.KeyPeak
		if n > 1 {
			key += fmt.Sprintf("-threads-%d", n)
		}
		value := humanize.SIWithDigits(rate, 1, "FLOP/s")
		if _, err := fmt.Fprintf(w, "%s: %s\n", key, value); err != nil {
			return err
		}
	}
	return nil
}

// threads lists the numbers of workers with which steps are measured.
func threads() []int {
	list := []int{1, 2}
	if n := pool.DefaultWorkers(); n > 2 {
		list = append(list, n)
	}
	return list
}

var peaks struct {
	sync.Mutex
	of map[int]float64
}

// peak is the machine's rate of multiply-adds with the given number of workers, in operations per
// second. It is measured once in a process.
func peak(workers int) (float64, error) {
	peaks.Lock()
	defer peaks.Unlock()
	if rate, ok := peaks.of[workers]; ok {
		return rate, nil
	}
	rate, err := machine.FMAPeak(context.Background(), workers, machine.Options{})
	if err != nil {
		return 0, err
	}
	if peaks.of == nil {
		peaks.of = map[int]float64{}
	}
	peaks.of[workers] = rate
	return rate, nil
}

// reportRate reports the rate of operations, given their number in an iteration, also as a share
// of the rate of multiply-adds alone with as many workers.
func reportRate(b *testing.B, operations float64, workers int) {
	top, err := peak(workers)
	if err != nil {
		b.Fatal(err)
	}
	rate := operations * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(100*rate/top, "%peak")
}

// eachBackend runs a benchmark for every backend but gonum, which is at least ten times slower. The
// benchmark, or each below it, calls under.
func eachBackend(b *testing.B, run func(b *testing.B, name string)) {
	names := slices.DeleteFunc(blas.Available(), func(name string) bool { return name == "gonum" })
	for _, name := range names {
		b.Run("blas="+name, func(b *testing.B) { run(b, name) })
	}
}

// under selects a backend, with the command's setting of the scheduler for it, until the end of a
// benchmark that has none below it.
func under(b *testing.B, name string) {
	before, slots := blas.Info().Backend, runtime.GOMAXPROCS(0)
	if err := blas.Use(name); err != nil {
		b.Fatal(err)
	}
	if name == "openblas" {
		pool.SpareProcessors()
	}
	b.Cleanup(func() {
		runtime.GOMAXPROCS(slots)
		if err := blas.Use(before); err != nil {
			b.Fatal(err)
		}
	})
}
