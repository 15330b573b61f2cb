package trainer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// on makes a trainer write to sys, and try again at once where it would wait.
func on(sys *faultfs.System) Option {
	return func(t *Trainer) {
		t.writer.Files = sys
		t.saving.retryAfter = 0
		t.saving.pauses = []time.Duration{time.Millisecond, time.Millisecond}
	}
}

// shortRun is a run of one report and, with one after each epoch, some checkpoints.
func shortRun() config.Config {
	c := smallRun()
	c.EvalEvery, c.CheckpointEvery, c.KeepCheckpoints = 0, config.EveryEpochs(1), 2
	return c
}

// faulty trains c in dir on sys. The warnings are those of the run, but for those of clipped moves.
func faulty(
	t *testing.T, dir string, c config.Config, sys *faultfs.System, opts ...Option,
) (warnings []string, err error) {
	t.Helper()
	opts = append(opts, on(sys), WithHook(Hook{OnWarning: func(s string) {
		if !strings.Contains(s, "clipped") { // a matter of the step size
			warnings = append(warnings, s)
		}
	}}))
	tr, err := New(context.Background(), c, dir, opts...)
	if err != nil {
		return warnings, err
	}
	err = tr.Run(t.Context())
	if closing := tr.Close(); err == nil {
		err = closing
	}
	return warnings, err
}

// hears checks that exactly one warning contains all of the parts.
func hears(t *testing.T, warnings []string, parts ...string) {
	t.Helper()
	n := 0
	for _, w := range warnings {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(w, p) }) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d warnings with %q, expected 1, in\n%s", n, parts, strings.Join(warnings, "\n"))
	}
}

// Every operation of a whole run fails once, in turn. The run ends well, with the state and the
// records of one where nothing fails, unless the failure kept it from beginning.
func TestEveryOperationOfARunFails(t *testing.T) {
	c := shortRun()
	c.Epochs = 2
	count := &faultfs.System{Cached: true}
	want := t.TempDir()
	warnings, err := faulty(t, want, c, count)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	wantState, wantMetrics := finalState(t, want), metricsOf(t, want)
	refused := 0
	for k := 1; k <= count.Ops(); k++ {
		dir := t.TempDir()
		sys := &faultfs.System{Cached: true, Fault: faultfs.FailAt(k, syscall.EIO)}
		warnings, err := faulty(t, dir, c, sys)
		info, loadErr := run.ReadInfo(dir)
		if err != nil && (loadErr != nil || info.Finished == nil) && len(metricsLines(dir)) == 0 {
			refused++
			continue
		}
		if err != nil {
			t.Errorf("operation %d: %v", k, err)
			continue
		}
		if !bytes.Equal(finalState(t, dir), wantState) {
			t.Errorf("operation %d: another final state", k)
		}
		if m := metricsOf(t, dir); !slices.Equal(m, wantMetrics) {
			t.Errorf("operation %d: %d records:\n%s", k, len(m), strings.Join(m, "\n"))
		}
		if info, err := run.ReadInfo(dir); err != nil || info.Finished == nil {
			t.Errorf("operation %d: the run is not finished: %v", k, err)
		}
		for _, w := range warnings {
			if !strings.Contains(w, "input/output error") && !strings.Contains(w, "again") {
				t.Errorf("operation %d: warning %q", k, w)
			}
		}
	}
	t.Logf("%d operations failed; %d of them kept the run from beginning", count.Ops(), refused)
	if refused > 32 || count.Ops() < 120 {
		t.Errorf("%d of %d operations kept the run from beginning", refused, count.Ops())
	}
}

func metricsLines(dir string) []byte {
	text, _ := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	return text
}

// full is a file system that the test fills and frees.
type full struct {
	faultfs.System
	now   atomic.Bool
	kinds []string // of operations that fail
}

func newFull() *full {
	f := &full{kinds: []string{"write", "open", "mkdir", "symlink"}}
	f.Cached = true
	f.Fault = func(op faultfs.Op) error {
		if f.now.Load() && slices.Contains(f.kinds, op.Kind) {
			return syscall.ENOSPC
		}
		return nil
	}
	return f
}

// fill fills the disk once the checkpoint of the step is there.
func (f *full) fill(t *testing.T, runDir string, step int) {
	t.Helper()
	awaitSaved(t, runDir, step)
	f.now.Store(true)
}

// awaitSaved waits for the save of a step, which goes on beside training.
func awaitSaved(t *testing.T, runDir string, step int) {
	t.Helper()
	for range 4000 {
		link, err := os.Readlink(filepath.Join(runDir, "checkpoints", "latest"))
		if err == nil && link == fmt.Sprintf("step-%06d", step) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("no checkpoint of step %d", step)
}

// at calls f after a step.
func at(step int, f func()) Option {
	return WithHook(Hook{OnStep: func(p record.Progress) {
		if p.Step == step {
			f()
		}
	}})
}

// A disk that is full for a while costs nothing but checkpoints.
func TestDiskFullForAWhile(t *testing.T) {
	c := shortRun()
	c.Epochs = 6
	want := train(t, c)
	disk, dir := newFull(), t.TempDir()
	warnings, err := faulty(t, dir, c, &disk.System,
		at(17, func() { disk.fill(t, dir, 14) }),
		at(4*runBatches*runRepeats+3, func() { disk.now.Store(false) }))
	if err != nil {
		t.Fatal(err)
	}
	if !sameRun(t, dir, want) {
		t.Error("another final state, or other records")
	}
	hears(t, warnings, "saving", "no space left on device", "training goes on",
		"the newest checkpoint is step-000014")
	hears(t, warnings, "checkpoints are saved again: step-")
	hears(t, warnings, "metrics.jsonl", "no space left on device", "kept in memory")
	hears(t, warnings, "metrics.jsonl is written again")
	if len(warnings) != 4 {
		t.Errorf("%d warnings:\n%s", len(warnings), strings.Join(warnings, "\n"))
	}
}

// A disk that stays full ends the run with an error that says what is lost. The last good
// checkpoint stays, and resumes to the same final state.
func TestDiskStaysFull(t *testing.T) {
	c := shortRun()
	want := train(t, c)
	disk, dir := newFull(), t.TempDir()
	_, err := faulty(t, dir, c, &disk.System, at(17, func() { disk.fill(t, dir, 14) }))
	if err == nil || errors.Is(err, ErrInterrupted) || errors.Is(err, ErrDiverged) {
		t.Fatalf("Run returned %v", err)
	}
	for _, part := range []string{
		"no space left on device",
		"its state could not be saved",
		"28 steps are lost: the run goes on from step-000014",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
	if got, err := checkpoint.Latest(dir); err != nil || filepath.Base(got) != "step-000014" ||
		checkpoint.Verify(t.Context(), got) != nil {
		t.Errorf("the last good checkpoint is %s, %v", got, err)
	}
	resumeRun(t, dir, c, -1)
	if !sameRun(t, dir, want) {
		t.Error("resumed to another final state, or other records")
	}
}

// An interruption that cannot save fails, and says what is lost: also if only the sync fails, which
// the step loop does not see.
func TestInterruptedOnAFullDisk(t *testing.T) {
	for _, kinds := range [][]string{{"write", "open", "mkdir"}, {"sync"}} {
		disk := newFull()
		disk.kinds = kinds
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		dir := t.TempDir()
		tr, err := New(ctx, shortRun(), dir, on(&disk.System), at(20, func() {
			disk.fill(t, dir, 14)
			cancel()
		}))
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		err = tr.Run(ctx)
		if err == nil || errors.Is(err, ErrInterrupted) {
			t.Fatalf("%v fail: Run returned %v", kinds, err)
		}
		want := "6 steps are lost: the run goes on from step-000014"
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v fail: error %q lacks %q", kinds, err, want)
		}
	}
}

// A checkpoint that failed is saved again before the next is due, in the middle of an epoch.
func TestTriesAgain(t *testing.T) {
	c := shortRun()
	c.Epochs, c.CheckpointEvery = 4, config.EveryEpochs(2)
	disk := newFull()
	saved := ""
	_, err := faulty(t, t.TempDir(), c, &disk.System,
		at(20, func() { disk.now.Store(true) }),
		at(2*runBatches*runRepeats+5, func() { disk.now.Store(false) }),
		WithHook(Hook{OnWarning: func(s string) {
			if name, ok := strings.CutPrefix(s, "checkpoints are saved again: step-"); ok {
				saved = name[:6]
			}
		}}))
	if err != nil || saved != "000033" {
		t.Errorf("saved again at step %q, %v", saved, err)
	}
}

// The directory of a run vanishes, or can no longer be written: training goes on to the end.
func TestDirectoryGone(t *testing.T) {
	var dir string
	steps := 0
	remove := at(20, func() {
		awaitSaved(t, dir, 14)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	count := WithHook(Hook{OnStep: func(p record.Progress) { steps = p.Step }})
	tr, err :=
		New(context.Background(), shortRun(), t.TempDir(), on(&faultfs.System{}), remove, count)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	dir = tr.writer.Dir
	err = tr.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no such file or directory") ||
		steps != runSteps {
		t.Errorf("after %d steps: %v", steps, err)
	}
	// There is nothing to go on from.
	if strings.Contains(fmt.Sprint(err), "goes on from") ||
		!strings.Contains(fmt.Sprint(err), "step-000014, was removed") {
		t.Errorf("error %q", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a directory that the user removed, or unmounted, is there again")
	}
}

// Saving by the clock, in the middle of epochs, changes no bit of a run, and the run can be resumed
// from what it saves.
func TestCheckpointsByTime(t *testing.T) {
	c := shortRun()
	want := train(t, c)
	c.CheckpointEvery = config.Every{Time: time.Millisecond}
	dir := t.TempDir()
	places := map[string]bool{}
	session(t, func(o ...Option) (*Trainer, error) {
		list := WithHook(Hook{OnStep: func(p record.Progress) {
			time.Sleep(2 * time.Millisecond)
			all, err := checkpoint.List(dir)
			if err != nil {
				t.Error(err)
			}
			for _, found := range all {
				places[filepath.Base(found.Dir)] = true
			}
		}})
		o = append(o, on(&faultfs.System{Cached: true}), list)
		return New(context.Background(), c, dir, o...)
	}, 29)
	if len(places) < 10 {
		t.Errorf("checkpoints %v: expected most of 29 steps", places)
	}
	resumeRun(t, dir, c, -1)
	if !sameRun(t, dir, want) {
		t.Error("another final state, or other records")
	}
}

// Where saving takes longer than the time between saves, training does not wait for it.
func TestCheckpointsByTimeOnSlowStorage(t *testing.T) {
	c := shortRun()
	c.CheckpointEvery = config.Every{Time: time.Nanosecond}
	taken := make(chan struct{})
	var syncs atomic.Int64
	sys := &faultfs.System{Cached: true, Fault: func(op faultfs.Op) error {
		if op.Kind == "sync" && strings.HasSuffix(op.Path, ".safetensors") && syncs.Add(1) == 1 {
			select {
			case <-taken:
			case <-time.After(20 * time.Second):
				t.Error("training waits for the first checkpoint")
			}
		}
		return nil
	}}
	tr, err := New(t.Context(), c, t.TempDir(), on(sys), at(10, func() { close(taken) }))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	if n := syncs.Load(); n < 2 || n > runSteps-8 {
		t.Errorf("%d checkpoints", n)
	}
}

// The stall is in every record, in run.json, in the summary and in the checkpoint, and grows.
func TestStallIsReported(t *testing.T) {
	dir := t.TempDir()
	var summary Summary
	session(t, func(o ...Option) (*Trainer, error) {
		o = append(o, WithHook(Hook{OnEnd: func(s Summary) { summary = s }}))
		return New(context.Background(), shortRun(), dir, o...)
	}, -1)
	records, err := record.ReadLog(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	last := record.Number(0)
	for i, r := range records {
		if i > 0 && r.CheckpointSeconds <= last {
			t.Errorf("record %d: %v s after %v s", i+1, r.CheckpointSeconds, last)
		}
		last = r.CheckpointSeconds
	}
	info, err := run.ReadInfo(dir)
	if err != nil || info.Checkpoints == nil || *info.Checkpoints != summary.Stall ||
		summary.Stall.Seconds <= float64(last) {
		t.Errorf("run.json says %v, the summary %v, the last record %v; %v",
			info.Checkpoints, summary.Stall, last, err)
	}
	if s := summary.Stall; s.Share <= 0 || s.Share >= 1 {
		t.Errorf("a share of %v", s.Share)
	}
	latest, err := checkpoint.List(dir)
	if err != nil || latest[0].Meta.Stalled <= 0 {
		t.Errorf("the checkpoint says %v, %v", latest[0].Meta.Stalled, err)
	}
}

// Training goes on while a checkpoint is synced, and the stall does not count that; an interruption
// returns only when its checkpoint is durable.
func TestSavingBesideTraining(t *testing.T) {
	const slow = 400 * time.Millisecond
	var step, during atomic.Int64 // taken; and while the first state was synced
	var syncs atomic.Int64
	sys := &faultfs.System{Cached: true, Fault: func(op faultfs.Op) error {
		if op.Kind == "sync" && strings.HasSuffix(op.Path, ".safetensors") {
			before := step.Load()
			time.Sleep(slow)
			if syncs.Add(1) == 1 {
				during.Store(step.Load() - before)
			}
		}
		return nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := t.TempDir()
	count := WithHook(Hook{OnStep: func(p record.Progress) {
		step.Store(int64(p.Step))
		time.Sleep(slow / 20) // or all steps are taken before the first sync begins
	}})
	stop := at(27, cancel) // in the second epoch, whose end would save again
	tr, err := New(ctx, shortRun(), dir, on(sys), count, stop)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := tr.Run(ctx); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	if during.Load() == 0 {
		t.Error("no step was taken while a checkpoint was synced")
	}
	// Two syncs in all; training waited for the second at most, and for what was left of the first.
	if stalled := tr.saving.stalled; stalled < slow.Seconds() || syncs.Load() != 2 {
		t.Errorf("%d syncs, a stall of %.3f s: the interruption did not wait for its checkpoint",
			syncs.Load(), stalled)
	}
	all, err := checkpoint.List(dir)
	if err != nil || len(all) == 0 || all[0].Step != 27 ||
		checkpoint.Verify(t.Context(), all[0].Dir) != nil {
		t.Errorf("interrupted at step 27, the checkpoints are %v, %v", all, err)
	}
}
