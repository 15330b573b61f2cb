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

	"github.com/plume-ml/plume/trainer/export"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/progress"
)

const exportLong = "" +
	`Write the networks of a run's newest checkpoint to a file for others. The ending of its name
decides what is written:
  .safetensors   all tensors by name, laid out as in PyTorch, with a description of the networks,
                 the data, the prior and the classes in the metadata. bench/reader/plume_reader.py
                 reads it in NumPy and in PyTorch; "plume import" makes a run of it again
  .npz           the same as NumPy arrays, with the description as plume.json
  .onnx          the decoder; the score network in NAME.score.onnx and an encoder in
                 NAME.encoder.onnx, all computing in float32

An export has no state to resume a training from: for that, copy the run's directory.`

const exportExample = `  plume export 7 -o model.safetensors         the averaged weights of run 7
  plume export 7 -o model.onnx                decoder, and model.score.onnx
  plume export 7 -o model.npz --raw           the weights as they are
  plume export 7 -o all.npz --particles       and the latents of the training rows`

type exportCommand struct {
	export.Options
	out, runs, from string
}

func newExport() *cobra.Command {
	e := &exportCommand{}
	cmd := &cobra.Command{
		Use:     "export [RUN] -o FILE [flags]",
		Short:   "Write a trained model to a file: safetensors, NumPy or ONNX",
		Long:    exportLong,
		Example: exportExample,
		Args:    oneRun,
		RunE:    command(func(_ *cobra.Command, args []string) error { return e.run(args) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&e.out, "output", "o", "",
		"`file` to write: "+strings.Join(export.Endings, ", "))
	flags.BoolVar(&e.Raw, "raw", false,
		"write the weights as they are instead of their moving average")
	flags.BoolVar(&e.Particles, "particles", false,
		"write the particles of the training rows too, with where these come from")
	addRuns(flags, &e.runs, &e.from)
	return cmd
}

func (e *exportCommand) validate() error {
	ending := filepath.Ext(e.out)
	switch {
	case e.out == "":
		return errors.New("--output is missing: expected a name that ends in " +
			strings.Join(export.Endings, ", "))
	case !slices.Contains(export.Endings, ending):
		return fmt.Errorf("--output is %q; expected a name that ends in %s", e.out,
			strings.Join(export.Endings, ", "))
	case e.Particles && ending == ".onnx":
		return errors.New("--particles and .onnx exclude each other: an ONNX model is a network")
	}
	return checkDirectory(e.out)
}

func (e *exportCommand) run(args []string) error {
	if err := e.validate(); err != nil {
		return usage(err)
	}
	stored, err := openRun(e.runs, e.from, args)
	if err != nil {
		return err
	}
	ctx, interrupt := watchSignals(context.Background(), notice)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, nil)
	var model *export.Model
	err = progress.Reporter{Report: notice}.Run(func(t *progress.Task) (err error) {
		t.Set("reading the checkpoint of " + stored.Dir)
		if model, err = export.FromRun(stored, e.Options); err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		files := model.Files(e.out)
		interrupt.nothingToSave(interruptedNotice, func() {
			for _, path := range files {
				_ = file.Abandon(file.OS, path)
			}
		})
		t.Set("writing " + strings.Join(files, ", "))
		return model.Write(file.OS, e.out)
	})
	if err != nil {
		return interrupt.ended(err)
	}
	for _, path := range model.Files(e.out) {
		if _, err := fmt.Println(path); err != nil {
			return err
		}
	}
	return nil
}

// notice prints a message to stderr.
func notice(text string) { fmt.Fprintln(os.Stderr, "plume: "+text) }
