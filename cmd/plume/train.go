package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer"
)

const trainLong = `Train a model and write the run's directory: the resolved configuration (config.toml), metrics
(metrics.jsonl), sample grids (samples/) and checkpoints (checkpoints/).

Every key of the configuration is a flag (--step-size), an environment variable (PLUME_STEP_SIZE)
and a key of the file given with --config (step_size = 0.002). Flags override the environment,
which overrides the file, which overrides the defaults; those given below are ipld's, other methods
have some of their own (the run's config.toml shows all).

The run's directory goes to stdout, everything else to stderr. Ctrl-C saves a checkpoint and ends
with exit code 130 (SIGTERM: 143, SIGHUP: 129); a second Ctrl-C, half a second later or more,
ends at once, and the last saved checkpoint remains.
Exit codes: 0 ok, 1 failure, 2 usage or configuration, 3 diverged.`

const trainExample = `  plume train                                    ipld on the embedded Fashion-MNIST images
  plume train --epochs 10 --out first            ten epochs, written to the directory "first"
  plume train --data photos/ --size 32 --gray    on pictures in a directory, .zip or .tar
  plume train --config study.toml --seed 3       keys from a file, one of them overridden
  plume train --resume auto                      go on with the newest unfinished run
  plume train --resume 7 --epochs 200            go on with run 7, for longer
  plume train --epochs 3 --cpuprofile cpu.pprof  where the time goes: go tool pprof cpu.pprof`

type trainCommand struct {
	config, out, runs, resume string
	json, quiet               bool
	keys                      trainer.Config // what the flags of the keys are bound to
	profile                   profiling
	interrupt                 *interrupt
}

const toldTooEarly = "interrupted before the first step: there was nothing to save"

func newTrain() *cobra.Command {
	t := &trainCommand{keys: trainer.Default()}
	cmd := &cobra.Command{
		Use:               "train [flags]",
		Short:             "Train a model",
		Long:              trainLong,
		Example:           trainExample,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              command(t.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&t.config, "config", "", "TOML `file` of keys to start from")
	flags.StringVar(&t.out, "out", "", "write the run in this very `directory`, instead of a new one under --runs")
	flags.StringVar(&t.runs, "runs", "runs", "`directory` of the numbered runs")
	flags.StringVar(&t.resume, "resume", "", "go on with a `run`: its directory, its name or number under --runs, or auto for the newest unfinished one (a new run if there is none)")
	flags.BoolVar(&t.json, "json", false, "write the metrics to stdout: a JSON object per epoch, then one that names the run and its pictures")
	flags.BoolVarP(&t.quiet, "quiet", "q", false, "say nothing but warnings and errors")
	addKeys(cmd, &t.keys)
	t.profile.addFlags(flags)
	return cmd
}

func (t *trainCommand) run(cmd *cobra.Command, _ []string) error {
	if t.out != "" && cmd.Flags().Changed("resume") {
		return usage(errors.New("--out and --resume exclude each other: a run goes on in its own directory"))
	}
	r := newReporter(t.quiet, t.json)
	ctx, interrupt := watchSignals(context.Background(), r.insist)
	defer interrupt.stop()
	t.interrupt = interrupt
	interrupt.nothingToSave(toldTooEarly, nil)

	runDir, train, err := t.open(ctx, cmd, r)
	if err != nil {
		r.status.Close()
		return t.profile.end(interrupt.ended(err))
	}
	interrupt.somethingToSave()
	r.status.Message("Run directory: " + runDir)

	err = train.Run(ctx)
	profileErr := t.profile.stop() // while the memory of the run is still there to be seen
	err = errors.Join(err, train.Close())
	return alsoFailed(outcome(err, r, runDir, interrupt), profileErr)
}

// outcome reports what became of a run, and chooses the exit code.
func outcome(err error, r *reporter, runDir string, interrupt *interrupt) error {
	switch {
	case err == nil:
		return r.end(runDir)
	case errors.Is(err, trainer.ErrInterrupted):
		r.status.Close()
		fmt.Fprintf(os.Stderr, "plume: %v; go on with: plume train --resume %s\n", err, runDir)
		return &exitError{code: interrupt.exitCode()}
	case errors.Is(err, trainer.ErrDiverged):
		r.status.Close()
		return &exitError{exitDiverged, err}
	}
	r.status.Close()
	return err
}

// open resumes the run that was asked for, or starts a new one.
func (t *trainCommand) open(ctx context.Context, cmd *cobra.Command, r *reporter) (runDir string, train *trainer.Trainer, err error) {
	if cmd.Flags().Changed("resume") {
		runDir, found, err := trainer.FindRun(t.runs, t.resume)
		if err != nil {
			return "", nil, usage(err)
		}
		if found {
			train, err = t.continueRun(ctx, cmd, r, runDir)
			return runDir, train, err
		}
		r.status.Message(fmt.Sprintf("No unfinished run in %s: starting a new one.", t.runs))
	}
	return t.startRun(ctx, cmd, r)
}

func (t *trainCommand) continueRun(ctx context.Context, cmd *cobra.Command, r *reporter, runDir string) (*trainer.Trainer, error) {
	stored, err := trainer.LoadRun(runDir)
	if err != nil {
		return nil, usage(err)
	}
	asked, err := resolve(stored, t.config, cmd.Flags())
	if err != nil {
		return nil, err
	}
	if err := stored.CheckResume(asked); err != nil {
		return nil, usage(fmt.Errorf("%s cannot go on with another configuration:\n%w", runDir, err))
	}
	if err := t.begin(r); err != nil {
		return nil, err
	}
	return trainer.Resume(ctx, runDir, asked, trainer.WithHook(r.hook()))
}

func (t *trainCommand) startRun(ctx context.Context, cmd *cobra.Command, r *reporter) (runDir string, train *trainer.Trainer, err error) {
	cfg, err := resolveNew(t.config, cmd.Flags())
	if err != nil {
		return "", nil, err
	}
	made := firstMissing(cmp.Or(t.out, t.runs)) // that the run's directory needs
	if t.out != "" {
		runDir, err = t.out, usage(trainer.ClaimDir(t.out))
	} else {
		runDir, err = trainer.NewRunDir(t.runs, filepath.Base(cfg.Data), cfg.Method)
		made = cmp.Or(made, filepath.Clean(runDir))
	}
	if err != nil {
		return "", nil, err
	}
	t.interrupt.nothingToSave(toldTooEarly, func() { removeEmpty(runDir, made) })
	if err = t.begin(r); err == nil {
		train, err = trainer.New(ctx, cfg, runDir, trainer.WithHook(r.hook()))
	}
	if err != nil {
		removeEmpty(runDir, made) // what could not start takes no number
	}
	return runDir, train, err
}

// begin says what computes, and starts the profiles.
func (t *trainCommand) begin(r *reporter) error {
	announce(r)
	return t.profile.start(r.insist)
}

// announce says what computes. Warnings are printed even when progress is not.
func announce(r *reporter) {
	r.status.Message(backendLine())
	if warning := backendWarning(); warning != "" {
		fmt.Fprintln(os.Stderr, warning)
	}
	warnOfUnknownEnv(os.Stderr)
}
