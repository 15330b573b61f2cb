package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// forecast says what would be trained and how long it would take. It makes no directory.
func (t *trainCommand) forecast(ctx context.Context, cmd *cobra.Command, r *reporter) error {
	dir, cfg, options, err := t.planned(cmd, r)
	if err == nil && dir == "" {
		return nil
	}
	if err == nil {
		err = t.begin(r, dir)
	}
	var f trainer.Forecast
	if err == nil {
		f, err = trainer.DryRun(ctx, cfg, dir, append(t.options(r), options...)...)
	}
	r.status.close()
	switch {
	case errors.Is(err, trainer.ErrDiverged):
		err = &exitError{exitDiverged, err}
	case err == nil && t.json:
		err = json.NewEncoder(os.Stdout).Encode(f)
	case err == nil:
		err = printForecast(os.Stdout, f)
	}
	return t.profile.end(t.interrupt.ended(err))
}

// planned returns the directory in which the run is or would be, and with what it would be trained.
// The directory is empty if there is nothing to do.
func (t *trainCommand) planned(cmd *cobra.Command, r *reporter) (
	dir string, cfg config.Config, options []trainer.Option, err error,
) {
	switch {
	case !cmd.Flags().Changed("resume"):
	case t.resume == resumeOut:
		dir = t.out
	case t.resume == "auto":
		choice, err := run.NewestUnfinished(t.runs)
		if err != nil {
			return "", cfg, nil, usage(err)
		}
		choice.Lock.Release() // nothing will be written
		r.status.message(choice.String())
		dir = choice.Dir
	default:
		if dir, err = run.Find(t.runs, t.resume); err != nil {
			return "", cfg, nil, usage(err)
		}
	}
	state := run.NoRun
	if dir != "" {
		if state, err = run.StateOf(dir); err != nil {
			return "", cfg, nil, err
		}
	}
	if state == run.NoRun {
		return t.plannedNew(cmd)
	}
	stored, cfg, err := t.resolveStored(cmd, dir)
	if err == nil && state == run.Finished && cfg.Epochs <= stored.Config.Epochs {
		return "", cfg, nil, r.finished(dir)
	}
	return dir, cfg, []trainer.Option{trainer.From(t.chosenFrom())}, err
}

// plannedNew is planned for a new run.
func (t *trainCommand) plannedNew(cmd *cobra.Command) (
	dir string, cfg config.Config, options []trainer.Option, err error,
) {
	cfg, given, warning, err := resolveNew(t.config, cmd.Flags())
	if t.warning = warning; err != nil {
		return "", cfg, nil, err
	}
	dir = t.out
	if dir == "" {
		dir = filepath.Join(t.runs, "dry-run") // a name that no run has
	}
	if t.out != "" {
		err = usage(run.CheckVacant(dir))
	}
	return dir, cfg, []trainer.Option{trainer.Given(given)}, err
}

// printForecast writes a forecast to be read.
func printForecast(w io.Writer, f trainer.Forecast) error {
	count := func(n int) string { return humanize.Comma(int64(n)) }
	text := fmt.Sprintf("%s on %s datapoints, %s rows held out: %s of %s, %s in all\n",
		f.Config.Method, count(f.Datapoints), count(f.HeldOut),
		plural(f.Config.Epochs, "epoch", "epochs"), plural(f.PerEpoch, "step", "steps"),
		count(f.Steps))
	text += fmt.Sprintf("Networks: %s\n", f.Networks)
	if f.Ranks > 0 {
		text += fmt.Sprintf("One of %d ranks: its memory, its part of a checkpoint, and its steps "+
			"without the exchange\n", f.Ranks)
	}
	text += fmt.Sprintf("Memory: %s", memory.Human(f.Memory.Sum))
	if f.Memory.Disk > 0 {
		text += fmt.Sprintf(", and %s of particles on disk", memory.Human(f.Memory.Disk))
	}
	text += fmt.Sprintf("; each checkpoint takes %s on disk\n", memory.Human(f.Checkpoint))
	if f.Timed == 0 {
		text += fmt.Sprintf("Nothing is left to do: the run has %s steps\n", count(f.Done))
	} else {
		text += timeText(f)
	}
	_, err := io.WriteString(w, text+"Nothing was written\n")
	return err
}

// timeText is the lines of a forecast about the time.
func timeText(f trainer.Forecast) string {
	left := fmt.Sprintf("The %s", plural(f.Last-f.Done, "step", "steps"))
	if f.Done > 0 || f.Last < f.Steps {
		left += fmt.Sprintf(" from %s to %s", humanize.Comma(int64(f.Done+1)),
			humanize.Comma(int64(f.Last)))
	}
	return fmt.Sprintf("A step takes %v (%s timed), %s\n", seconds(f.StepSeconds),
		plural(f.Timed, "step", "steps"), rate(record.Number(f.RowsPerS))) +
		fmt.Sprintf("%s would take %v, not counting %s\n", left, seconds(f.Seconds),
			plural(f.Reports, "report", "reports"))
}

// seconds rounds a time to three digits or to seconds.
func seconds(s float64) time.Duration {
	d := time.Duration(s * float64(time.Second))
	for unit := time.Microsecond; unit < time.Second; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d.Round(time.Second)
}
