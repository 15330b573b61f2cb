package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/suggest"
)

const curvesLong = "" +
	`Draw the learning curves of runs (by default of the newest) in the terminal: a diagram for each
column of metrics.jsonl, with a curve for each run. Runs may still be training.

Where stdout is no terminal, or NO_COLOR is set, several curves have letters in place of colours.`

const curvesExample = `  plume curves 7
  plume curves 7 8 --by time --columns heldout_mse,pca64_fd --log
  plume curves 7 --json`

// axes are what curves can be drawn by, and the columns with it.
var axes = map[string]string{
	"step": "step", "epoch": "epoch", "time": "seconds", "evaluations": "evaluations",
}

var axisNames = []string{"step", "epoch", "time", "evaluations"}

// usualColumns are drawn unless --columns says otherwise.
var usualColumns = []string{"recon_mse", "heldout_mse", "pca64_fd"}

type curvesCommand struct {
	runs, by      string
	columns       []string
	log, json     bool
	width, height int
}

func newCurves() *cobra.Command {
	c := &curvesCommand{}
	cmd := &cobra.Command{
		Use:     "curves [RUN...] [flags]",
		Short:   "Draw the learning curves of runs in the terminal",
		Long:    curvesLong,
		Example: curvesExample,
		RunE:    command(func(_ *cobra.Command, args []string) error { return c.run(args) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&c.by, "by", "step", "horizontal axis: "+strings.Join(axisNames, ", "))
	flags.StringSliceVar(&c.columns, "columns", usualColumns,
		"what to draw, separated by commas: "+strings.Join(record.Columns(), ", "))
	flags.BoolVar(&c.log, "log", false, "a logarithmic vertical axis")
	flags.IntVar(&c.width, "width", 0, "columns of a diagram (0: those of the terminal)")
	flags.IntVar(&c.height, "height", 12, "lines of a diagram")
	flags.BoolVar(&c.json, "json", false, "print the points as JSON")
	flags.StringVar(&c.runs, "runs", "runs", "`directory` of the numbered runs")
	complete(cmd, "by", axisNames)
	complete(cmd, "columns", record.Columns())
	return cmd
}

// curve is a column of a run.
type curve struct {
	Run    string    `json:"run"`
	Column string    `json:"column"`
	By     string    `json:"by"`
	X      []float64 `json:"x"`
	Y      []float64 `json:"y"`
}

func (c *curvesCommand) check() error {
	if axes[c.by] == "" {
		return fmt.Errorf("--by %q: expected one of %s%s", c.by, strings.Join(axisNames, ", "),
			suggest.DidYouMean(c.by, axisNames))
	}
	for _, name := range c.columns {
		if !slices.Contains(record.Columns(), name) {
			return fmt.Errorf("--columns %q: expected some of %s%s", name,
				strings.Join(record.Columns(), ", "), suggest.DidYouMean(name, record.Columns()))
		}
	}
	const least, most = 2, 1000
	for _, size := range []struct {
		flag  string
		value int
	}{{"--height", c.height}, {"--width", max(least, c.width)}} {
		if size.value < least || size.value > most {
			return fmt.Errorf("%s %d: expected %d to %d", size.flag, size.value, least, most)
		}
	}
	return nil
}

func (c *curvesCommand) run(args []string) error {
	if err := c.check(); err != nil {
		return usage(err)
	}
	dirs, err := c.find(args)
	if err != nil {
		return err
	}
	byColumn, err := c.read(dirs)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(os.Stdout, slices.Concat(byColumn...))
	}
	fd := int(os.Stdout.Fd())
	plain := !term.IsTerminal(fd) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	if width, _, err := term.GetSize(fd); c.width == 0 && err == nil {
		c.width = width
	}
	drawn := 0
	for i, curves := range byColumn {
		curves = slices.DeleteFunc(curves, func(c curve) bool { return len(c.X) == 0 })
		if len(curves) == 0 {
			continue
		}
		text, err := c.draw(curves, plain)
		if err != nil {
			return fmt.Errorf("%s: %w", c.columns[i], err)
		}
		if _, err := fmt.Println(text); err != nil {
			return err
		}
		drawn++
	}
	if drawn == 0 {
		return fmt.Errorf("no values of %s yet", strings.Join(c.columns, ", "))
	}
	return nil
}

// find returns the directories of the runs, of the newest if there are no arguments.
func (c *curvesCommand) find(args []string) (dirs []string, err error) {
	for _, arg := range args {
		dir, err := findRun(c.runs, []string{arg})
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	if len(args) == 0 {
		dir, err := findRun(c.runs, nil)
		return []string{dir}, err
	}
	return dirs, nil
}

// read returns the curves of all runs, by column.
func (c *curvesCommand) read(dirs []string) ([][]curve, error) {
	byColumn := make([][]curve, len(c.columns))
	for _, dir := range dirs {
		records, err := run.ReadRecords(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for i, name := range c.columns {
			x, y := record.Curve(records, axes[c.by], name)
			byColumn[i] = append(byColumn[i], curve{
				dir, name, c.by, append([]float64{}, x...), append([]float64{}, y...),
			})
		}
	}
	return byColumn, nil
}

// sampled returns the values of a curve at width places from lo to hi: the mean of the points near
// a place, or what lies between the next ones on both sides, and NaN before the first and after the
// last.
func (c curve) sampled(lo, hi float64, width int) []float64 {
	sum, n := make([]float64, width), make([]float64, width)
	scale := float64(width-1) / (hi - lo)
	for i, x := range c.X {
		at := int(math.Round((x - lo) * scale))
		sum[at] += c.Y[i]
		n[at]++
	}
	last := -1
	for at := range sum {
		if n[at] == 0 {
			sum[at] = math.NaN()
			continue
		}
		sum[at] /= n[at]
		for k := last + 1; k < at && last >= 0; k++ {
			share := float64(k-last) / float64(at-last)
			sum[k] = sum[last] + share*(sum[at]-sum[last])
		}
		last = at
	}
	return sum
}

// title names what a diagram shows.
func (c *curvesCommand) title(column string) string {
	title := column + " by " + c.by
	if c.log {
		title += ", logarithmic"
	}
	return title
}

// names are the runs of curves, short where that is clear.
func names(curves []curve) (list []string) {
	for _, c := range curves {
		list = append(list, filepath.Base(c.Run))
	}
	if len(slices.Compact(slices.Sorted(slices.Values(list)))) < len(list) {
		for i, c := range curves {
			list[i] = c.Run
		}
	}
	return list
}
