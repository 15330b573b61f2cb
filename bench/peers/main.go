// Command peers measures plume beside other systems and writes the tables of bench/README.md:
//
//	go run ./bench/peers                                        # the kernels, beside C, PyTorch and math/rand/v2
//	go run ./bench/peers -what steps                            # training steps and sampling, beside PyTorch and JAX
//	go run ./bench/peers -what steps -write bench/README.md     # puts the tables between the marks in that file
//	go run ./bench/peers -rounds 1 -run langevin                # a part of them, quickly
//
// Each side is a process of its own, and only one of them works at a time: in every round each side
// measures once what the row of the table says, so that what disturbs the machine disturbs all. A number is
// the median of the rounds, a ratio the median of the rounds' ratios.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// options are what the flags say.
type options struct {
	rounds  int
	pattern *regexp.Regexp
	pythons []string
	cc      string
}

// comparison is what -what names: it returns its tables.
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
	only := flag.String("run", "", "regular expression that the names of kernels or shapes measured match")
	file := flag.String("write", "", "file to write the tables into, between its marks")
	python := flag.String("python", "python3,/usr/bin/python3", "Python interpreters; of kernels the first that can import torch is taken, of steps all that can import torch or jax")
	flag.StringVar(&o.cc, "cc", "cc", "C compiler")
	worker := flag.String("worker", "", "be the worker of this kind (the driver starts them)")
	flag.Parse()
	err := error(nil)
	o.pythons = strings.Split(*python, ",")
	if o.pattern, err = regexp.Compile(*only); err != nil {
		err = fmt.Errorf("-run: %w", err)
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
	case *only != "" && *file != "":
		err = errors.New("-run leaves rows out: it does not go with -write")
	default:
		err = c.drive(o, *file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// drive makes the tables in a directory of their own, and prints or inserts them.
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
