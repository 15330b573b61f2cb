package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/suggest"
)

const evalLong = "" +
	`Measure the newest checkpoint of a run (by default of the newest one): its samples against real
rows, its model against rows held out of training: pictures, signals or rows of numbers. Every
distance comes with a 95 % interval and a floor: what real rows reach in the samples' place.

Metrics, by the names that --only takes:
  pca             Fréchet distance, KID and Gaussian MMD of 64 principal components
  ffd             Fréchet distance and KID of the features of a small classifier, which is first
                  trained on the labels, unless an evaluation of this run or of one beside it has
                  kept it. It is not an FID, hence the name: its numbers compare runs on the same
                  data only
  sliced          sliced Wasserstein distance
  class           of a run with classes as conditions: how often the classifier sees the class
                  that a sample was drawn for, and the distances within each class
  precision       precision, recall, density and coverage
  table           of a run on a table, in the place of the above: distances of its columns and of
                  their associations, each column with its floor; and held-out rows with a share of
                  their cells hidden (--hide): errors beside those of means and of most frequent
                  categories, and how often intervals hold the cells
  spectrum        of a run on signals: distances of mean power spectra (log-spectral, in dB) and of
                  autocorrelations
  memorisation    how near samples are to training rows, beside held-out rows
  reconstruction  error and energy of held-out rows, by Langevin inference of their latents
  likelihood      importance-sampled log p(x) of held-out rows, with its effective sample size

Features of another program give its distances: with those of Inception, --features and
--real-features give the true FID and KID. "plume sample RUN -n 10000 -o samples.npy" writes the
pictures for it.`

const evalExample = `  plume eval 7                                    everything, in about a minute
  plume eval 7 --quick                            the distances and the reconstruction, in seconds
  plume eval runs/00007-fashion10k-ipld --only pca,ffd --json
  plume eval 7 -o report                          with report.json and pictures
  plume eval --features gen.npy --real-features real.npy`

const reportFile = "report.json"

type evalCommand struct {
	evaluate.Options
	quick, json, quiet    bool
	only                  []string
	out, runs             string
	generated, realImages string
}

func newEval() *cobra.Command {
	e := &evalCommand{}
	cmd := &cobra.Command{
		Use:     "eval [RUN] [flags]",
		Short:   "Measure a trained model: samples, reconstruction, likelihood",
		Long:    evalLong,
		Example: evalExample,
		Args:    e.checkArgs,
		RunE:    command(e.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&e.only, "only", nil,
		"metrics to measure, separated by commas: "+strings.Join(evaluate.Groups(), ", "))
	flags.BoolVar(&e.quick, "quick", false,
		"only pca, ffd, precision (or table, spectrum) and reconstruction, of fewer samples and "+
			"rows")
	flags.IntVarP(&e.Samples, "number", "n", 0, "rows to draw (0: 2,000)")
	flags.StringVar((*string)(&e.Solver), "solver", "",
		"sampler: "+strings.Join(solvers(), ", ")+" (default that of the run's reports)")
	flags.IntVar(&e.Steps, "steps", 0,
		"steps of the sampler (0: those of the reports, or 200 ancestral, 50 ddim, 20 dpm++2m)")
	flags.Float64Var(&e.Guidance, "guidance", 0, guidanceHelp)
	flags.IntVar(&e.Images, "images", 0,
		"held-out rows of the reconstruction and of the imputation (0: 1,000)")
	flags.Float64Var(&e.Hide, "hide", 0,
		"of a table: share of the known cells of held-out rows that are filled in (0: 0.3)")
	flags.IntVar(&e.Moves, "moves", 0, "Langevin moves of the reconstruction (0: 300)")
	flags.IntVar(&e.LikelihoodImages, "likelihood-images", 0,
		"held-out rows of the likelihood (0: 32)")
	flags.IntVar(&e.LikelihoodSamples, "likelihood-samples", 0,
		"importance-weighted latents of each (0: the default)")
	flags.Uint64Var(&e.Seed, "seed", 1,
		"seed of the evaluation's random numbers; the classifier has its own, always the same")
	flags.BoolVar(&e.Raw, "raw", false,
		"use the weights as they are instead of their moving average")
	e.addFiles(flags)
	flags.BoolVar(&e.json, "json", false, "write the report to stdout as JSON")
	flags.BoolVarP(&e.quiet, "quiet", "q", false, "say nothing but warnings and errors")
	flags.StringVar(&e.Data, "data", "",
		"`path` of the data, where they have moved since the run was trained")
	flags.IntVar(&e.Threads, "threads", 0,
		"worker threads (0: all cores); never changes the result")
	addRuns(flags, &e.runs, &e.From)
	complete(cmd, "only", evaluate.Groups())
	complete(cmd, "solver", solvers())
	return cmd
}

// addFiles defines the flags of the files that are read in place of a run, and of what is written.
func (e *evalCommand) addFiles(flags *pflag.FlagSet) {
	flags.StringVar(&e.generated, "features", "",
		".npy `file` with another program's features of generated images, N x K")
	flags.StringVar(&e.realImages, "real-features", "", ".npy `file` with those of real images")
	flags.StringVarP(&e.out, "output", "o", "",
		"`directory` that gets report.json and, of a run, pictures")
}

// ofRuns are the flags about a run, its samples or its model, which features of another program do
// not have.
var ofRuns = []string{
	"only", "quick", "number", "solver", "steps", "guidance", "images", "moves",
	"hide", "likelihood-images", "likelihood-samples", "raw", "data", "runs", "from",
}

func (e *evalCommand) checkArgs(cmd *cobra.Command, args []string) error {
	foreign := e.generated != "" || e.realImages != ""
	switch {
	case foreign && (e.generated == "" || e.realImages == ""):
		return errors.New("--features and --real-features belong together")
	case foreign && len(args) > 0:
		return errors.New("--features and a RUN exclude each other: " +
			"features are not those of a run's samples")
	case !foreign:
		if err := oneRun(cmd, args); err != nil {
			return err
		}
	}
	for _, name := range ofRuns {
		if foreign && cmd.Flags().Changed(name) {
			return fmt.Errorf("--features and --%s exclude each other: --%[1]s is about a run",
				name)
		}
	}
	return nil
}

// validate checks the flags, and sets the options that follow from them.
func (e *evalCommand) validate() error {
	if e.Solver != "" && !slices.Contains(diffusion.Solvers, e.Solver) {
		return fmt.Errorf("--solver is %q; expected one of %s%s", e.Solver,
			strings.Join(solvers(), ", "), suggest.DidYouMean(string(e.Solver), solvers()))
	}
	if e.quick && len(e.only) > 0 {
		return errors.New("--quick and --only exclude each other")
	}
	if e.Which = e.only; e.quick {
		quick := evaluate.Quick()
		e.Which = quick.Which
		for _, v := range []struct {
			mine  *int
			quick int
		}{{&e.Samples, quick.Samples}, {&e.Images, quick.Images}, {&e.Moves, quick.Moves}} {
			if *v.mine == 0 {
				*v.mine = v.quick
			}
		}
	}
	return e.Validate()
}

// find returns the directory of the run; "" if there is none, but features of another program.
func (e *evalCommand) find(flags *pflag.FlagSet, args []string) (runDir string, err error) {
	if e.generated != "" {
		return "", nil
	}
	if runDir, err = findRun(e.runs, args); err != nil {
		return "", err
	}
	return runDir, checkSolver(flags, runDir)
}

func (e *evalCommand) run(cmd *cobra.Command, args []string) error {
	if err := e.validate(); err != nil {
		return usage(err)
	}
	runDir, err := e.find(cmd.Flags(), args)
	if err != nil {
		return err
	}
	made := firstMissing(e.out)
	if e.out != "" {
		if err := os.MkdirAll(e.out, 0o777); err != nil {
			return usage(fmt.Errorf("--output: %w", err))
		}
		e.Pictures = e.out
	}
	insist := func(line string) { fmt.Fprintln(os.Stderr, line) }
	notify := func(notice string) { insist("plume: " + notice) }
	ctx, interrupt := watchSignals(context.Background(), notify)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, func() { removeEmpty(e.out, made) })
	e.Warn = func(text string) { insist("WARNING: " + text) }
	if !e.quiet {
		e.Progress = func(text string) { insist("plume: " + text) }
	}
	report, err := e.measure(ctx, runDir)
	if err != nil {
		removeEmpty(e.out, made)
		return interrupt.ended(err)
	}
	interrupt.stop() // the report is complete: an interrupted printing does not make it otherwise
	return e.write(report)
}

func (e *evalCommand) measure(ctx context.Context, runDir string) (*evaluate.Report, error) {
	if runDir == "" {
		return evaluate.Foreign(ctx, e.generated, e.realImages, e.Options)
	}
	return evaluate.Run(ctx, runDir, e.Options)
}

// write prints the report, and stores it if asked to.
func (e *evalCommand) write(report *evaluate.Report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if e.out != "" {
		path := filepath.Join(e.out, reportFile)
		if err := file.WriteBytes(file.OS, path, text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if e.json {
		_, err = os.Stdout.Write(text)
	} else {
		err = report.WriteText(os.Stdout)
	}
	if err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return nil
}
