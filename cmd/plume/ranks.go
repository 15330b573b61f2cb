package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/comm/mpi"
)

// The first of several ranks gives a sign of life four times in the time that the others wait for
// it, or every quietBeat if they wait for ever.
const signs, quietBeat = 4, time.Minute

// launched opens the connection to the other processes of a launcher, and trains with them: the
// first one leads, and the others follow. Without a launcher it trains alone.
func (t *trainCommand) launched(cmd *cobra.Command) (err error) {
	if t.commTimeout < 0 {
		return usage(fmt.Errorf("--comm-timeout %v: expected a time, or 0 to wait for ever",
			t.commTimeout))
	}
	world, err := mpi.Open(mpi.Options{})
	if err != nil {
		return usage(err)
	}
	if world.Size() == 1 {
		return errors.Join(t.train(cmd), world.Close())
	}
	if t.dry {
		return t.dryOnRanks(cmd, world)
	}
	beat := quietBeat
	if t.commTimeout > 0 {
		beat = t.commTimeout / signs
	}
	watched := comm.Watch(world, t.commTimeout, func(late *comm.Overdue) {
		fmt.Fprintf(os.Stderr, "plume: %v (--comm-timeout)\n", late)
		world.Abort(exitFailure)
	})
	if watched.Rank() > 0 {
		return follow(watched, beat)
	}
	t.team = trainer.Lead(watched, beat)
	err = chosen(t.train(cmd))
	return alsoFailed(err, errors.Join(t.team.Dismiss(exitCode(err)), watched.Close()))
}

// dryOnRanks makes the forecast on the first rank.
func (t *trainCommand) dryOnRanks(cmd *cobra.Command, world comm.Comm) (err error) {
	if world.Rank() == 0 {
		t.dryRanks = world.Size()
		err = t.train(cmd)
	}
	return errors.Join(err, world.Barrier(), world.Close())
}

// follow serves the first rank, and ends as it says. Signals are told to the first one, which saves
// the run.
func follow(c comm.Comm, every time.Duration) error {
	ctx, interrupt := watchSignals(context.Background(), func(string) {}, savers...)
	defer interrupt.stop()
	interrupt.somethingToSave()
	code, err := trainer.Follow(ctx, c, every)
	if err != nil {
		err = fmt.Errorf("rank %d: %w", c.Rank(), err)
		fmt.Fprintln(os.Stderr, "plume:", err)
		c.Abort(exitFailure)
		return &exitError{code: exitFailure}
	}
	if err := c.Close(); err != nil {
		return err
	}
	if code == 0 {
		return nil
	}
	return &exitError{code: code}
}
