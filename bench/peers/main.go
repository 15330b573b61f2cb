// Command peers measures the kernels on every path of this CPU beside C with intrinsics, PyTorch
// and a loop over Go's math/rand/v2, and writes the table of bench/README.md:
//
//	go run ./bench/peers                            # prints it
//	go run ./bench/peers -write bench/README.md     # puts it between the marks in that file
//	go run ./bench/peers -rounds 1 -run langevin    # a part of it, quickly
//
// Each side is a process of its own, pinned to one core, and only one of them works at a time: in
// every round each side measures the kernel of the row once, so that what disturbs the machine
// disturbs all. A number is the median of the rounds, a ratio the median of the rounds' ratios.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
)

func main() {
	rounds := flag.Int("rounds", 11, "measurements of every side")
	only := flag.String("run", "", "regular expression that the names of kernels measured match")
	file := flag.String("write", "", "file to write the tables into, between its marks")
	python := flag.String("python", "python3,/usr/bin/python3", "Python interpreters; the first that can import torch is taken")
	cc := flag.String("cc", "cc", "C compiler")
	worker := flag.String("worker", "", "be the worker of this kind (the driver starts them)")
	flag.Parse()
	err := error(nil)
	switch {
	case *worker != "":
		err = runWorker(*worker)
	case flag.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case *rounds < 1:
		err = fmt.Errorf("-rounds %d: want 1 or more", *rounds)
	case *only != "" && *file != "":
		err = fmt.Errorf("-run leaves rows out: it does not go with -write")
	default:
		err = drive(*rounds, *only, *file, *python, *cc)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func drive(rounds int, only, file, python, cc string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	sides, err := startSides(dir, python, cc)
	defer stopAll(sides)
	if err != nil {
		return err
	}
	r := results{sides: sides, rounds: rounds}
	for _, row := range rows {
		if pattern.MatchString(row.kernel) {
			fmt.Fprintf(os.Stderr, "%s, n = %d\n", row.kernel, row.n)
			if err := r.measure(row); err != nil {
				return err
			}
		}
	}
	text := r.markdown()
	if file == "" {
		fmt.Print(text)
		return nil
	}
	return insert(file, text)
}
