// Command peers measures plume beside other systems and writes the tables of bench/README.md:
//
//	go run ./bench/peers                          # kernels, beside C, PyTorch and math/rand/v2
//	go run ./bench/peers -what steps              # steps and sampling, beside PyTorch and JAX
//	go run ./bench/peers -write bench/README.md   # puts the tables between the marks there
//	go run ./bench/peers -rounds 1 -run langevin  # some of them, quickly
//	go run ./bench/peers -what steps -run '^S$' -precision bf16   # likewise
//
// Each side is a process of its own, and only one of them works at a time. In every round each
// side measures a row of the table once, so that disturbances of the machine affect all. Numbers
// are medians of the rounds, and ratios are medians of the rounds' ratios.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/plume-ml/plume/blas"
)

// options are the flags.
type options struct {
	rounds  int
	pattern *regexp.Regexp
	pythons []string
	cc      string

	precisions []blas.Precision // of steps
}

// comparison is one of the choices of -what. run returns its tables.
type comparison struct {
	marks marks
	run   func(o options, dir string) (string, error)
}

var comparisons = map[string]comparison{
	"kernels": {marks{"kernels", "go run ./bench/peers -write"}, compareKernels},
	"steps":   {marks{"steps", "go run ./bench/peers -what steps -write"}, compareSteps},
}

func main() {
	o := options{}
	flag.IntVar(&o.rounds, "rounds", 11, "measurements of every side")
	what := flag.String("what", "kernels", "what is compared: kernels or steps")
	only := flag.String("run", "",
		"regular expression for the names of kernels or shapes to measure")
	precision := flag.String("precision", "", "of steps: float32 or bf16 (default both)")
	file := flag.String("write", "", "file to write the tables into, between its marks")
	python := flag.String("python", "python3,/usr/bin/python3",
		"Python interpreters; kernels use the first that can import torch, "+
			"steps all that can import torch or jax")
	flag.StringVar(&o.cc, "cc", "cc", "C compiler")
	worker := flag.String("worker", "", "run as a worker of this kind (for the driver)")
	flag.Parse()
	err := error(nil)
	o.pythons = strings.Split(*python, ",")
	if o.pattern, err = regexp.Compile(*only); err != nil {
		err = fmt.Errorf("-run: %w", err)
	}
	if o.precisions = precisions; *precision != "" {
		o.precisions = []blas.Precision{blas.Precision(*precision)}
	}
	c, known := comparisons[*what]
	switch {
	case err != nil:
	case *worker != "":
		err = runWorker(*worker)
	case flag.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case o.rounds < 1:
		err = fmt.Errorf("-rounds %d: want 1 or more", o.rounds)
	case !known:
		err = fmt.Errorf("-what %q: want kernels or steps", *what)
	case !slices.Contains(precisions, o.precisions[0]):
		err = fmt.Errorf("-precision %q: want float32 or bf16", *precision)
	case *only+*precision != "" && *file != "":
		err = errors.New("-run and -precision omit rows, so they cannot be used with -write")
	default:
		err = c.drive(o, *file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// drive makes the tables in a temporary directory, and prints them or inserts them into a file.
func (c comparison) drive(o options, file string) error {
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, sources); err != nil {
		return err
	}
	text, err := c.run(o, dir)
	if err != nil {
		return err
	}
	if file == "" {
		fmt.Print(text)
		return nil
	}
	return c.marks.insert(file, text)
}
