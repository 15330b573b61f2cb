package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/suggest"
)

const runsLong = "" +
	`List, show, compare, remove and annotate runs. Without a command: list those below --runs.

RUN is the directory of a run, or its name or number under --runs. Tags and notes are kept in the
run's directory, in notes.json; training neither reads nor writes them.`

const runsExample = `  plume runs                             all runs, the newest first
  plume runs list --tag good --json
  plume runs show 7                      one run: its data, its results, what is not the default
  plume runs diff 7 8 9                  in what three runs differ
  plume runs tag 7 good wide
  plume runs note 7 "with twice the noise"
  plume runs rm 3 4`

type runsCommand struct {
	runs        string
	json        bool
	tag, status string
	yes, remove bool
}

func newRuns() *cobra.Command {
	r := &runsCommand{}
	cmd := &cobra.Command{
		Use:     "runs [COMMAND] [flags]",
		Short:   "List, show, compare, remove and annotate runs",
		Long:    runsLong,
		Example: runsExample,
		Args:    cobra.NoArgs,
		RunE:    command(func(*cobra.Command, []string) error { return r.list(r.runs) }),
	}
	list := r.sub("list [DIR]", "List runs, the newest first", cobra.MaximumNArgs(1),
		func(args []string) error { return r.list(append(args, r.runs)[0]) })
	for _, c := range []*cobra.Command{cmd, list} {
		r.addFilters(c.Flags())
		complete(c, "status", run.Statuses())
	}
	rm := r.sub("rm RUN...", "Remove runs, with all that their directories hold",
		cobra.MinimumNArgs(1), r.rm)
	rm.Flags().BoolVarP(&r.yes, "yes", "y", false, "do not ask")
	tag := r.sub("tag RUN [TAG...]", "Add tags to a run, or remove them",
		cobra.MinimumNArgs(1), r.tags)
	tag.Flags().BoolVar(&r.remove, "remove", false, "remove the tags")
	cmd.AddCommand(list, rm, tag,
		r.sub("show RUN", "Show a run", cobra.ExactArgs(1), r.show),
		r.sub("diff RUN RUN...", "Show in what runs differ", cobra.MinimumNArgs(2), r.diff),
		r.sub("note RUN [TEXT]", "Set the note of a run, or print it; an empty text removes it",
			cobra.RangeArgs(1, 2), r.note))
	flags := cmd.PersistentFlags()
	flags.StringVar(&r.runs, "runs", "runs", "`directory` of the runs")
	flags.BoolVar(&r.json, "json", false, "print JSON")
	return cmd
}

// sub returns a command of runs.
func (r *runsCommand) sub(
	use, short string, args cobra.PositionalArgs, body func(args []string) error,
) *cobra.Command {
	return &cobra.Command{
		Use: use + " [flags]", Short: short, Args: args,
		RunE: command(func(_ *cobra.Command, args []string) error { return body(args) }),
	}
}

func (r *runsCommand) addFilters(flags *pflag.FlagSet) {
	flags.StringVar(&r.tag, "tag", "", "only runs with this `tag`")
	flags.StringVar(&r.status, "status", "",
		"only runs in this state: "+strings.Join(run.Statuses(), ", "))
}

// find returns the directories of the runs that args name.
func (r *runsCommand) find(args []string) (dirs []string, err error) {
	for _, arg := range args {
		dir, err := run.Find(r.runs, arg)
		if err != nil {
			return nil, usage(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func (r *runsCommand) list(root string) error {
	if r.status != "" && !slices.Contains(run.Statuses(), r.status) {
		return usage(fmt.Errorf("--status %q: expected one of %s%s", r.status,
			strings.Join(run.Statuses(), ", "), suggest.DidYouMean(r.status, run.Statuses())))
	}
	ctx, interrupt := watchSignals(context.Background(), notice)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, nil)
	var all []run.Overview
	err := progress.Reporter{Report: notice}.Run(func(t *progress.Task) (err error) {
		t.Set("looking for runs below " + root)
		all, err = run.List(ctx, root)
		return err
	})
	if err != nil {
		return interrupt.ended(usage(err))
	}
	all = slices.DeleteFunc(all, func(o run.Overview) bool {
		return r.tag != "" && !slices.Contains(o.Tags, r.tag) ||
			r.status != "" && o.Status != r.status
	})
	if r.json {
		return printJSON(os.Stdout, append([]run.Overview{}, all...))
	}
	if len(all) == 0 {
		notice("no such runs below " + root)
		return nil
	}
	return printRuns(os.Stdout, root, all)
}

// printRuns prints a line for each run.
func printRuns(w io.Writer, root string, all []run.Overview) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tSTATE\tMETHOD\tDATA\tEPOCHS\tQUALITY\tSTARTED\tTAGS")
	for _, o := range all {
		name, err := filepath.Rel(root, o.Dir)
		if err != nil || name == "." {
			name = o.Dir
		}
		started := ""
		if !o.Started.IsZero() {
			started = o.Started.Local().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\t%s\n", name, o.Status, o.Method,
			filepath.Base(o.Data), o.Epoch, o.Epochs, quality(o), started,
			strings.Join(o.Tags, " "))
	}
	return table.Flush()
}

// quality is the most telling number of a run.
func quality(o run.Overview) string {
	switch {
	case !math.IsNaN(float64(o.PCA64FD)):
		return figure("FD", 2, o.PCA64FD)
	case !math.IsNaN(float64(o.HeldOutMSE)):
		return figure("held-out MSE", 4, o.HeldOutMSE)
	}
	return figure("MSE", 4, o.ReconMSE)
}

func (r *runsCommand) show(args []string) error {
	dirs, err := r.find(args)
	if err != nil {
		return err
	}
	o := run.Overlook(dirs[0])
	size, err := run.Size(o.Dir)
	if err != nil {
		return err
	}
	changed, err := run.FromDefaults(o.Dir)
	if err != nil && o.Problem == "" {
		return err
	}
	if r.json {
		return printJSON(os.Stdout, struct {
			run.Overview
			Bytes   int64            `json:"bytes"`
			Changed []run.Difference `json:"not_default"`
		}{o, size, changed})
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, text)
		}
	}
	row("run", o.Dir)
	row("state", strings.TrimSpace(o.Status+" "+o.Holder))
	row("problem", o.Problem)
	row("method", o.Method)
	row("data", o.Data)
	row("epochs", fmt.Sprint(o.Epochs))
	for _, d := range o.Results()[1:] { // after the status
		row(d.Name, d.Values[0])
	}
	row("size", humanize.IBytes(uint64(size)))
	row("note", strings.ReplaceAll(o.Note, "\n", "\n\t"))
	if len(changed) > 0 {
		fmt.Fprintln(table, "KEY\tVALUE\tDEFAULT")
	}
	for _, d := range changed {
		fmt.Fprintf(table, "%s\t%s\n", d.Name, strings.Join(d.Values, "\t"))
	}
	return table.Flush()
}

func (r *runsCommand) diff(args []string) error {
	dirs, err := r.find(args)
	if err != nil {
		return err
	}
	c, err := run.Compare(dirs)
	if err != nil {
		return err
	}
	if r.json {
		return printJSON(os.Stdout, c)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	names := make([]string, len(dirs))
	for i, dir := range dirs {
		names[i] = filepath.Base(dir)
	}
	fmt.Fprintf(table, "\t%s\n", strings.Join(names, "\t"))
	for _, part := range []struct {
		heading string
		all     []run.Difference
	}{
		{"CONFIGURATION", c.Configuration}, {"CIRCUMSTANCES", c.Circumstances},
		{"RESULTS", c.Results},
	} {
		if len(part.all) > 0 {
			fmt.Fprintln(table, part.heading)
		}
		for _, d := range part.all {
			values := slices.Clone(d.Values)
			for i, v := range values {
				if v == "" {
					values[i] = "-"
				}
			}
			fmt.Fprintf(table, "%s\t%s\n", d.Name, strings.Join(values, "\t"))
		}
	}
	return table.Flush()
}
