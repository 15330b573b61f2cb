package trainer

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// moment is the nth time that a run takes a step.
type moment struct{ step, nth int }

// diverging trains c on a disk, and spoils the state with value at the given moments. The disk
// fills whenever the run goes back, and is freed at step 35.
func diverging(
	t *testing.T, dir string, c config.Config, disk *full, spoilt []moment, value float32,
) (warnings []string) {
	t.Helper()
	times := map[int]int{}
	var tr *Trainer
	hook := WithHook(Hook{
		OnWarning: func(text string) {
			warnings = append(warnings, text)
			if strings.Contains(text, "goes back") {
				disk.now.Store(true)
			}
		},
		OnStep: func(p record.Progress) {
			times[p.Step]++
			if slices.Contains(spoilt, moment{p.Step, times[p.Step]}) {
				spoil(tr, "decoder/params", value)
			} else if p.Step == 35 {
				disk.now.Store(false)
			}
		},
	})
	tr, err := New(context.Background(), c, dir, on(&disk.System), hook)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	return warnings
}

// A disk that is full when a run goes back, and still when it goes back again, changes nothing:
// once there is space, bits, records and notes are those of a run whose disk was never full. Until
// then the run does not go back to the abandoned continuation, which is the newest on the disk.
func TestGoesBackOnAFullDisk(t *testing.T) {
	for name, test := range map[string]struct {
		spoilt []moment
		value  float32
		backs  []int
	}{
		"to the newest":         {[]moment{{30, 1}}, float32(math.NaN()), []int{28}},
		"to the one before":     {[]moment{{28, 1}}, 1e30, []int{14}}, // saved right after
		"twice":                 {[]moment{{28, 1}, {26, 2}}, 1e30, []int{14, 14}},
		"twice, from the newer": {[]moment{{28, 1}, {28, 2}}, 1e30, []int{14, 14}},
		"to the start":          {[]moment{{14, 1}}, 1e30, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			c, want, dir := shortRun(), t.TempDir(), t.TempDir()
			c.KeepCheckpoints = 3
			roomy := newFull()
			roomy.kinds = nil
			diverging(t, want, c, roomy, test.spoilt, test.value)
			warnings := diverging(t, dir, c, newFull(), test.spoilt, test.value)
			if !bytes.Equal(finalState(t, dir), finalState(t, want)) {
				t.Error("another final state")
			}
			if !slices.Equal(metricsOf(t, dir), metricsOf(t, want)) {
				t.Errorf("records:\n%s", strings.Join(metricsOf(t, dir), "\n"))
			}
			info, err := run.ReadInfo(dir)
			if err != nil || info.Finished == nil {
				t.Errorf("run.json: %+v, %v", info, err)
			}
			var backs []int
			for _, d := range info.Divergences {
				backs = append(backs, *d.BackTo)
			}
			if !slices.Equal(backs, test.backs) {
				t.Errorf("went back to %v, expected %v", backs, test.backs)
			}
			all, err := checkpoint.List(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range all {
				if found.Step > backs[len(backs)-1] && found.Meta.Slowed.Retries != len(backs) {
					t.Errorf("%s is of the abandoned continuation", found.Dir)
				}
			}
			hears(t, warnings, "no space left on device", "training goes on", "checkpoint")
			hears(t, warnings, "checkpoints are saved again: step-")
			hears(t, warnings, "metrics.jsonl is written again")
		})
	}
}

// A run that was resumed from an older checkpoint, and diverges before it has saved one, goes back
// to that checkpoint: the newest on the disk belongs to the continuation that it left.
func TestGoesBackToWhereItCameFrom(t *testing.T) {
	c := divergentRun("ipld")
	dir := train(t, c)
	p := &poisonedRun{poison: map[int]string{17: "decoder/params"}, value: float32(math.NaN())}
	tr, err := Resume(t.Context(), dir, c, From("step-000014"), WithHook(Hook{}))
	if err != nil {
		t.Fatal(err)
	}
	tr.hooks = append(tr.hooks, Hook{OnStep: func(m record.Progress) {
		if name, ok := p.poison[m.Step]; ok {
			delete(p.poison, m.Step)
			spoil(tr, name, p.value)
		}
	}})
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := run.ReadInfo(dir)
	if err != nil || len(info.Divergences) != 1 || *info.Divergences[0].BackTo != 14 {
		t.Errorf("run.json: %+v, %v; expected to go back to step 14", info.Divergences, err)
	}
}

// A divergence that is found only when the final state is saved is one like any other.
func TestDivergesAtTheEnd(t *testing.T) {
	c, dir, disk := shortRun(), t.TempDir(), newFull()
	c.EvalSamples = 0
	spoilt := false
	var tr *Trainer
	hook := Hook{OnStep: func(p record.Progress) {
		switch {
		case p.Step == 20 && !spoilt:
			disk.fill(t, dir, 14)
		case p.Step == runSteps && !spoilt: // only the end saves: retries wait for an hour
			spoilt = true
			disk.now.Store(false)
			spoil(tr, "decoder/params", float32(math.NaN()))
		}
	}}
	tr, err := New(t.Context(), c, dir, on(&disk.System), WithHook(hook))
	if err != nil {
		t.Fatal(err)
	}
	tr.saving.retryAfter = time.Hour
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := run.ReadInfo(dir)
	if err != nil || len(info.Divergences) != 1 || *info.Divergences[0].BackTo != 14 ||
		info.Finished == nil {
		t.Errorf("run.json: %+v, %v", info, err)
	}
	if m := metricsOf(t, dir); len(m) != runEpochs {
		t.Errorf("%d records:\n%s", len(m), strings.Join(m, "\n"))
	}
}

// A run does not go back from its only checkpoint to the start if keep_checkpoints has removed
// earlier ones: that would lose all its progress. From its first checkpoint it does.
func TestFirstCheckpoint(t *testing.T) {
	for keep, want := range map[int][]int{
		0: {14, 14, 0}, 1: {14, 14, 0}, 2: {14, 14, 0},
	} {
		c, dir := divergentRun("ipld"), t.TempDir()
		c.KeepCheckpoints = keep
		if got := failing(t, dir, c, 16); !slices.Equal(got, want) {
			t.Errorf("keep %d, at step 16: back to %v, expected %v", keep, got, want)
		}
		c.Epochs, dir = 5, t.TempDir()
		before := map[int][]int{0: {56, 56, 42}, 1: {56, 56, 56}, 2: {56, 56, 42}}
		if got := failing(t, dir, c, 58); !slices.Equal(got, before[keep]) {
			t.Errorf("keep %d, at step 58: back to %v, expected %v", keep, got, before[keep])
		}
	}
}

// failing trains a run whose state is spoilt each time that it reaches a step, and returns the
// steps of the states that it went back to.
func failing(t *testing.T, dir string, c config.Config, step int) (backs []int) {
	t.Helper()
	var tr *Trainer
	tr, err := New(t.Context(), c, dir, WithHook(Hook{OnStep: func(m record.Progress) {
		if m.Step == step {
			spoil(tr, "decoder/params", float32(math.NaN()))
		}
	}}))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(t.Context()), tr.Close()); !errors.Is(err, ErrDiverged) {
		t.Errorf("%v, expected ErrDiverged", err)
	}
	info, err := run.ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range info.Divergences {
		if d.BackTo != nil {
			backs = append(backs, *d.BackTo)
		}
	}
	return backs
}

// A run that diverges and finds no whole checkpoint still counts as diverged.
func TestNothingToGoBackTo(t *testing.T) {
	dir := t.TempDir()
	var tr *Trainer
	hook := Hook{OnStep: func(m record.Progress) {
		if m.Step != 17 {
			return
		}
		tr.awaitSave()
		state := filepath.Join(tr.saving.storedDir, "state.safetensors")
		text, err := os.ReadFile(state)
		if err == nil {
			text[len(text)-1] ^= 1
			err = os.WriteFile(state, text, 0o666)
		}
		if err != nil {
			t.Error(err)
		}
		spoil(tr, "decoder/params", float32(math.NaN()))
	}}
	tr, err := New(t.Context(), divergentRun("ipld"), dir, WithHook(hook))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(tr.Run(t.Context()), tr.Close())
	if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "going back failed: ") ||
		!strings.Contains(err.Error(), "state.safetensors: damaged") {
		t.Errorf("%v, expected ErrDiverged and the damaged checkpoint", err)
	}
	info, err := run.ReadInfo(dir)
	if err != nil || !info.Diverged || len(info.Divergences) != 1 {
		t.Errorf("run.json: %+v, %v", info, err)
	}
}
