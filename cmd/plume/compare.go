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
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/compare"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/method"
)

const compareLong = "" +
	`Train several methods, or one with several settings, on the same data with the same networks,
seeds and budget; evaluate every run in the same way; report means and standard deviations over
the seeds.

A contestant is a method, and keys that it alone sets: METHOD[:KEY=VALUE]..., as in
ipld:particles=4:inner_steps=2. Its configuration begins with the defaults of its method;
--config, PLUME_* and the flags of the keys, in this order, set keys of all contestants; its own
keys come last. step_size=x0.5 is half of what it would be on these data, and pgd:like=ipld is pgd
with the defaults of ipld. The table lists every key in which contestants differ. The comparison
itself sets method, epochs, eval_every, checkpoint_every and keep_checkpoints, whatever a file or
PLUME_* says. A preset is a list of contestants:
%s
A budget of time is turned into epochs once, before the first run: the steps of all contestants
are timed in turns, and each gets the epochs that fit, without the time of reports, checkpoints
and evaluations. The plan is kept in plan.json. So the result of a run does not depend on how busy
the machine is later, and what it really took is reported beside the plan. While the steps are
timed, about ten seconds, the machine should have nothing else to do.

The directory holds plan.json, table.md, table.csv, results.json, quality-seconds and
quality-evaluations (.png and .svg), samples.png, and the runs, which are ordinary ones, under
runs/. The table (or, with --json, results.json) also goes to stdout, everything else to stderr.
The same command goes on where it stopped: Ctrl-C saves a checkpoint, and a process that was
killed loses at most the last tenth of a run, or its last epoch.
A run that diverges is part of the result. Exit codes: 0 ok, 1 failure, 2 usage or configuration,
130 (SIGTERM: 143, SIGHUP: 129) interrupted.`

const compareExample = `  # three methods, 3 minutes of training for each run
  plume compare --methods ipld,pgd,vae --budget 3m --seeds 3 -o first
  # all methods, the same number of network evaluations
  plume compare --preset methods --evaluations 50M -o equal
  # an ablation: N = 1, 2, 4, 8, 16
  plume compare --preset particles --budget 2m -o particles
  plume compare --methods ipld,ipld:dynamics=exact:friction=0.2 --epochs 20 -o dynamics`

type compareCommand struct {
	methods, presets    []string
	metrics             []string
	config, out, budget string
	evaluations         string
	seeds, jobs         int
	json, quiet         bool
	keys                config.Config // bound to the flags of the keys
	warning             string        // of keys without effect
}

func newCompare() *cobra.Command {
	c := &compareCommand{keys: method.Default()}
	cmd := &cobra.Command{
		Use:               "compare [flags]",
		Short:             "Compare methods or settings at equal budget",
		Long:              fmt.Sprintf(compareLong, presetList()),
		Example:           compareExample,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              command(c.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&c.methods, "methods", nil,
		"`contestants`, with commas between them; may be given several times")
	flags.StringArrayVar(&c.presets, "preset", nil,
		"`name` of a list of contestants; may be given several times")
	flags.StringVar(&c.budget, "budget", "", "`time` of training of each run: 90s, 3m, 1h30m")
	flags.StringVar(&c.evaluations, "evaluations", "",
		"in place of --budget: network evaluations of each run (passes of a row, forward and "+
			"back, through one network): a `number` such as 50M")
	flags.IntVar(&c.seeds, "seeds", 1, "number of seeds, from --seed upwards")
	flags.StringSliceVar(&c.metrics, "metrics", nil,
		"`groups` of metrics to evaluate: "+strings.Join(evaluate.Groups(), ", ")+" (default all)")
	flags.StringVarP(&c.out, "output", "o", "comparison",
		"`directory` of the comparison, to begin or to resume")
	flags.IntVar(&c.jobs, "jobs", 1, "runs at the same time; they share the cores, so that each "+
		"takes longer, or gets fewer epochs into a --budget of time")
	flags.StringVar(&c.config, "config", "", "TOML `file` of keys for all contestants")
	flags.BoolVar(&c.json, "json", false, "write the results to stdout as JSON, not as a table")
	flags.BoolVarP(&c.quiet, "quiet", "q", false, "say nothing but warnings and errors")
	addKeys(cmd, &c.keys)
	for _, key := range c.keys.Keys() {
		if slices.Contains(compare.FixedKeys, key.Name) && key.Name != "epochs" {
			flags.Lookup(key.Flag()).Hidden = true
		}
	}
	flags.Lookup("epochs").Usage =
		"in place of --budget: passes over the training rows of each run"
	flags.Lookup("seed").Usage = "the first seed"
	var presets []string
	for _, p := range compare.Presets() {
		presets = append(presets, p.Name)
	}
	complete(cmd, "preset", presets)
	register(cmd, "methods", completeContestants(&c.keys))
	complete(cmd, "metrics", evaluate.Groups())
	return cmd
}

// presetList describes the presets for the help.
func presetList() string {
	var out strings.Builder
	for _, p := range compare.Presets() {
		fmt.Fprintf(&out, "  %-16s %s\n", p.Name, p.Help)
	}
	return out.String()
}

func (c *compareCommand) run(cmd *cobra.Command, _ []string) error {
	o, err := c.options(cmd.Flags())
	if err != nil {
		return usage(err)
	}
	r := newReporter(c.quiet, false)
	o.Hook, o.Message, o.Warn = r.hook(), r.status.message, r.warn
	ctx, interrupt := watchSignals(context.Background(), r.status.message)
	defer interrupt.stop()
	resume := "plume: interrupted; go on with the same command: " + commandLine(os.Args[1:])
	o.Training = func(runs int) {
		if runs > 0 {
			interrupt.somethingToSave()
		} else { // it reads and evaluates again
			interrupt.nothingToSave(interruptedNotice, func() { fmt.Fprintln(os.Stderr, resume) })
		}
	}
	o.Training(0)
	announce(r)
	if c.warning != "" {
		r.warn(c.warning)
	}
	results, err := compare.Run(ctx, o)
	r.status.close()
	switch {
	case errors.Is(err, compare.ErrInterrupted):
		fmt.Fprintln(os.Stderr, resume)
		return &exitError{code: interrupt.exitCode()}
	case errors.Is(err, compare.ErrUsage), errors.Is(err, compare.ErrOtherPlan):
		return usage(err)
	case err != nil:
		return err
	}
	if _, err := os.Stat(filepath.Join(o.Dir, compare.SamplesFile)); err == nil {
		r.status.message("Samples side by side: open " + filepath.Join(o.Dir, compare.SamplesFile))
	}
	return c.print(results)
}

// print writes the results to stdout.
func (c *compareCommand) print(results *compare.Results) error {
	text := []byte(results.Markdown())
	if c.json {
		var err error
		if text, err = results.JSON(); err != nil {
			return err
		}
	}
	if _, err := os.Stdout.Write(text); err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return nil
}

// options returns the options of the comparison that the flags ask for.
func (c *compareCommand) options(flags *pflag.FlagSet) (o compare.Options, err error) {
	for _, key := range c.keys.Keys() {
		if flag := flags.Lookup(key.Flag()); flag.Hidden && flag.Changed {
			return o, fmt.Errorf("--%s: a comparison sets this key itself", flag.Name)
		}
	}
	o = compare.Options{Dir: c.out, Metrics: c.metrics, Jobs: c.jobs}
	if o.Contestants, err = c.contestants(); err != nil {
		return o, err
	}
	if o.Budget, err = c.spend(flags); err != nil {
		return o, err
	}
	if c.seeds < 1 || c.seeds > compare.MaxSeeds {
		return o, fmt.Errorf("--seeds is %d; expected 1 to %d", c.seeds, compare.MaxSeeds)
	}
	if c.jobs < 1 {
		return o, fmt.Errorf("--jobs is %d; expected 1 or more", c.jobs)
	}
	common, given, err := overlay(method.Default(), c.config, flags)
	if err != nil {
		return o, err
	}
	if err := method.CheckRead(given.meant, o.Methods()...); err != nil {
		return o, err
	}
	c.warning, o.Given = withoutEffect(given.stored, o.Methods()...), given.names
	for i := range c.seeds {
		o.Seeds = append(o.Seeds, common.Seed+uint64(i))
	}
	o.Base = func(name config.Method) (config.Config, error) {
		base, err := method.DefaultFor(name)
		if err != nil {
			return base, err
		}
		base, _, err = overlay(base, c.config, flags)
		return base, err
	}
	return o, nil
}

// contestants returns those of the flags, each once.
func (c *compareCommand) contestants() (all []compare.Contestant, err error) {
	add := func(more []compare.Contestant) {
		for _, m := range more {
			if !slices.ContainsFunc(all, func(have compare.Contestant) bool {
				return have.Name == m.Name
			}) {
				all = append(all, m)
			}
		}
	}
	for _, name := range c.presets {
		more, err := compare.Preset(name)
		if err != nil {
			return nil, fmt.Errorf("--preset: %w", err)
		}
		add(more)
	}
	for _, list := range c.methods {
		more, err := compare.Parse(list)
		if err != nil {
			return nil, fmt.Errorf("--methods: %w", err)
		}
		add(more)
	}
	if len(all) == 0 {
		return nil, errors.New("expected contestants: --methods ipld,pgd or --preset NAME")
	}
	return all, nil
}

// spend returns the budget of the flags.
func (c *compareCommand) spend(flags *pflag.FlagSet) (b compare.Budget, err error) {
	given := 0
	if flags.Changed("epochs") {
		b.Epochs = c.keys.Epochs
		given++
	}
	if c.budget != "" {
		if b.Seconds, err = parseSeconds(c.budget); err != nil {
			return b, err
		}
		given++
	}
	if c.evaluations != "" {
		if b.Evaluations, err = parseCount(c.evaluations); err != nil {
			return b, err
		}
		given++
	}
	if given != 1 {
		const text = "%d budgets; expected one of --budget 3m, --evaluations 50M and --epochs 20"
		return b, fmt.Errorf(text, given)
	}
	return b, nil
}
