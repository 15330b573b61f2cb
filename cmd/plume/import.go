package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/export"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

const importLong = "" +
	`Make a run of a file that "plume export" wrote, .safetensors or .npz. All commands that read
runs can open it: it draws the same samples as the run that was exported, bit for bit. plume eval
needs the data that it was trained on (--data, where they lie elsewhere now). It cannot be resumed,
since an export has no state of the optimisers; nor has it other weights (averaged or raw) than
those exported, nor particles unless they were exported too.`

const importExample = `  plume import model.safetensors               the next number below runs/
  plume import model.npz --out models/garments`

func newImport() *cobra.Command {
	var out, runs string
	cmd := &cobra.Command{
		Use:     "import FILE [flags]",
		Short:   "Make a run of an exported model",
		Long:    importLong,
		Example: importExample,
		Args:    cobra.ExactArgs(1),
		RunE: command(func(_ *cobra.Command, args []string) error {
			return importFile(args[0], out, runs)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&out, "out", "",
		"`directory` of the run (default the next number below --runs)")
	flags.StringVar(&runs, "runs", "runs", "`directory` of the numbered runs")
	return cmd
}

// importFile makes a run of an export and prints its directory. Unless it succeeds, it leaves
// nothing.
func importFile(path, out, runs string) error {
	ctx, interrupt := watchSignals(context.Background(), notice)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, nil)
	var dir string
	err := progress.Reporter{Report: notice}.Run(func(t *progress.Task) error {
		t.Set("reading " + path)
		f, err := export.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		m, err := f.Load(ctx)
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		t.Set("writing the run")
		dir, err = storeRun(m, out, runs, interrupt)
		return err
	})
	if err != nil {
		return interrupt.ended(err)
	}
	_, err = fmt.Println(dir)
	return err
}

// storeRun stores a run in out, or below runs, and returns its directory.
func storeRun(m *export.Imported, out, runs string, i *interrupt) (dir string, err error) {
	c := m.Config()
	made := firstMissing(cmp.Or(out, runs)) // to be created for the run's directory
	if dir = out; out != "" {
		err = usage(run.Create(dir))
	} else {
		dir, err = run.CreateNumbered(runs, filepath.Base(c.Data), string(c.Method))
		made = cmp.Or(made, filepath.Clean(dir))
	}
	if err != nil {
		return "", err
	}
	lock, err := run.Acquire(dir)
	if err != nil {
		return "", err
	}
	leave := func() {
		run.Discard(dir)
		removeEmpty(filepath.Dir(filepath.Clean(dir)), made)
	}
	i.nothingToSave(interruptedNotice, leave)
	err = m.Store(&run.Writer{Dir: dir, Files: file.OS, Lock: lock})
	i.nothingToSave(interruptedNotice, nil) // the run is complete, or has failed
	lock.Release()
	if err != nil {
		leave()
	}
	return dir, err
}
