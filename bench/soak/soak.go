package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
)

// soak is a run in many sessions.
type soak struct {
	dir    string // of the run
	cloud  config.Cloud
	leak   int                  // bytes leaked at each step
	part   int                  // epochs of a session; the next one resumes the run
	over   func(epoch int) bool // whether to end after this epoch
	due    func(epoch int) bool // whether to take a sample after this epoch
	report func(sample)

	samples []sample
	leaked  [][]byte
}

// configuration is a small ipld on digits. Its steps take a fraction of a millisecond, so that an
// hour has millions of them, with a checkpoint at every second epoch and a report at every fifth.
func (s *soak) configuration() config.Config {
	c := method.Default()
	c.Data, c.Holdout, c.Batch, c.Epochs, c.Cloud = "digits", 0.1, 100, math.MaxInt32/2, s.cloud
	c.Latent, c.DecoderWidths, c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 8, []int{32}, 32, 1, 8
	c.BatchRepeats = 1
	c.Solver, c.SolverSteps, c.EvalSamples = diffusion.DDIM, 3, 100
	c.EvalEvery, c.CheckpointEvery, c.KeepCheckpoints = 5, config.EveryEpochs(2), 2
	return c
}

// run trains until it is over. It stops early, without an error, when ctx ends.
func (s *soak) run(ctx context.Context) error {
	c := s.configuration()
	t, err := trainer.New(ctx, c, s.dir, s.hooks()...)
	for err == nil {
		var ended bool
		if ended, err = s.session(ctx, t); ended || err != nil {
			return err
		}
		t, err = trainer.Resume(ctx, s.dir, c, s.hooks()...)
	}
	return err
}

func (s *soak) hooks() []trainer.Option {
	return []trainer.Option{trainer.WithHook(trainer.Hook{
		OnStep:    s.step,
		OnWarning: func(text string) { fmt.Println("WARNING:", text) },
	})}
}

// step leaks as many bytes as asked for.
func (s *soak) step(record.Progress) {
	if s.leak > 0 {
		s.leaked = append(s.leaked, make([]byte, s.leak))
	}
}

// session runs until the epochs of the session are done, or the soak is over.
func (s *soak) session(ctx context.Context, t *trainer.Trainer) (ended bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	epochs := 0
	trainer.WithHook(trainer.Hook{OnEpoch: func(e record.Epoch) {
		epochs++
		if s.due(e.Epoch) {
			x := take(e.Step)
			s.samples = append(s.samples, x)
			s.report(x)
		}
		ended = s.over(e.Epoch)
		if ended || epochs == s.part {
			stop()
		}
	}})(t)
	err = t.Run(ctx)
	if errors.Is(err, trainer.ErrInterrupted) {
		err = nil
		ended = ended || epochs < s.part
	}
	return ended, errors.Join(err, t.Close())
}
