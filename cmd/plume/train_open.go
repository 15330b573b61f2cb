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
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/tensorboard"
)

// open resumes the run that was asked for, or starts a new one. train is nil if the run is
// finished.
func (t *trainCommand) open(ctx context.Context, cmd *cobra.Command, r *reporter) (
	runDir string, train *trainer.Trainer, err error,
) {
	switch {
	case !cmd.Flags().Changed("resume"):
		return t.startRun(ctx, cmd, r)
	case t.resume == resumeOut:
		train, err = t.startOrContinue(ctx, cmd, r)
		return t.out, train, err
	case t.resume == "auto":
		return t.continueNewest(ctx, cmd, r)
	}
	runDir, err = run.Find(t.runs, t.resume)
	if err != nil {
		return "", nil, usage(err)
	}
	train, err = t.continueRun(ctx, cmd, r, runDir, trainer.Resume)
	return runDir, train, err
}

// startOrContinue starts or resumes the run in --out.
func (t *trainCommand) startOrContinue(
	ctx context.Context,
	cmd *cobra.Command,
	r *reporter,
) (*trainer.Trainer, error) {
	state, err := run.StateOf(t.out)
	if err != nil {
		return nil, err
	}
	switch state {
	case run.NoRun:
		_, train, err := t.startRun(ctx, cmd, r)
		return train, err
	case run.Diverged:
		r.diverged(t.out)
		return nil, diverged(t.out)
	case run.Unsaved:
		const text = "The run in %s ended before its first checkpoint: it starts anew."
		r.status.message(fmt.Sprintf(text, t.out))
		return t.continueRun(ctx, cmd, r, t.out, trainer.Restart)
	case run.Finished:
		stored, asked, err := t.resolveStored(cmd, t.out)
		if err != nil || asked.Epochs <= stored.Config.Epochs {
			return nil, err
		}
	}
	r.status.message(fmt.Sprintf("Resuming the %v run in %s.", state, t.out))
	return t.continueRun(ctx, cmd, r, t.out, trainer.Resume)
}

// diverged is the error for a run that diverged and must not be resumed unchanged.
func diverged(dir string) error {
	text, err := run.DivergedText(dir)
	if err != nil {
		return err
	}
	return &exitError{exitDiverged, errors.New(text)}
}

// continueNewest resumes the newest unfinished run, or starts one if there is none.
func (t *trainCommand) continueNewest(ctx context.Context, cmd *cobra.Command, r *reporter) (
	runDir string, train *trainer.Trainer, err error,
) {
	choice, err := run.NewestUnfinished(t.runs)
	if err != nil {
		return "", nil, usage(err)
	}
	r.status.message(choice.String())
	if choice.Dir == "" {
		return t.startRun(ctx, cmd, r)
	}
	defer func() {
		if err != nil {
			choice.Lock.Release() // does nothing if the trainer released it
		}
	}()
	train, err =
		t.continueRun(ctx, cmd, r, choice.Dir, trainer.Resume, trainer.WithLock(choice.Lock))
	return choice.Dir, train, err
}

// opener is trainer.Resume or trainer.Restart.
type opener func(context.Context, string, config.Config,
	...trainer.Option) (*trainer.Trainer, error)

func (t *trainCommand) continueRun(
	ctx context.Context, cmd *cobra.Command, r *reporter, runDir string, open opener,
	opts ...trainer.Option,
) (*trainer.Trainer, error) {
	_, asked, err := t.resolveStored(cmd, runDir)
	if err != nil {
		return nil, err
	}
	if err := t.begin(r, runDir); err != nil {
		return nil, err
	}
	opts = append(opts, t.options(r)...)
	return open(ctx, runDir, asked, append(opts, trainer.From(t.chosenFrom()))...)
}

// options are those of every session.
func (t *trainCommand) options(r *reporter) []trainer.Option {
	options := append(t.limits.options(),
		trainer.WithHook(r.hook()), trainer.WithHook(t.profile.monitor.Hook()))
	if t.dryRanks > 1 {
		options = append(options, trainer.OneOf(t.dryRanks))
	}
	if t.team != nil {
		options = append(options, trainer.WithTeam(t.team))
	}
	if t.tensorboard {
		t.events = tensorboard.Log{Files: file.OS, Warn: r.warn}
		options = append(options, trainer.WithHook(t.events.Hook()))
	}
	return options
}

// chosenFrom is the checkpoint to go on from.
func (t *trainCommand) chosenFrom() string {
	if t.from == "" && (t.resume == "auto" || t.resume == resumeOut) { // nobody is there to choose
		return trainer.FromAuto
	}
	return t.from
}

// resolveStored opens a run, and returns the configuration to resume it with.
func (t *trainCommand) resolveStored(cmd *cobra.Command, runDir string) (
	stored *run.Run, asked config.Config, err error,
) {
	stored, err = run.Open(runDir)
	if err != nil {
		return stored, asked, usage(err)
	}
	asked, t.warning, err = resolveResumed(stored.Config, t.config, cmd.Flags())
	if err != nil {
		return stored, asked, err
	}
	if err := stored.Config.CheckResume(asked); err != nil {
		err = fmt.Errorf("%s cannot go on with another configuration:\n%w", runDir, err)
		return stored, asked, usage(err)
	}
	return stored, asked, nil
}

func (t *trainCommand) startRun(ctx context.Context, cmd *cobra.Command, r *reporter) (
	runDir string, train *trainer.Trainer, err error,
) {
	cfg, given, warning, err := resolveNew(t.config, cmd.Flags())
	if t.warning = warning; err != nil {
		return "", nil, err
	}
	made := firstMissing(cmp.Or(t.out, t.runs)) // to be created for the run's directory
	switch {
	case t.resume == resumeOut: // decided by the lock, since another process may be writing
		runDir, err = t.out, os.MkdirAll(t.out, 0o777)
	case t.out != "":
		runDir, err = t.out, usage(run.Create(t.out))
	default:
		runDir, err = run.CreateNumbered(t.runs, filepath.Base(cfg.Data), string(cfg.Method))
		made = cmp.Or(made, filepath.Clean(runDir))
	}
	if err != nil {
		return "", nil, err
	}
	lock, err := run.Acquire(runDir)
	leave := func() { // a run that could not start takes no number
		lock.Release()
		removeEmpty(runDir, made)
	}
	t.interrupt.nothingToSave(tooEarlyNotice, leave)
	if err == nil {
		err = t.begin(r, runDir)
	}
	if err == nil {
		train, err =
			trainer.New(ctx, cfg, runDir,
				append(t.options(r), trainer.WithLock(lock), trainer.Given(given))...)
	}
	if err != nil {
		leave()
	}
	return runDir, train, err
}
