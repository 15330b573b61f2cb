// Command regress records the benchmarks of package bench and tells whether they became slower:
//
//	go run ./bench/regress save                  # all, once, into bench/results
//	go run ./bench/regress save -baseline        # those that are followed, into bench/baseline
//	go run ./bench/regress diff                  # this tree against this CPU's baseline
//	go run ./bench/regress diff -base FILE       # against a recorded file
//	go run ./bench/regress diff -base REVISION   # against a commit, both built and run in turns
//
// Each round is a process of its own, since where a process's memory happens to lie decides some
// percent of its speed. A benchmark became slower if the medians differ by more than the threshold and
// a Mann-Whitney test tells the samples apart (p < 0.05), the statistics of benchstat, whose tables are
// printed too. The exit code is 0, 1 if a benchmark became slower, 2 if there is no verdict; "go run"
// itself makes both 1.
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

// settings are how to run the benchmarks.
type settings struct {
	bench     string // regular expression of go test -bench
	benchtime string // of go test -benchtime
	count     int    // runs
	tags      string // of go build
}

// What holds where nothing else is asked. Those that are followed take a few minutes for ten
// runs; they leave out what is of interest only in itself.
var (
	everything = settings{bench: ".", benchtime: "1s", count: 1}
	followed   = settings{bench: "Step|Sample/solver=ddim|Gemm|Kernel/op=/n=16384", benchtime: "300ms", count: 10}
)

func (s *settings) define(flags *flag.FlagSet) {
	flags.StringVar(&s.bench, "bench", "", "`regexp` of the benchmarks, as for go test (default all; those that are followed, to compare)")
	flags.StringVar(&s.benchtime, "benchtime", "", "time or count of each, as for go test (default 1s; 300ms to compare)")
	flags.IntVar(&s.count, "count", 0, "runs, each a process of its own (default 1; 10 to compare)")
	flags.StringVar(&s.tags, "tags", "", "build `tags`")
}

// or fills what was not asked for.
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

// parse reads the flags of a verb that takes nothing else.
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

// resultFile is a new name in bench/results, after the time and the state that was measured.
func resultFile(root, label string) string {
	return filepath.Join(root, "bench", "results", time.Now().Format("20060102-150405")+"-"+label+".txt")
}
