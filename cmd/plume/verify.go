package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/verify"
)

const verifyLong = "" +
	`Measure the error guarantees of the training methods on models whose truth is known in closed
form: errors against steps, step size, particles, datapoints and the range of noise levels, limits
of stability, stationary laws. The numbers come out of the code that trains images; only the
networks are replaced by exact linear ones. The exit code is 1 if a measured number is too far
from the exact one.`

const verifyExample = `  plume verify                          a table, in about a minute
  plume verify -o verified              and diagrams (PNG, SVG) and report.json in verified/
  plume verify --thorough               with more replicates, in some minutes
  plume verify --only 8.1,8.4           some sections of trainer/ALGORITHM.md
  plume verify --only stability --json  experiments with that word in their title`

// figureEndings are the file extensions of the diagrams.
var figureEndings = []string{".png", ".svg"}

type verifyCommand struct {
	options       verify.Options
	out           string
	asJSON, quiet bool
}

func newVerify() *cobra.Command {
	v := &verifyCommand{}
	cmd := &cobra.Command{
		Use:     "verify [flags]",
		Short:   "Measure the methods' error guarantees on models with known truth",
		Long:    verifyLong,
		Example: verifyExample,
		Args:    cobra.NoArgs,
		RunE:    command(func(*cobra.Command, []string) error { return v.run() }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&v.options.Thorough, "thorough", false,
		"more replicates: most intervals are a third to a quarter as wide; in some minutes")
	flags.StringSliceVar(&v.options.Only, "only", nil,
		"`sections` such as 8.1, or titles of experiments or parts of them, separated by commas")
	flags.StringVarP(&v.out, "output", "o", "",
		"`directory` for diagrams (PNG and SVG) and report.json")
	flags.BoolVar(&v.asJSON, "json", false, "print a JSON object instead of the table")
	flags.BoolVarP(&v.quiet, "quiet", "q", false, "no progress on stderr")
	names := config.Names(blas.Precisions)
	flags.StringVar((*string)(&v.options.Precision), "precision", names[0],
		"of the networks' products: "+strings.Join(names, ", "))
	complete(cmd, "precision", names)
	var sections []string
	for _, title := range verify.Titles() {
		section, _, _ := strings.Cut(title, " ")
		sections = append(sections, section)
	}
	complete(cmd, "only", slices.Compact(sections))
	flags.Uint64Var(&v.options.Seed, "seed", 1, "seed of all random numbers")
	flags.IntVar(&v.options.Threads, "threads", 0,
		"worker threads (0: all cores); never changes the result")
	return cmd
}

func (v *verifyCommand) run() error {
	if v.options.Threads < 0 {
		return usage(fmt.Errorf("--threads is %d; expected 0 or more", v.options.Threads))
	}
	if _, err := blas.In(v.options.Precision); err != nil {
		return usage(fmt.Errorf("--precision: %w", err))
	}
	made := firstMissing(v.out)
	if v.out != "" {
		if err := os.MkdirAll(v.out, 0o777); err != nil {
			return usage(fmt.Errorf("--output: %w", err))
		}
	}
	insist := func(line string) { fmt.Fprintln(os.Stderr, line) }
	if !v.quiet {
		v.options.Progress = insist
	}
	notify := func(notice string) { insist("plume: " + notice) }
	ctx, interrupt := watchSignals(context.Background(), notify)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, func() { removeEmpty(v.out, made) })
	start := time.Now()
	report, err := verify.Run(ctx, v.options)
	if err != nil {
		removeEmpty(v.out, made)
	}
	switch {
	case errors.Is(err, verify.ErrUnknown):
		return usage(fmt.Errorf("--only: %w", err))
	case err != nil:
		return interrupt.ended(err)
	}
	report.Version, report.Seconds = run.Version(), time.Since(start).Seconds()
	if err := v.write(report); err != nil {
		return err
	}
	if failed := len(report.Failed()); failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(report.Checks))
	}
	return nil
}

// write prints the report, and stores it with its diagrams.
func (v *verifyCommand) write(report *verify.Report) error {
	if v.asJSON {
		if err := printJSON(os.Stdout, report); err != nil {
			return err
		}
	} else if err := verify.WriteTable(os.Stdout, report); err != nil {
		return err
	}
	if v.out == "" {
		return nil
	}
	for _, f := range report.Figures {
		for _, ending := range figureEndings {
			if err := f.Plot.Write(filepath.Join(v.out, f.Name+ending)); err != nil {
				return err
			}
		}
	}
	path := filepath.Join(v.out, "report.json")
	return file.Write(file.OS, path, func(w io.Writer) error { return printJSON(w, report) })
}
