package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/export"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

const inspectLong = "" +
	`Say what a file, a run or a checkpoint is, without loading it: format and version, method,
data, shapes, networks and their numbers of parameters, step, and whether it is whole. Files are
those of "plume export" and other safetensors files and ONNX models; a checkpoint is its directory.

All bytes are read and compared with their checksums, unless --quick. The exit code is 1 if
something is damaged.`

const inspectExample = `  plume inspect model.safetensors
  plume inspect 7                                     run 7, and its newest checkpoint
  plume inspect runs/00007-digits-ipld/checkpoints/step-000500 --tensors
  plume inspect model.onnx --json`

type inspectCommand struct {
	quick, tensors, json bool
	runs                 string
}

func newInspect() *cobra.Command {
	i := &inspectCommand{}
	cmd := &cobra.Command{
		Use:     "inspect FILE|RUN|CHECKPOINT [flags]",
		Short:   "Say what a file, a run or a checkpoint is, and whether it is whole",
		Long:    inspectLong,
		Example: inspectExample,
		Args:    cobra.ExactArgs(1),
		RunE:    command(func(_ *cobra.Command, args []string) error { return i.run(args[0]) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&i.quick, "quick", false, "read headers and sizes only")
	flags.BoolVar(&i.tensors, "tensors", false, "list all tensors with their shapes")
	flags.BoolVar(&i.json, "json", false, "print a JSON object, with all tensors")
	flags.StringVar(&i.runs, "runs", "runs", "`directory` of the numbered runs")
	return cmd
}

func (i *inspectCommand) run(spec string) error {
	path := spec
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if path, err = run.Find(i.runs, spec); err != nil {
			return usage(fmt.Errorf("%s: there is no such file, and no such run: %w", spec, err))
		}
	}
	ctx, interrupt := watchSignals(context.Background(), notice)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, nil)
	var report *export.Report
	err := progress.Reporter{Report: notice}.Run(func(t *progress.Task) (err error) {
		t.Set("reading " + path + " to compare it with its checksum")
		report, err = export.Inspect(ctx, path, i.quick)
		return err
	})
	if err != nil {
		return interrupt.ended(err)
	}
	if i.json {
		err = printJSON(os.Stdout, report)
	} else {
		err = report.WriteText(os.Stdout, i.tensors)
	}
	if err == nil && report.Problem != "" {
		return &exitError{code: exitFailure}
	}
	return err
}
