// Command quality measures the seconds of training until samples have a PCA-64 FD of 2 on
// fashion10k: of ipld, of vae+diffusion, and of PyTorch's own implementation of the latter:
//
//	go run ./bench/quality                                # float32, three seeds
//	go run ./bench/quality -precision bf16 -python /path/to/venv/bin/python
//	go run ./bench/quality -keep found.jsonl              # goes on where it was interrupted
//
// A training is a whole schedule of some epochs. The fewest are searched whose distance, in the
// mean over the seeds, is at most the target; then all contestants train for theirs again, seed by
// seed and in turns, and only these trainings count. Seconds are those of the training steps, with
// the gathering of minibatches, without start-up and evaluation. The exit code is 0, or 1 after an
// error, or 130 after a signal; "go run" itself turns these into 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/machine"
)

// bench is the comparison.
type bench struct {
	target    float64
	seeds     []uint64
	precision blas.Precision
	cpu       string
	threads   int
	kept      *kept
	tell      func(t training, o outcome, known bool) // progress
}

func main() {
	b := bench{cpu: machine.Describe().CPU}
	seeds := flag.Int("seeds", 3, "seeds, from 1 on, of which the mean counts")
	flag.Float64Var(&b.target, "target", 2, "PCA-64 FD to be reached")
	precision := flag.String("precision", "float32",
		"of the networks' products: float32, bf16, bf16-pairs or bf16x3; PyTorch has the first two")
	flag.IntVar(&b.threads, "threads", 2, "threads of each side")
	keep := flag.String("keep", "",
		"file of the search's outcomes: those that it has are not trained again")
	python := flag.String("python", "python3", "Python interpreter with PyTorch")
	flag.Parse()
	b.precision = blas.Precision(*precision)
	for seed := range uint64(max(0, *seeds)) {
		b.seeds = append(b.seeds, seed+1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := b.check(flag.Args())
	if err == nil {
		err = b.run(ctx, *keep, *python)
	}
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "quality: interrupted; with -keep the same call goes on from here")
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

// check reports flags that make no sense.
func (b *bench) check(args []string) error {
	precisions := []blas.Precision{blas.Float32, blas.BF16, blas.BF16Pairs, blas.BF16x3}
	switch {
	case len(args) > 0:
		return fmt.Errorf("unexpected argument %q", args[0])
	case len(b.seeds) == 0:
		return errors.New("-seeds: want 1 or more")
	case !(b.target > 0):
		return fmt.Errorf("-target %v: want a distance above 0", b.target)
	case b.threads < 1:
		return fmt.Errorf("-threads %d: want 1 or more", b.threads)
	case !slices.Contains(precisions, b.precision):
		return fmt.Errorf("-precision %q: want one of %q", b.precision, precisions)
	}
	return nil
}

// run measures all contestants, and prints the table.
func (b *bench) run(ctx context.Context, keep, python string) (err error) {
	if b.kept, err = openKept(keep); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.kept.close()) }()
	m, err := newMeasurer(ctx, b.threads)
	if err != nil {
		return err
	}
	b.tell = tell
	list := []contestant{
		native{m, config.IPLD, b.precision}, native{m, config.VAEDiffusion, b.precision},
	}
	dir, err := os.MkdirTemp("", "quality")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	torch, missing := newTwin(ctx, native{m, config.VAEDiffusion, b.precision}, python, dir)
	if missing == nil {
		list = append(list, torch)
	} else {
		fmt.Fprintf(os.Stderr, "quality: without PyTorch: %v\n", missing)
	}
	results, err := b.compare(ctx, list)
	if err == nil {
		fmt.Print(b.markdown(results))
	}
	return err
}

// tell says on the standard error what a training gave.
func tell(t training, o outcome, known bool) {
	note := ""
	if known {
		note = " (kept)"
	}
	fmt.Fprintf(os.Stderr, "%s, %d epochs, seed %d: PCA-64 FD %.3f, %.1f s%s\n",
		t.Contestant, t.Epochs, t.Seed, o.FD, o.Seconds, note)
}
