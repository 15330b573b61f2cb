package trainer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
	"github.com/plume-ml/plume/trainer/record"
)

// shardRun is a run that ranks can share, with a checkpoint after each epoch and few reports.
func shardRun() config.Config {
	c := shortRun()
	c.Lanes = 8
	return c
}

// teamOn trains c in dir on n ranks, each of which writes to sys. The warnings are those of faulty.
func teamOn(
	t *testing.T, dir string, c config.Config, n int, sys *faultfs.System, opts ...Option,
) (warnings []string, err error) {
	t.Helper()
	ranks, done := comm.Local(n), make(chan error, n)
	for _, r := range ranks[1:] {
		go func() {
			_, err := (&follower{ctx: t.Context(), comm: r, every: beat, files: sys}).serve()
			done <- err
		}()
	}
	team := Lead(ranks[0], beat)
	warnings, err = faulty(t, dir, c, sys, append(opts, WithTeam(team))...)
	err = errors.Join(err, team.Dismiss(0))
	for range ranks[1:] {
		err = errors.Join(err, <-done)
	}
	return warnings, err
}

// Ranks store their files beside the next steps, and a checkpoint appears when all have.
func TestShardsAreStoredBesideSteps(t *testing.T) {
	c, dir := shardRun(), t.TempDir()
	stored, goOn := make(chan struct{}), make(chan struct{})
	var syncs atomic.Int32
	sys := &faultfs.System{Cached: true}
	slow := &faultfs.System{Cached: true, Fault: func(op faultfs.Op) error {
		if op.Kind == "sync" && syncs.Add(1) == 1 {
			close(stored)
			select {
			case <-goOn:
			case <-time.After(20 * time.Second):
				return errors.New("training waits for a rank that stores its file")
			}
		}
		return nil
	}}
	ranks, done := comm.Local(2), make(chan error, 1)
	go func() {
		_, err := (&follower{ctx: t.Context(), comm: ranks[1], every: beat, files: slow}).serve()
		done <- err
	}()
	team, steps, found := Lead(ranks[0], beat), 0, -1
	hook := Hook{
		OnStep: func(record.Progress) {
			select {
			case <-stored:
			default:
				return
			}
			if steps++; steps == 5 {
				all, _ := checkpoint.List(dir) // an error is a list of none
				found = len(all)
				close(goOn)
			}
		},
	}
	warnings, err := faulty(t, dir, c, sys, WithTeam(team), WithHook(hook))
	if err := errors.Join(err, team.Dismiss(0), <-done); err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if found != 0 {
		t.Errorf("%d checkpoints while a rank stored its file of the first one, expected 0", found)
	}
	all, err := checkpoint.List(dir)
	if err != nil || len(all) != c.KeepCheckpoints {
		t.Errorf("%d checkpoints at the end, expected %d (%v)", len(all), c.KeepCheckpoints, err)
	}
	sameTraining(t, "a slow disk", dir, train(t, c))
}

// Every operation on the files of ranks fails once, in turn: the save is tried again, and the run
// ends as one where nothing fails.
func TestEveryOperationOnShardsFails(t *testing.T) {
	c := shardRun()
	c.Epochs = 2
	want := train(t, c)
	failing := func(k int32) (*faultfs.System, *atomic.Int32) {
		var n atomic.Int32
		return &faultfs.System{Cached: true, Fault: func(op faultfs.Op) error {
			if strings.HasPrefix(filepath.Base(op.Path), "particles-") && n.Add(1) == k {
				return syscall.EIO
			}
			return nil
		}}, &n
	}
	sys, ops := failing(-1)
	if warnings, err := teamOn(t, t.TempDir(), c, 2, sys); err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if ops.Load() < 16 { // 2 ranks, 2 checkpoints: open, write, sync, close
		t.Errorf("%d operations", ops.Load())
	}
	for k := range ops.Load() {
		dir := t.TempDir()
		sys, _ := failing(k + 1)
		warnings, err := teamOn(t, dir, c, 2, sys)
		if err != nil {
			t.Errorf("operation %d: %v", k+1, err)
			continue
		}
		hears(t, warnings, "input/output error", "particles-0000")
		sameTraining(t, fmt.Sprint("operation ", k+1), dir, want)
		left, err := filepath.Glob(filepath.Join(dir, "checkpoints", ".tmp-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("operation %d: %v is left (%v)", k+1, left, err)
		}
	}
}

// The best checkpoint is written, replaced and saved by all ranks.
func TestTeamKeepsTheBest(t *testing.T) {
	c := shardRun()
	c.CheckpointEvery = config.EveryEpochs(2)
	var dirs []string
	run := func(opts ...Option) {
		dir := t.TempDir()
		dirs = append(dirs, dir)
		opts = append(opts, StopEarly(EarlyStop{Metric: "heldout_mse"}))
		tr, err := New(context.Background(), c, dir, opts...)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
			t.Error(err)
		}
	}
	run()
	if err := errors.Join(withTeam(t, 4, func(team *Team) { run(WithTeam(team)) })...); err != nil {
		t.Error(err)
	}
	sameTraining(t, "4 ranks", dirs[1], dirs[0])
	one, err := checkpoint.Best(dirs[0])
	four, failed := checkpoint.Best(dirs[1])
	if err := errors.Join(err, failed); err != nil || one.Step != four.Step {
		t.Errorf("the best of step %d on 4 ranks, %d on one (%v)", four.Step, one.Step, err)
	}
	if err := checkpoint.Verify(t.Context(), four.Dir); err != nil {
		t.Error(err)
	}
}
