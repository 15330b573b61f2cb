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

// A worker answers every line on its standard input by one line; "about 0" asks for a description.
// Workers for kernels answer "KERNEL N" by the nanoseconds per element of that kernel over N
// elements and an optional note after a space, or by "none" without such a kernel. They prepare
// inputs when KERNEL or N change, run the kernel untimed for a short while, and then time it for
// about slice.

const slice = 20 * time.Millisecond

// answerer answers a line.
type answerer func(line string) (string, error)

func serve(in io.Reader, out io.Writer, answer answerer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text, err := answer(lines.Text())
		if err != nil {
			return fmt.Errorf("worker: line %q: %w", lines.Text(), err)
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return fmt.Errorf("worker: answer to %q: %w", lines.Text(), err)
		}
	}
	return lines.Err()
}

// prepare makes the inputs of a kernel over n elements and returns the kernel, or nil.
type prepare func(name string, n int) func()

// kernelWorker keeps the kernel of the last line.
type kernelWorker struct {
	prepare prepare
	held    string
	run     func()
	times   int
}

func (w *kernelWorker) answer(line string) (string, error) {
	var name string
	var n int
	if _, err := fmt.Sscan(line, &name, &n); err != nil {
		return "", fmt.Errorf("want KERNEL N: %w", err)
	}
	if line != w.held {
		w.run = nil
		debug.FreeOSMemory()
		w.held = line
		if name != "about" {
			w.run = w.prepare(name, n)
		}
		w.times = calibrate(w.run)
	}
	if w.run == nil {
		return "none", nil
	}
	measure(w.run, (w.times+15)/16)
	ns := measure(w.run, w.times).Seconds() * 1e9
	return fmt.Sprintf("%.6g", ns/float64(w.times*n)), nil
}

func measure(run func(), times int) time.Duration {
	start := time.Now()
	for range times {
		run()
	}
	return time.Since(start)
}

// calibrate returns a number of runs that takes about slice.
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

// noise returns n standard normals, different ones for each stream.
func noise(n int, stream kernel.Stream) []float32 {
	x := make([]float32, n)
	kernel.Normal(x, kernel.Key{Seed: 1, Stream: stream}, 0)
	return x
}

// randKernel returns a kernel as a Go program without package kernel would write it.
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

// runWorker runs this program as a worker of the given kind: one for kernels, or
// "steps/BLAS/THREADS".
func runWorker(kind string) error {
	if err := kernel.Err(); err != nil {
		return err
	}
	answer, err := newWorker(kind)
	if err != nil {
		return err
	}
	return serve(os.Stdin, os.Stdout, answer)
}

func newWorker(kind string) (answerer, error) {
	switch kind {
	case "plume":
		return (&kernelWorker{prepare: plumeKernel}).answer, nil
	case "rand":
		return (&kernelWorker{prepare: randKernel}).answer, nil
	case "axpy":
		axpy := func(_ string, n int) func() { return plumeKernel("axpy", n) }
		return (&kernelWorker{prepare: axpy}).answer, nil
	}
	return newStepWorker(kind)
}

// without returns env without the variables whose names begin with one of the prefixes.
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
