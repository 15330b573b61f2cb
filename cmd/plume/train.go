package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/serve"
	"github.com/plume-ml/plume/trainer/tensorboard"
)

const trainLong = "" +
	`Train a model and write the run's directory: the resolved configuration (config.toml), metrics
(metrics.jsonl), sample grids (samples/) and checkpoints (checkpoints/).

Every key of the configuration is a flag (--step-size), an environment variable (PLUME_STEP_SIZE)
and a key of the file given with --config (step_size = 0.002). Flags override the environment,
which overrides the file, which overrides the defaults; those given below are ipld's, other
methods have some of their own (the run's config.toml shows all).

One process at a time writes a run; a second one is refused. "--out DIR --resume" is one command
for schedulers that start it again and again: it starts the run in DIR, goes on with it, or, once
the run is finished, does nothing and ends with exit code 0.

On a terminal of 60 x 16 or more the progress is a view with curves, which changes no mode of the
terminal; elsewhere, and with --plain, it is lines. NO_COLOR has letters in place of colours.

The run's directory goes to stdout, everything else to stderr. Ctrl-C saves a checkpoint and ends
with exit code 130 (SIGTERM: 143, SIGHUP: 129); a second Ctrl-C, half a second later or more, ends
at once, and the checkpoints saved before remain.
Exit codes: 0 ok, 1 failure, 2 usage or configuration, 3 diverged, 4 ended by --max-time or
--max-steps, with a checkpoint and a report.`

const trainExample = `  plume train                                    ipld on the embedded images
  plume train --epochs 10 --out first            ten epochs, written to the directory "first"
  plume train --data emoji                       on embedded colour pictures of 32 x 32
  plume train --data photos/ --size 32 --gray    on pictures in a directory, .zip or .tar
  plume train --config study.toml --seed 3       keys from a file, one of them overridden
  plume train --out study --resume               start the run in "study", or resume it
  plume train --resume auto                      resume the newest unfinished run
  plume train --resume 7 --epochs 200            resume run 7, for longer
  plume train --out study --resume --max-time 55m  one of several jobs of an hour
  plume train --data photos/ --dry-run           what would be trained, and how long that takes
  plume train --serve :6180                      watch it at http://127.0.0.1:6180
  plume train --epochs 3 --cpuprofile cpu.pprof  where the time goes: go tool pprof cpu.pprof`

type trainCommand struct {
	config, out, runs, resume string
	from                      string
	json, quiet, dry, plain   bool
	tensorboard               bool
	events                    tensorboard.Log
	keys                      config.Config // bound to the flags of the keys
	warning                   string        // of keys without effect
	serve                     string
	pages                     *pages // nil without --serve
	commTimeout               time.Duration
	dryRanks                  int           // of which --dry-run tells of the first; 0: one
	team                      *trainer.Team // of which this is the first rank; nil: it is alone
	limits                    limits
	profile                   profiling
	interrupt                 *interrupt
}

const tooEarlyNotice = "interrupted before the first step: there was nothing to save"

func newTrain() *cobra.Command {
	t := &trainCommand{keys: method.Default()}
	cmd := &cobra.Command{
		Use:               "train [flags]",
		Short:             "Train a model",
		Long:              trainLong,
		Example:           trainExample,
		Args:              cobra.NoArgs,
		ValidArgsFunction: t.completeRun,
		RunE:              command(t.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&t.config, "config", "", "TOML `file` of keys to start from")
	flags.StringVar(&t.out, "out", "",
		"write the run in this very `directory`, instead of a new one under --runs")
	flags.StringVar(&t.runs, "runs", "runs", "`directory` of the numbered runs")
	t.addResume(cmd)
	flags.StringVar(&t.from, "from", "", "with --resume, the `checkpoint` to go on from: "+
		"a name such as step-000500, best, or auto for the newest whole one")
	flags.BoolVar(&t.json, "json", false, "write the metrics to stdout: "+
		"a JSON object per epoch, then one that names the run and its pictures")
	flags.BoolVarP(&t.quiet, "quiet", "q", false, "say nothing but warnings and errors")
	flags.BoolVar(&t.plain, "plain", false,
		"on a terminal, show the progress as one line instead of a view with curves, as with "+
			envPlain+"=1")
	flags.BoolVar(&t.tensorboard, "tensorboard", false,
		"write event files of scalars, pictures and histograms of latents to the run's directory "+
			tensorboard.Dir+", for tensorboard --logdir")
	flags.StringVar(&t.serve, "serve", "", "serve a live page of the run at this `address`; "+
		"\":6180\" is open to this machine alone, others need the token that is printed, or that "+
		envToken+" gives (plume serve --help tells more)")
	t.limits.addFlags(flags)
	complete(cmd, earlyStopFlag, trainer.StopMetrics)
	flags.DurationVar(&t.commTimeout, "comm-timeout", 10*time.Minute,
		"with several processes of an MPI launcher, the `time` after which one that does not "+
			"answer ends them all (0: never)")
	flags.BoolVar(&t.dry, "dry-run", false,
		"read the data, add up the memory, time some steps, and say "+
			"what would be trained and how long it would take; write nothing")
	addKeys(cmd, &t.keys)
	t.profile.addFlags(flags)
	return cmd
}

func (t *trainCommand) run(cmd *cobra.Command, _ []string) error {
	if err := t.checkResume(cmd.Flags()); err != nil {
		return usage(err)
	}
	if t.from != "" && !cmd.Flags().Changed("resume") {
		return usage(errors.New("--from names a checkpoint of a run: it needs --resume"))
	}
	if err := t.limits.check(cmd.Flags()); err != nil {
		return usage(err)
	}
	if t.dry && t.serve != "" {
		return usage(errors.New("--serve shows a run, and --dry-run makes none: leave one out"))
	}
	return t.launched(cmd)
}

// train trains, alone or as the first of several ranks.
func (t *trainCommand) train(cmd *cobra.Command) error {
	r := newReporter(t.quiet, t.json)
	var more []os.Signal
	if t.team != nil {
		more = savers
	}
	ctx, interrupt := watchSignals(context.Background(), r.insist, more...)
	defer interrupt.stop()
	t.interrupt = interrupt
	if t.team != nil {
		t.team.OnStop(func() { _ = interrupt.request() }) // too late at the end of the run
	}
	if t.dry {
		interrupt.nothingToSave(interruptedNotice, nil)
		return t.forecast(ctx, cmd, r)
	}
	interrupt.nothingToSave(tooEarlyNotice, nil)
	if !t.plain && !plainByEnv() {
		defer r.showView()()
	}

	runDir, train, err := t.open(ctx, cmd, r)
	if err != nil {
		r.status.close()
		return alsoFailed(t.profile.end(interrupt.ended(err)), t.pages.close())
	}
	if train == nil { // the run is finished
		t.warn(r)
		return r.finished(runDir)
	}
	interrupt.somethingToSave()
	r.status.message("Run directory: " + runDir)

	err = train.Run(ctx)
	profileErr := t.profile.stop() // before the memory of the run is released
	err = errors.Join(err, train.Close(), t.events.Close())
	pagesErr := t.pages.close() // which show how it ended
	return alsoFailed(outcome(err, r, runDir, interrupt), errors.Join(profileErr, pagesErr))
}

// outcome reports the end of a run, and returns the error that chooses the exit code.
func outcome(err error, r *reporter, runDir string, interrupt *interrupt) error {
	switch {
	case err == nil:
		return r.end(runDir)
	case errors.Is(err, trainer.ErrInterrupted):
		r.status.close()
		fmt.Fprintf(os.Stderr, "plume: %v; go on with: plume train --resume %s\n", err, runDir)
		return &exitError{code: interrupt.exitCode()}
	case errors.Is(err, trainer.ErrLimit):
		err := errors.Join(fmt.Errorf("%w; go on with: plume train --resume %s", err, runDir),
			r.end(runDir))
		return &exitError{exitLimit, err}
	case errors.Is(err, trainer.ErrDiverged):
		r.status.close()
		r.diverged(runDir)
		return &exitError{exitDiverged, errors.Join(err, r.err)}
	}
	r.status.close()
	return err
}

// begin announces the backend, and starts the profiles and the pages of a run in a directory.
func (t *trainCommand) begin(r *reporter, runDir string) (err error) {
	announce(r)
	t.warn(r)
	if err := t.profile.start(r.insist); err != nil || t.serve == "" {
		return err
	}
	t.pages, err = servePages("--serve", t.serve, serve.Options{
		Root: runDir, One: true, Measure: page.Written, Stop: t.interrupt.request, Warn: r.warn,
		Token: os.Getenv(envToken),
	}, r.insist)
	return err
}

func (t *trainCommand) warn(r *reporter) {
	if t.warning != "" {
		r.warn(t.warning)
	}
}

// announce describes the backend and the kernels. Warnings are printed even if progress is not.
func announce(r *reporter) {
	r.status.message(backendLine())
	if warning := backendWarning(); warning != "" {
		fmt.Fprintln(os.Stderr, warning)
	}
	warnOfUnknownEnv(os.Stderr)
}
