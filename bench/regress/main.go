// Command regress records the benchmarks of a Go module and says whether they became slower than
// they were: in a recorded file, in the baseline of this CPU, or in another commit, which is built
// beside this tree and run in turns with it. It works in any module; "regress -h" tells how.
//
//	go run github.com/plume-ml/plume/bench/regress@latest diff -base HEAD ./...
//
// Each round runs in a new process, because the addresses of a process's memory change its speed
// by some percent. A benchmark became slower if the medians differ by more than the threshold and
// a Mann-Whitney test finds a difference (p < 0.05). These are the statistics of benchstat, whose
// tables are printed too.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	exitSlower    = 1
	exitNoVerdict = 2
)

const help = `Examples:
  regress diff -base HEAD                     what is not committed, against the commit
  regress diff -base main ./codec             benchmarks of one package, against a branch
  regress diff -base v1.2.0 -bench Decode     some benchmarks, against a tag
  regress save -baseline ./...                record the baseline of this CPU, to be committed
  regress diff                                against that baseline
  regress save -o before.txt                  record a file, once
  regress diff -base before.txt -threshold 10

Compare the benchmarks of a Go module with a commit, a recorded file, or the baseline of this CPU.
Packages are patterns as for go test, ./... if there are none. A commit is built in a work tree of
its own, and both sides run in turns, each round in new processes, so that what else the machine
does affects both. A benchmark is slower if the medians of its time, or of one of its rates (units
that end in /s), differ by more than the threshold, and a Mann-Whitney test gives p < 0.05; with
less than four rounds there is no verdict. The tables are benchstat's.

Usage:
  regress diff [flags] [packages]
  regress save [flags] [packages]

Results are kept in DIR/results, where DIR is bench unless -dir says otherwise, below the root of
the module; baselines in DIR/baseline, named by the CPU. Numbers of another CPU are refused.

Exit codes: 0 nothing became slower, or the results were saved; 1 a benchmark became slower; 2 no
verdict: usage, benchmarks that cannot be built or fail, too few rounds, an interruption. "go run"
turns 2 into 1: where that matters, use go install.

Flags of diff:
`

// settings say which benchmarks to run, and how.
type settings struct {
	packages  []string // patterns of go list
	bench     string   // regular expression of go test -bench
	benchtime string   // of go test -benchtime
	count     int      // number of rounds
	tags      string   // of go build
	dir       string   // of results and baselines, below the root of the module
	unset     string   // environment variables that benchmarks do not see, separated by commas
}

// The defaults of save, and those of diff and save -baseline.
var (
	once    = settings{benchtime: "1s", count: 1}
	compare = settings{benchtime: "300ms", count: 10}
)

func (s *settings) define(flags *flag.FlagSet) {
	flags.StringVar(&s.bench, "bench", ".", "`regexp` of the benchmarks, as for go test")
	flags.StringVar(&s.benchtime, "benchtime", "",
		"time or count of each, as for go test (default 1s; to compare, 300ms)")
	flags.IntVar(&s.count, "count", 0, "`rounds`, each a new process (default 1; to compare, 10)")
	flags.StringVar(&s.tags, "tags", "", "build `tags`")
	flags.StringVar(&s.dir, "dir", "bench",
		"`directory` of results and baselines, below the root of the module")
	flags.StringVar(&s.unset, "unset", "",
		"environment `variables` that the benchmarks do not see, separated by commas")
}

// or sets what is not set to the other's values.
func (s *settings) or(other settings) {
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
	case "-h", "-help", "--help", "help":
		return diff(ctx, []string{"-h"})
	}
	return false, fmt.Errorf("%q: expected save or diff; regress -h tells more", verb)
}

// parse reads the flags of a verb, and the packages after them.
func (s *settings) parse(flags *flag.FlagSet, args []string) error {
	s.define(flags)
	text := help
	if flags.Name() != "diff" {
		text = strings.Replace(help, "Flags of diff:", "Flags of "+flags.Name()+":", 1)
	}
	flags.Usage = func() {}
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Print(text)
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return err
	} else if err != nil {
		return err
	}
	if s.packages = flags.Args(); len(s.packages) == 0 {
		s.packages = []string{"./..."}
	}
	for _, p := range s.packages {
		if strings.HasPrefix(p, "-") {
			return fmt.Errorf("%s: expected flags before packages", p)
		}
	}
	if s.count < 0 {
		return fmt.Errorf("-count %d: expected 1 or more", s.count)
	}
	return nil
}

// resultFile is a new name among the results, from the time and the label of what was measured.
func (s settings) resultFile(root, label string) string {
	name := time.Now().Format("20060102-150405") + "-" + label + ".txt"
	return filepath.Join(root, s.dir, "results", name)
}
