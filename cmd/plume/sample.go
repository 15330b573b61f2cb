package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/suggest"
	"github.com/plume-ml/plume/trainer/table"
)

const sampleLong = "" +
	`Draw new rows from the newest checkpoint of a run, given by its directory, or by its name or
number under --runs; without RUN, of the newest run. The output decides what is written:

  name.png      a grid of pictures
  name.npy      an array of float32 of shape n x H x W x C, nominally in [-1, 1]; also -, to stdout
  name.npz      that array as image, and seed and class where images have them
  name.csv      the same as columns: image_Y_X, of colours image_Y_X_C
  name.parquet  the same, each image as a list of numbers
  folder/       a PNG file for each image, named by its number, or seed, and class; the folder must
                be new or empty

Of a run on a table they are rows, each cell drawn with its noise, with the columns, the units and
the texts of the source:

  name.csv      as the source was written; also -, to stdout
  name.parquet  columns of their types
  name.npz      an array for each column: numbers (and 0 and 1), otherwise texts
  name.npy      the encoded rows, an array of float32 of shape n x D

Of a run on signals they are n x T or n x T x C, in the units of the data; name.png has curves, and
a folder/ WAV files if the data were such, otherwise a curve in each PNG file.

An image of --seeds is the first one that --seed draws, whatever the others are, so that a seed
names an image of a model for ever. With --class, each seed is drawn of each class.

A model with classes (trained with --condition) draws the classes as often as they are in the data.
--class draws some of them, and --by-class a row of each.`

const sampleExample = `  plume sample 7                                  100 images, as samples.png
  plume sample                                    of the newest run
  plume sample runs/00007-fashion10k-ipld -n 16 --solver dpm++2m --steps 20 -o grid.png
  plume sample 7 -n 10000 -o samples.npy          for another program; also .npz, .csv, .parquet
  plume sample 7 -n 10000 -o samples/             a folder of PNG files
  plume sample 7 -n 10000 -o - | other-program    a .npy array, as it is drawn; of a table CSV
  plume sample 7 --seeds 0-999 -o choose.npz      one image of each seed
  plume sample 7 --seeds 3,141,592 -o chosen.png  some of them again
  plume sample 7 --class cat,dog --guidance 2     50 cats and 50 dogs, more typical ones
  plume sample 7 --by-class                       a row of 10 images of each class`

// maxSamples bounds n; it is what an int32 holds.
const maxSamples = math.MaxInt32

type sampleCommand struct {
	n, steps, cols, threads        int
	seed                           uint64
	seeds, solver, out, runs, from string
	raw, byClass, quiet            bool
	class                          []string
	guidance                       float64
	profile                        profiling

	seedList seedList        // nil: without --seeds
	schema   *columns.Schema // of a run on a table; nil: on none
	chosen   bool            // --output was given
}

const guidanceHelp = "of a model with classes: how much more typical of its class an image is, " +
	"and the less various (0: as in the data)"

func newSample() *cobra.Command {
	s := &sampleCommand{}
	cmd := &cobra.Command{
		Use:     "sample [RUN] [flags]",
		Short:   "Draw pictures, signals or rows from a trained model",
		Long:    sampleLong,
		Example: sampleExample,
		Args:    oneRun,
		RunE: command(func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Flags(), args)
		}),
	}
	s.addFlags(cmd.Flags())
	complete(cmd, "solver", solvers())
	register(cmd, "class", classNames)
	return cmd
}

func (s *sampleCommand) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.IntVarP(&s.n, "number", "n", 100, "rows to draw")
	flags.StringVarP(&s.out, "output", "o", samplesName+".png",
		"`file` or folder to write: .png, "+strings.Join(table.Endings(), ", ")+
			", a folder/, or - for .npy to stdout (of a table "+samplesName+".csv, and CSV)")
	flags.Uint64Var(&s.seed, "seed", 1, "seed of the samples' random numbers")
	flags.StringVar(&s.seeds, "seeds", "",
		"draw the first row of each of these `seeds`, such as 0-999 or 3,7,10-12, instead of -n "+
			"rows of --seed")
	flags.StringVar(&s.solver, "solver", "ancestral", "sampler: "+strings.Join(solvers(), ", "))
	flags.IntVar(&s.steps, "steps", 0,
		"steps of the sampler (0: 200 ancestral, 50 ddim, 20 dpm++2m)")
	flags.StringSliceVar(&s.class, "class", nil,
		"classes to draw, by names or numbers, separated by commas; equal parts of the rows")
	flags.BoolVar(&s.byClass, "by-class", false,
		"a row of each class, or of those of --class, of -n samples (default 10) or --seeds")
	flags.Float64Var(&s.guidance, "guidance", 0, guidanceHelp)
	flags.IntVar(&s.cols, "cols", 0, "pictures in a row of the grid (0: as in a square)")
	flags.BoolVar(&s.raw, "raw", false,
		"use the weights as they are instead of their moving average")
	flags.IntVar(&s.threads, "threads", 0,
		"worker threads (0: all cores); never changes the result")
	flags.BoolVarP(&s.quiet, "quiet", "q", false, "say nothing but warnings and errors")
	addRuns(flags, &s.runs, &s.from)
	s.profile.addFlags(flags)
}

// solvers returns the names of the samplers.
func solvers() []string {
	return config.Names(diffusion.Solvers)
}

// checkSolver refuses the flags of the sampler for the run in dir if its samples need none.
func checkSolver(flags *pflag.FlagSet, dir string) error {
	var given []config.Given
	if flags.Changed("solver") {
		given = append(given, config.Given{Key: "solver", Where: "--solver"})
	}
	if flags.Changed("steps") {
		given = append(given, config.Given{Key: "solver_steps", Where: "--steps"})
	}
	if given == nil {
		return nil
	}
	stored, err := run.Open(dir)
	if err != nil {
		return err
	}
	return usage(method.CheckStored(given, stored.Config.Method))
}

func (s *sampleCommand) validate(flags *pflag.FlagSet) (err error) {
	s.chosen = flags.Changed("output")
	if s.byClass && !flags.Changed("number") {
		s.n = 10
	}
	if flags.Changed("seeds") {
		if s.seedList, err = parseSeeds(s.seeds); err != nil {
			return err
		}
	}
	switch {
	case s.seedList != nil && (flags.Changed("number") || flags.Changed("seed")):
		return errors.New("--seeds excludes -n and --seed: it draws an image of each of its seeds")
	case s.n < 1 || s.n > maxSamples:
		return fmt.Errorf("-n is %d; expected 1 to %d", s.n, maxSamples)
	case !slices.Contains(solvers(), s.solver):
		return fmt.Errorf("--solver is %q; expected one of %s%s", s.solver,
			strings.Join(solvers(), ", "), suggest.DidYouMean(s.solver, solvers()))
	case s.steps < 0:
		return fmt.Errorf("--steps is %d; expected 0 or more", s.steps)
	case !(s.guidance >= 0) || math.IsInf(s.guidance, 0):
		return fmt.Errorf("--guidance is %v; expected 0 or more", s.guidance)
	case s.byClass && s.cols > 0:
		return errors.New("--cols and --by-class exclude each other: -n is the images in a row")
	case s.cols < 0:
		return fmt.Errorf("--cols is %d; expected 0 or more", s.cols)
	case s.cols > 0 && (isFolder(s.out) || filepath.Ext(s.out) != ".png"):
		return fmt.Errorf("--cols is about the grid of a .png file, and --output is %q", s.out)
	case s.threads < 0:
		return fmt.Errorf("--threads is %d; expected 0 or more", s.threads)
	}
	return s.checkOutput()
}

func (s *sampleCommand) run(flags *pflag.FlagSet, args []string) error {
	if err := s.validate(flags); err != nil {
		return usage(err)
	}
	dir, err := findRun(s.runs, args)
	if err != nil {
		return err
	}
	if err := checkSolver(flags, dir); err != nil {
		return err
	}
	insist := func(line string) { fmt.Fprintln(os.Stderr, line) }
	notify := func(notice string) { insist("plume: " + notice) }
	ctx, interrupt := watchSignals(context.Background(), notify)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, nil)
	if err := s.profile.start(insist); err != nil {
		return err
	}
	generator, err := s.load(dir)
	if err == nil && ctx.Err() != nil {
		generator.Close()
		err = ctx.Err()
	}
	if err != nil {
		return s.profile.end(interrupt.ended(err))
	}
	defer generator.Close() // after the memory profile, which includes it
	return s.profile.end(interrupt.ended(s.draw(ctx, generator, interrupt)))
}

func (s *sampleCommand) load(dir string) (*run.Generator, error) {
	stored, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	stored.From = s.from
	if s.schema, err = stored.Schema(); err != nil {
		return nil, err
	}
	if err := s.checkKind(); err != nil {
		return nil, usage(err)
	}
	return stored.Generator(!s.raw, s.threads)
}

// draw draws the images, writes them and prints the name of their file to stdout.
func (s *sampleCommand) draw(
	ctx context.Context, generator *run.Generator, interrupt *interrupt,
) error {
	plan, err := s.plan(generator)
	if err != nil {
		return err
	}
	out, err := s.open(plan)
	if err != nil {
		return err
	}
	defer out.abandon()
	interrupt.nothingToSave(interruptedNotice, out.abandon)
	report := progress.Reporter{Report: func(text string) {
		if !s.quiet {
			fmt.Fprintln(os.Stderr, "plume: "+text)
		}
	}}
	err = report.Run(func(t *progress.Task) error {
		t.Set("drawing " + s.drawn())
		if err := plan.draw(ctx, t, out); err != nil {
			return err
		}
		t.Set("writing " + s.out)
		return out.close()
	})
	if err != nil || s.out == stdoutName {
		return err
	}
	_, err = fmt.Println(s.out)
	return err
}

// draw draws the images block by block.
func (p *samplePlan) draw(ctx context.Context, t *progress.Task, out sampleOutput) error {
	dim := p.model.Dim()
	var pixels []float32
	for first := 0; first < p.n; {
		t.At(fmt.Sprintf("%s of %s", humanize.Comma(int64(first)), humanize.Comma(int64(p.n))))
		n := min(p.model.Block(), p.n-first)
		spec, b, err := p.block(first, n)
		if err != nil {
			return err
		}
		if pixels == nil {
			pixels = make([]float32, n*dim) // the first block is the largest
		}
		b.pixels = pixels[:n*dim]
		if err := p.model.Sample(ctx, b.pixels, n, spec); err != nil {
			return err
		}
		if err := out.add(b); err != nil {
			return err
		}
		first += n
	}
	return ctx.Err()
}
