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

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/picture"
	"github.com/plume-ml/plume/trainer/run"
	"github.com/plume-ml/plume/trainer/suggest"
)

const sampleLong = "" +
	`Draw new images from the newest checkpoint of a run, given by its directory, or by its name or
number under --runs. The ending of the output file decides what is written: .png is a grid of
pictures, .npy an array of float32 of shape n x H x W x C, nominally in [-1, 1].

A model with classes (trained with --condition) draws the classes as often as they are in the data.
--class draws some of them, and --by-class a row of each.`

const sampleExample = `  plume sample 7                                  100 images, as samples.png
  plume sample runs/00007-fashion10k-ipld -n 16 --solver dpm++2m --steps 20 -o grid.png
  plume sample 7 -n 10000 -o samples.npy          for another program
  plume sample 7 --class cat,dog --guidance 2     50 cats and 50 dogs, more typical ones
  plume sample 7 --by-class                       a row of 10 images of each class`

// maxSamples bounds n: more would hardly fit into memory and should be drawn in parts.
const maxSamples = 1 << 20

type sampleCommand struct {
	n, steps, cols, threads int
	seed                    uint64
	solver, out, runs       string
	raw, byClass            bool
	class                   []string
	guidance                float64
	profile                 profiling
}

const guidanceHelp = "of a model with classes: how much more typical of its class an image is, " +
	"and the less various (0: as in the data)"

func newSample() *cobra.Command {
	s := &sampleCommand{}
	cmd := &cobra.Command{
		Use:     "sample RUN [flags]",
		Short:   "Draw images from a trained model",
		Long:    sampleLong,
		Example: sampleExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%d arguments; expected one RUN: "+
					"the directory, the name or the number of a run", len(args))
			}
			return nil
		},
		RunE: command(func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Flags(), args[0])
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVarP(&s.n, "number", "n", 100, "images to draw")
	flags.StringVar(&s.solver, "solver", "ancestral", "sampler: "+strings.Join(solvers(), ", "))
	flags.IntVar(&s.steps, "steps", 0,
		"steps of the sampler (0: 200 ancestral, 50 ddim, 20 dpm++2m)")
	flags.StringSliceVar(&s.class, "class", nil,
		"classes to draw, by names or numbers, separated by commas; equal parts of the images")
	flags.BoolVar(&s.byClass, "by-class", false,
		"a row of each class, or of those of --class, of -n images (default 10)")
	flags.Float64Var(&s.guidance, "guidance", 0, guidanceHelp)
	flags.StringVarP(&s.out, "output", "o", "samples.png", "`file` to write, .png or .npy")
	flags.Uint64Var(&s.seed, "seed", 1, "seed of the samples' random numbers")
	flags.IntVar(&s.cols, "cols", 0, "pictures in a row of the grid (0: as in a square)")
	flags.BoolVar(&s.raw, "raw", false,
		"use the weights as they are instead of their moving average")
	flags.IntVar(&s.threads, "threads", 0,
		"worker threads (0: all cores); never changes the result")
	flags.StringVar(&s.runs, "runs", "runs", "`directory` of the numbered runs")
	s.profile.addFlags(flags)
	return cmd
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

func (s *sampleCommand) validate() error {
	switch {
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
	case s.threads < 0:
		return fmt.Errorf("--threads is %d; expected 0 or more", s.threads)
	}
	if ext := filepath.Ext(s.out); ext != ".png" && ext != ".npy" {
		return fmt.Errorf("--output is %q; expected a name that ends in .png or .npy", s.out)
	}
	if info, err := os.Stat(filepath.Dir(s.out)); err != nil || !info.IsDir() {
		return fmt.Errorf("--output is %q; expected a file in a directory that exists", s.out)
	}
	return nil
}

func (s *sampleCommand) run(flags *pflag.FlagSet, spec string) error {
	if s.byClass && !flags.Changed("number") {
		s.n = 10
	}
	if err := s.validate(); err != nil {
		return usage(err)
	}
	if spec == "auto" {
		return usage(errors.New("auto is for train --resume; " +
			"expected the directory, the name or the number of a run"))
	}
	dir, err := run.Find(s.runs, spec)
	if err != nil {
		return usage(err)
	}
	if err := checkSolver(flags, dir); err != nil {
		return err
	}
	insist := func(line string) { fmt.Fprintln(os.Stderr, line) }
	notify := func(notice string) { insist("plume: " + notice) }
	ctx, interrupt := watchSignals(context.Background(), notify)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, func() { _ = file.Abandon(file.OS, s.out) })
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
	return s.profile.end(interrupt.ended(s.draw(ctx, generator)))
}

func (s *sampleCommand) load(dir string) (*run.Generator, error) {
	stored, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	return stored.Generator(!s.raw, s.threads)
}

// draw draws the images, writes them and prints the name of their file to stdout.
func (s *sampleCommand) draw(ctx context.Context, generator *run.Generator) error {
	conditions, err := s.conditions(generator)
	if err != nil {
		return err
	}
	shape := generator.Shape()
	pixels := make([]float32, s.n*shape.Dim())
	err = generator.Sample(ctx, pixels, s.n, generate.Spec{
		Solver: diffusion.Solver(s.solver), Steps: s.steps, Seed: s.seed, Condition: conditions,
		Guidance: s.guidance,
	})
	if err != nil {
		return err
	}
	if err := s.write(pixels, shape); err != nil {
		return err
	}
	_, err = fmt.Println(s.out)
	return err
}

// write stores n images in the format of the output's extension.
func (s *sampleCommand) write(pixels []float32, shape data.Shape) error {
	if filepath.Ext(s.out) == ".npy" {
		return npy.WriteFile(s.out, pixels, shape.Dims(s.n)...)
	}
	cols := s.cols
	if cols == 0 {
		cols = int(math.Ceil(math.Sqrt(float64(s.n))))
	}
	return picture.WriteGrid(s.out, pixels, shape, cols)
}
