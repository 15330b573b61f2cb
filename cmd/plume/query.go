package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/suggest"
)

// queryCommand is what the commands share that ask a stored run about rows of data.
type queryCommand struct {
	query.Options
	data, labels, out, runs string
	rows, moves, threads    int
	raw, quiet              bool

	stored *query.Stored
	source data.Dataset // the rows that are asked about
	insist func(line string)
}

// addFlags adds the flags that all of them have. own says which rows are asked about without
// --data.
func (q *queryCommand) addFlags(flags *pflag.FlagSet, own, output, formats string) {
	flags.SortFlags = false
	flags.StringVar(&q.data, "data", "",
		"`path` of the rows, read as those of the run were (default: "+own+")")
	flags.StringVar(&q.labels, "labels", "",
		"`file` of their labels (default: those that come with them)")
	flags.IntVarP(&q.rows, "number", "n", 0, "take the first n rows only (0: all)")
	flags.StringVarP(&q.out, "output", "o", output, "`file` to write: "+formats)
	flags.IntVar(&q.Particles, "particles", 8, "draws from the posterior of each row, 2 or more")
	flags.StringVar((*string)(&q.Start), "start", string(query.StartAuto),
		"where they start: "+strings.Join(config.Names(query.Starts), ", ")+
			" (auto: encoder for methods that train one, else normal)")
	flags.IntVar(&q.moves, "moves", infer.Patient().Descend,
		"moves after which a row's particles must stop descending, wherever they are")
	flags.Uint64Var(&q.Seed, "seed", 1, "seed of the random numbers")
	flags.BoolVar(&q.raw, "raw", false,
		"use the weights as they are instead of their moving average")
	flags.IntVar(&q.threads, "threads", 0,
		"worker threads (0: all cores); never changes the result")
	flags.StringVar(&q.runs, "runs", "runs", "`directory` of the numbered runs")
	flags.BoolVarP(&q.quiet, "quiet", "q", false, "say nothing but warnings and errors")
}

// oneRun is the check of the arguments of a command about a run.
func oneRun(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%d arguments; expected at most one RUN: "+
			"the directory, the name or the number of a run (default: the newest)", len(args))
	}
	return nil
}

func (q *queryCommand) validate() error {
	starts := config.Names(query.Starts)
	least := 2 * infer.Patient().Window
	switch {
	case !slices.Contains(starts, string(q.Start)):
		return fmt.Errorf("--start is %q; expected one of %s%s", q.Start,
			strings.Join(starts, ", "), suggest.DidYouMean(string(q.Start), starts))
	case q.Particles < 2:
		return fmt.Errorf("--particles is %d; expected 2 or more", q.Particles)
	case q.moves < least:
		return fmt.Errorf("--moves is %d; expected %d or more", q.moves, least)
	case q.rows < 0:
		return fmt.Errorf("-n is %d; expected 0 or more", q.rows)
	case q.threads < 0:
		return fmt.Errorf("--threads is %d; expected 0 or more", q.threads)
	case q.labels != "" && q.data == "":
		return errors.New("--labels are those of --data: expected both")
	}
	settling := infer.Patient()
	settling.Descend = q.moves
	q.Settling = &settling
	return nil
}

// ask opens the run, calls work with its context, and ends it at a signal. args names the run;
// abandon removes what an interrupted work leaves behind.
func (q *queryCommand) ask(
	args []string, abandon func(), work func(ctx context.Context) error,
) error {
	if err := q.validate(); err != nil {
		return usage(err)
	}
	stored, err := q.find(args)
	if err != nil {
		return err
	}
	q.insist = func(line string) { fmt.Fprintln(os.Stderr, line) }
	notify := func(notice string) { q.insist("plume: " + notice) }
	ctx, interrupt := watchSignals(context.Background(), notify)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, abandon)
	if q.stored, err = query.Open(stored, q.raw, q.threads); err != nil {
		return err
	}
	defer q.stored.Close()
	if err := work(ctx); err != nil {
		abandon()
		return interrupt.ended(err)
	}
	return nil
}

// find opens the run that args name.
func (q *queryCommand) find(args []string) (*run.Run, error) {
	spec := ""
	if len(args) > 0 {
		spec = args[0]
	}
	dir, err := run.Find(q.runs, spec)
	if err != nil {
		return nil, usage(err)
	}
	return run.Open(dir)
}

// read reads the rows that are asked about: those of --data, or the run's that own chooses.
func (q *queryCommand) read(
	ctx context.Context, missing bool, own func(context.Context, query.Read) (data.Dataset, error),
) (query.Rows, error) {
	how := query.Read{
		Path: q.data, Labels: q.labels, Missing: missing,
		Report: progress.Reporter{Report: q.say},
		Warn:   func(text string) { q.insist("WARNING: " + text) },
	}
	read := q.stored.Read
	if q.data == "" {
		read = own
	}
	var err error
	if q.source, err = read(ctx, how); err != nil {
		return query.Rows{}, err
	}
	if n := q.source.Len(); q.rows > 0 && q.rows < n {
		q.source = data.Subset(q.source, data.Range(0, q.rows))
	}
	return q.stored.Rows(q.source)
}

// say tells the user what is going on.
func (q *queryCommand) say(text string) {
	if !q.quiet {
		q.insist("plume: " + text)
	}
}

// slowly does work and reports how far it has come, and at the end how it went.
func (q *queryCommand) slowly(what string, work func() (query.Summary, error)) error {
	var summary query.Summary
	err := progress.Reporter{Report: q.say}.Run(func(t *progress.Task) (err error) {
		t.Set(what)
		q.Progress = t.At
		summary, err = work()
		return err
	})
	if err != nil {
		return err
	}
	q.say(summary.String())
	for _, text := range summary.Warnings() {
		q.insist("WARNING: " + text)
	}
	return nil
}

// abandonFile removes what an unfinished picture leaves behind.
func (q *queryCommand) abandonFile() { _ = file.Abandon(file.OS, q.out) }
