package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/plume-ml/plume/kernel"
)

// A worker answers every line "KERNEL N" on its standard input by one line: nanoseconds per element
// of the kernel over N elements, and perhaps a note after a space, or "none" if it has no such
// kernel. "about 0" asks for its version. It prepares inputs when KERNEL or N change, runs the
// kernel untimed for a short while, and then times it for about slice.

const slice = 20 * time.Millisecond

// prepare makes the inputs of a kernel over n elements and returns the kernel, or nil.
type prepare func(name string, n int) func()

var workers = map[string]prepare{
	"plume": plumeKernel,
	"rand":  randKernel,
	"axpy":  func(_ string, n int) func() { return plumeKernel("axpy", n) },
}

func serve(in io.Reader, out io.Writer, prepare prepare) error {
	var held string
	var run func()
	var times int
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		var name string
		var n int
		if _, err := fmt.Sscan(line, &name, &n); err != nil {
			return fmt.Errorf("worker: line %q: want KERNEL N: %w", line, err)
		}
		if name == "about" {
			run, held = nil, line
		}
		if line != held {
			run = nil
			debug.FreeOSMemory()
			run, held = prepare(name, n), line
			times = calibrate(run)
		}
		answer := "none"
		if run != nil {
			measure(run, (times+15)/16)
			answer = fmt.Sprintf("%.6g", measure(run, times).Seconds()*1e9/float64(times*n))
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return fmt.Errorf("worker: answer to %q: %w", line, err)
		}
	}
	return lines.Err()
}

func measure(run func(), times int) time.Duration {
	start := time.Now()
	for range times {
		run()
	}
	return time.Since(start)
}

// calibrate is a number of runs that takes about slice.
func calibrate(run func()) int {
	if run == nil {
		return 0
	}
	run()
	times := 1
	for times < 1<<24 && measure(run, times) < slice/2 {
		times *= 2
	}
	return times
}

// noise is n standard normals, others for each stream.
func noise(n int, stream kernel.Stream) []float32 {
	x := make([]float32, n)
	kernel.Normal(x, kernel.Key{Seed: 1, Stream: stream}, 0)
	return x
}

// randKernel is what a Go program without package kernel would do.
func randKernel(name string, n int) func() {
	rng := rand.New(rand.NewPCG(1, 2))
	switch name {
	case "langevin":
		z, g := noise(n, 1), noise(n, 2)
		return func() {
			for i, x := range g {
				z[i] += -stepSize*x + noiseSize*float32(rng.NormFloat64())
			}
		}
	case "normals":
		z := make([]float32, n)
		return func() {
			for i := range z {
				z[i] = float32(rng.NormFloat64())
			}
		}
	}
	return nil
}

// runWorker is what this program does as a worker of the given kind.
func runWorker(kind string) error {
	w, ok := workers[kind]
	if !ok {
		return fmt.Errorf("no worker %q", kind)
	}
	if err := kernel.Err(); err != nil {
		return err
	}
	return serve(os.Stdin, os.Stdout, w)
}

// without is env without the variables whose names begin with one of the prefixes.
func without(env []string, prefixes ...string) (kept []string) {
next:
	for _, e := range env {
		for _, p := range prefixes {
			if strings.HasPrefix(e, p) {
				continue next
			}
		}
		kept = append(kept, e)
	}
	return kept
}
