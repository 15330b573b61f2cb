package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/run"
)

// addRuns defines the flags that choose the run to read and its checkpoint.
func addRuns(flags *pflag.FlagSet, runs, from *string) {
	flags.StringVar(runs, "runs", "runs", "`directory` of the numbered runs")
	flags.StringVar(from, "from", "", "read this `checkpoint` of the run, by a name such as "+
		"step-000500 or "+checkpoint.BestName+", instead of the newest")
}

// openRun opens the run that args name, as findRun finds it, to read the checkpoint from.
func openRun(root, from string, args []string) (*run.Run, error) {
	dir, err := findRun(root, args)
	if err != nil {
		return nil, err
	}
	r, err := run.Open(dir)
	if err == nil {
		r.From = from
	}
	return r, err
}

// findRun returns the directory of the run that args name: none is the newest one with a
// checkpoint, which stderr then names.
func findRun(root string, args []string) (dir string, err error) {
	if len(args) > 0 {
		if args[0] == "auto" {
			return "", usage(errors.New("auto is for train --resume; expected the directory, the " +
				"name or the number of a run, or nothing for the newest"))
		}
		dir, err = run.Find(root, args[0])
		return dir, usage(err)
	}
	dir, passed, err := run.Newest(root)
	if err != nil {
		return "", usage(err)
	}
	text := "plume: " + dir + ", the newest run"
	if len(passed.Runs) > 0 {
		text += ", but for " + passed.String()
	}
	fmt.Fprintln(os.Stderr, text)
	return dir, nil
}
