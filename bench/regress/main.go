// Command regress records the benchmarks of package bench and checks whether they became slower:
//
//	go run ./bench/regress save                  # all, once, into bench/results
//	go run ./bench/regress save -baseline        # the tracked ones, into bench/baseline
//	go run ./bench/regress diff                  # this tree against this CPU's baseline
//	go run ./bench/regress diff -base FILE       # against a recorded file
//	go run ./bench/regress diff -base REVISION   # against a commit, both built and run in turns
//
// Each round runs in a new process, because the addresses of a process's memory change its speed
// by some percent. A benchmark became slower if the medians differ by more than the threshold and
// a Mann-Whitney test finds a difference (p < 0.05). These are the statistics of benchstat, whose
// tables are printed too. The exit code is 0, or 1 if a benchmark became slower, or 2 if there is
// no verdict; "go run" itself turns both into 1.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	exitSlower    = 1
	exitNoVerdict = 2
)

// settings say how to run the benchmarks.
type settings struct {
	bench     string // regular expression of go test -bench
	benchtime string // of go test -benchtime
	count     int    // number of runs
	tags      string // of go build
}

// The defaults of save, and those of diff and save -baseline. The tracked benchmarks take a few
// minutes for ten runs; benchmarks that are only of interest by themselves are not among them.
var (
	everything = settings{bench: ".", benchtime: "1s", count: 1}
	tracked    = settings{
		bench: "Step|Sample/solver=ddim|Gemm|Kernel/op=/n=16384", benchtime: "300ms", count: 10,
	}
)

func (s *settings) define(flags *flag.FlagSet) {
	flags.StringVar(&s.bench, "bench", "",
		"`regexp` of the benchmarks, as for go test (default all; to compare, the tracked ones)")
	flags.StringVar(&s.benchtime, "benchtime", "",
		"time or count of each, as for go test (default 1s; to compare, 300ms)")
	flags.IntVar(&s.count, "count", 0, "runs, each a new process (default 1; to compare, 10)")
	flags.StringVar(&s.tags, "tags", "", "build `tags`")
}

// or sets what is not set to the other's values.
func (s *settings) or(other settings) {
	s.bench = cmp.Or(s.bench, other.bench)
	s.benchtime = cmp.Or(s.benchtime, other.benchtime)
	s.count = cmp.Or(s.count, other.count)
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slower, err := command(ctx, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "regress: interrupted")
		return exitNoVerdict
	case err != nil:
		fmt.Fprintln(os.Stderr, "regress:", err)
		return exitNoVerdict
	case slower:
		return exitSlower
	}
	return 0
}

func command(ctx context.Context, args []string) (slower bool, err error) {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "save":
		return false, save(ctx, args)
	case "diff":
		return diff(ctx, args)
	}
	return false, fmt.Errorf("%q: expected save or diff", verb)
}

// parse reads the flags of a verb; it takes no other arguments.
func (s *settings) parse(flags *flag.FlagSet, args []string) error {
	s.define(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if s.count < 0 {
		return fmt.Errorf("-count %d: expected 1 or more", s.count)
	}
	return nil
}

// resultFile is a new name in bench/results, from the time and the label of what was measured.
func resultFile(root, label string) string {
	name := time.Now().Format("20060102-150405") + "-" + label + ".txt"
	return filepath.Join(root, "bench", "results", name)
}
