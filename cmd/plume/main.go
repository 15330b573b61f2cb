// Command plume trains latent diffusion models end to end with interacting particles.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/suggest"
)

// Exit codes. An interrupted run that saved a checkpoint ends with 128 plus the signal's
// number, as a shell reports it: 129, 130 or 143.
const (
	exitFailure  = 1
	exitUsage    = 2
	exitDiverged = 3
	exitLimit    = 4   // the run ended at a limit, and can go on
	exitUnread   = 141 // nobody reads stdout any more, as of a process that SIGPIPE ended
)

// exitError is an error that chooses the exit code; with a nil err nothing is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return fmt.Sprint(e.err) }
func (e *exitError) Unwrap() error { return e.err }

// usage marks an error as one of usage or configuration.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err}
}

// command adapts the body of a subcommand: an error that chooses no exit code is a failure. Errors
// that cobra reports before a body runs remain errors of usage.
func command(
	body func(cmd *cobra.Command, args []string) error,
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error { return chosen(body(cmd, args)) }
}

// chosen is an error with an exit code.
func chosen(err error) error {
	if exit := (*exitError)(nil); err == nil || errors.As(err, &exit) {
		return err
	}
	if errors.Is(err, trainer.ErrMemory) {
		return usage(err) // a configuration for another machine
	}
	return &exitError{exitFailure, err}
}

// exitCode is that of an error of a command.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit := (*exitError)(nil); errors.As(err, &exit) {
		return exit.code
	}
	return exitUsage
}

func main() {
	// A closed pipe or terminal makes writes fail, which must not end a training half-way.
	signal.Ignore(syscall.SIGPIPE)
	collectEarly()
	os.Exit(execute())
}

func execute() int {
	root := newRoot()
	root.SetArgs(joinResume(os.Args[1:]))
	cmd, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	code := exitCode(err)
	if exit := (*exitError)(nil); errors.As(err, &exit) {
		err = exit.err
	}
	if code == exitFailure && unread(err) {
		return exitUnread
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "plume: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n       "))
		if code == exitUsage {
			fmt.Fprintf(os.Stderr, "See '%s --help'.\n", cmd.CommandPath())
		}
	}
	return code
}

// unread reports whether nobody reads stdout any more, as after plume latents 7 -o - | head. It is
// not worth a message.
func unread(err error) bool {
	failed := (*fs.PathError)(nil)
	return errors.As(err, &failed) && failed.Path == os.Stdout.Name() &&
		errors.Is(failed.Err, syscall.EPIPE)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "plume",
		Short: "Train latent diffusion models end to end with interacting particles, on CPUs",
		Example: `  plume train                                   ipld on the embedded images
  plume train --data photos/ --size 32 --gray   on a directory of pictures
  plume train --resume auto                     resume the newest unfinished run
  plume sample 7 -n 100 -o grid.png             new images from run 7
  plume impute 7 --data holes.npy -o full.npz   missing values filled in, several times
  plume score 7 --data new/                     how likely new images are
  plume eval 7                                  how good run 7 is
  plume report 7                                a page about it, for a browser
  plume serve                                   live pages of all runs
  plume runs                                    all runs, the newest first
  plume curves 7 8                              the learning curves of two runs
  plume compare --preset methods --budget 3m    all methods, at equal time
  plume verify                                  error guarantees, measured against known truth
  plume info                                    CPU, kernels and BLAS in use`,
		Version:       run.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	library := addBLAS(root)
	root.PersistentPreRunE = command(func(*cobra.Command, []string) error {
		if err := kernel.Err(); err != nil {
			return usage(err)
		}
		return chooseBLAS(library)
	})
	root.SetFlagErrorFunc(suggestFlag)
	root.AddCommand(newTrain(), newSample(),
		newLatents(), newReconstruct(), newImpute(), newScore(), newInterpolate(),
		newEval(), newPage(), newServe(), newCompare(), newVerify(), newRuns(), newCurves(),
		newExport(), newImport(), newInspect(), newInfo(), newVersion(), newMan())
	setHelp(root)
	completeEverything(root)
	return root
}

// suggestFlag adds the nearest known flag to the error of an unknown one.
func suggestFlag(cmd *cobra.Command, err error) error {
	unknown := (*pflag.NotExistError)(nil)
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	return fmt.Errorf("%w%s", err, suggest.DidYouMean("--"+unknown.GetSpecifiedName(), known))
}
