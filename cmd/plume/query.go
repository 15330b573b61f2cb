package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/query"
	"github.com/plume-ml/plume/trainer/suggest"
	"github.com/plume-ml/plume/trainer/table"
)

// queryCommand is what the commands share that ask a stored run about rows of data.
type queryCommand struct {
	query.Options
	data, labels, out, runs, from string
	rows, threads                 int
	raw, quiet                    bool

	stored    *query.Stored
	source    data.Dataset // the rows that are asked about
	insist    func(line string)
	interrupt *interrupt
}

// addFlags adds the flags that all of them have. own says which rows are asked about without
// --data.
func (q *queryCommand) addFlags(cmd *cobra.Command, own, output, formats string) {
	flags := cmd.Flags()
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
			" (auto: as those of the training started: at draws of the encoder, at the "+
			"principal components of the training rows with cloud_init = pca, or normal; "+
			"amortised: what a network guesses, which is fitted to the particles once and kept "+
			"with the run)")
	flags.IntVar(&q.Descend, "moves", infer.Patient().Descend,
		"moves after which a row's particles must stop descending, wherever they are")
	flags.Uint64Var(&q.Seed, "seed", 1, "seed of the random numbers")
	flags.BoolVar(&q.raw, "raw", false,
		"use the weights as they are instead of their moving average")
	flags.IntVar(&q.threads, "threads", 0,
		"worker threads (0: all cores); never changes the result")
	complete(cmd, "start", config.Names(query.Starts))
	addRuns(flags, &q.runs, &q.from)
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
	case q.Descend < least:
		return fmt.Errorf("--moves is %d; expected %d or more", q.Descend, least)
	case q.rows < 0:
		return fmt.Errorf("-n is %d; expected 0 or more", q.rows)
	case q.threads < 0:
		return fmt.Errorf("--threads is %d; expected 0 or more", q.threads)
	case q.labels != "" && q.data == "":
		return errors.New("--labels are those of --data: expected both")
	}
	return nil
}

// ask opens the run that args name and calls work, which ends early with its context at a signal.
func (q *queryCommand) ask(args []string, work func(ctx context.Context) error) error {
	if err := q.validate(); err != nil {
		return usage(err)
	}
	r, err := openRun(q.runs, q.from, args)
	if err != nil {
		return err
	}
	q.insist = func(line string) { fmt.Fprintln(os.Stderr, line) }
	ctx, interrupt := watchSignals(context.Background(), notice)
	defer interrupt.stop()
	q.interrupt = interrupt
	interrupt.nothingToSave(interruptedNotice, nil)
	if q.stored, err = query.Open(r, q.raw, q.threads); err != nil {
		return err
	}
	defer q.stored.Close()
	if q.Start == query.StartAmortised {
		if err := q.stored.UseAmortised(ctx, q.how("", false)); err != nil {
			return interrupt.ended(err)
		}
	}
	return interrupt.ended(work(ctx))
}

// read reads the rows that are asked about: those of --data, or the run's that own chooses.
func (q *queryCommand) read(
	ctx context.Context, missing bool, own func(context.Context, query.Read) (data.Dataset, error),
) (query.Rows, error) {
	if text := q.stored.Elsewhere(); text != "" && q.Start == query.StartAuto {
		q.insist("WARNING: " + text)
	}
	how, read := q.how(q.data, missing), q.stored.Read
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

// how says how the data at a path are read, with what missing says of NaN.
func (q *queryCommand) how(path string, missing bool) query.Read {
	return query.Read{
		Path: path, Labels: q.labels, Missing: missing,
		Report: progress.Reporter{Report: q.say},
		Warn:   func(text string) { q.insist("WARNING: " + text) },
	}
}

// say tells the user what is going on.
func (q *queryCommand) say(text string) {
	if !q.quiet {
		notice(text)
	}
}

// slowly does work and reports how far it has come, and at the end how it went.
func (q *queryCommand) slowly(what string, work func() (query.Summary, error)) error {
	var summary query.Summary
	err := progress.Reporter{Report: q.say}.Run(func(t *progress.Task) (err error) {
		t.Set(what)
		q.Progress = t.At
		q.Forecast = func(bytes int64) {
			t.Do(func() { q.say(what + " takes " + memory.Human(bytes) + ", besides the rows") })
		}
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

// write writes the table of the output with the columns that tell rows apart and others: work gets
// what appends rows lo and on. At a signal nothing is left of it.
func (q *queryCommand) write(
	columns []table.Column, work func(put func(lo, n int, blocks ...any) error) error,
) error {
	identity := q.identity()
	return q.table(append(identity.columns(), columns...), func(w *table.Writer) error {
		return work(func(lo, n int, blocks ...any) error {
			return w.Append(append(identity.blocks(lo, n), blocks...)...)
		})
	})
}

// table creates the table of the output, calls work to append rows, and completes it.
func (q *queryCommand) table(columns []table.Column, work func(*table.Writer) error) error {
	return q.tableAs(table.CSV{}, columns, work)
}

// tableAs is table with a way to write CSV.
func (q *queryCommand) tableAs(
	way table.CSV, columns []table.Column, work func(*table.Writer) error,
) error {
	w, err := table.CreateCSV(q.out, way, columns...)
	if err != nil {
		return err
	}
	defer w.Abandon()
	q.interrupt.nothingToSave(interruptedNotice, w.Abandon)
	if err := work(w); err != nil {
		return err
	}
	if err := w.Close(); err != nil || q.out == "-" {
		return err
	}
	_, err = fmt.Println(q.out)
	return err
}

// identity tells rows apart.
type identity struct {
	rows    data.Dataset
	names   map[int]string // of the labels; nil: no row has a label
	inFiles bool           // rows are files of their own
}

func (q *queryCommand) identity() identity {
	id := identity{rows: q.source, inFiles: q.source.Origin(0).File != ""}
	if classes, err := data.ClassesOf(q.source); err == nil {
		id.names = map[int]string{-1: ""}
		for i, label := range classes.Labels {
			id.names[label] = classes.Names[i]
		}
	}
	return id
}

// columns are the number of the row in its source, from 0, and where there are any its file and its
// label.
func (id identity) columns() []table.Column {
	columns := []table.Column{{Name: "row", Kind: table.Int64}}
	if id.inFiles {
		columns = append(columns, table.Column{Name: "file", Kind: table.String})
	}
	if id.names != nil {
		columns = append(columns, table.Column{Name: "label", Kind: table.String})
	}
	return columns
}

// blocks are the columns of n rows from lo on.
func (id identity) blocks(lo, n int) []any {
	numbers, names, labels := make([]int64, n), make([]string, n), make([]string, n)
	for i := range n {
		origin := id.rows.Origin(lo + i)
		numbers[i], names[i] = int64(origin.Row), origin.File
		labels[i] = id.names[id.rows.Label(lo+i)]
	}
	blocks := []any{numbers}
	if id.inFiles {
		blocks = append(blocks, names)
	}
	if id.names != nil {
		blocks = append(blocks, labels)
	}
	return blocks
}

// heldOut reads the rows that were held out of the run's training.
func (q *queryCommand) heldOut(ctx context.Context, how query.Read) (data.Dataset, error) {
	return q.stored.HeldOut(ctx, how)
}

// gather returns the first n rows, n x D.
func (q *queryCommand) gather(rows query.Rows, n int) []float32 {
	x := make([]float32, n*q.stored.Shape().Dim())
	rows.Images.Gather(x, data.Range(0, n))
	return x
}

// checkTable refuses a path at which no table of several columns can be, before long work.
func checkTable(path string) error {
	return table.CheckPath(path, table.Column{Name: "row"}, table.Column{Name: "settled"})
}

// checkDirectory refuses a path in a directory that does not exist.
func checkDirectory(path string) error {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("--output is %q; expected a file in a directory that exists", path)
	}
	return nil
}

// truths are booleans as numbers, 1 and 0.
func truths(x []bool) []int64 {
	out := make([]int64, len(x))
	for i, v := range x {
		if v {
			out[i] = 1
		}
	}
	return out
}
