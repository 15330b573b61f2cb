package trainer

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/run"
)

// damage changes a byte of the state, which only reading all of it finds.
func damage(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "state.safetensors")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-9] ^= 0x10
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
}

// A run whose newest checkpoint is damaged goes on only when asked, from the newest whole one, and
// ends in the same bits.
func TestFromOlder(t *testing.T) {
	c := shortRun()
	c.KeepCheckpoints, c.CheckpointEvery = 0, config.EveryEpochs(1)
	want := train(t, c)
	const epoch = runBatches * runRepeats
	for _, from := range []string{FromAuto, "step-000014", "14"} {
		dir := t.TempDir()
		startRun(t, dir, c, 2*epoch+3)
		newest, err := checkpoint.Latest(dir)
		if err != nil {
			t.Fatal(err)
		}
		damage(t, newest)
		damage(t, filepath.Join(filepath.Dir(newest), "step-000028"))
		whole := filepath.Join(filepath.Dir(newest), "step-000014")

		tr, err := Resume(context.Background(), dir, c)
		if err == nil {
			tr.Close()
			t.Fatal("resumed from a damaged checkpoint")
		}
		for _, part := range []string{
			newest, "damaged", "SHA-256", whole, "--from step-000014, or --from auto",
		} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q lacks %q", err, part)
			}
		}

		// Interrupted before its first step, the run has gone back for good.
		var warnings []string
		back := func(o ...Option) (*Trainer, error) {
			o = append(o, From(from), warningsTo(&warnings))
			return Resume(context.Background(), dir, c, o...)
		}
		session(t, back, 0)
		if from == FromAuto {
			hears(t, warnings, newest, "damaged", "going on from step-000014")
		}
		if got, err := checkpoint.Latest(dir); err != nil || got != whole {
			t.Errorf("from %s: the newest checkpoint is %s, %v", from, got, err)
		}
		resumeRun(t, dir, c, -1)
		if !sameRun(t, dir, want) {
			t.Errorf("from %s: another final state, or other records", from)
		}
	}
}

func TestFromRefuses(t *testing.T) {
	c := shortRun()
	dir := t.TempDir()
	startRun(t, dir, c, 3)
	refused := func(from string, want ...string) {
		t.Helper()
		tr, err := Resume(context.Background(), dir, c, From(from))
		if err == nil {
			tr.Close()
			t.Fatalf("resumed from %q", from)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("from %q: error %q lacks %q", from, err, w)
			}
		}
	}
	refused("step-000004", `none called "step-000004"`, "step-000003")
	newest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := run.StateOf(dir); err != nil || state != run.Saved {
		t.Errorf("an unfinished run counts as %v, %v", state, err)
	}
	damage(t, newest)
	refused("", "damaged", "the run has no whole checkpoint")
	refused(FromAuto, "damaged", "the run has no whole checkpoint")
	refused("3", "damaged")
	if err := os.RemoveAll(newest); err != nil {
		t.Fatal(err)
	}
	refused("", "none found")
	refused(FromAuto, "none found")
}

// A run that goes back to the checkpoint that it has just saved still counts the cost of the steps
// that it repeats, and ends in the same state.
func TestGoBackKeepsTheCost(t *testing.T) {
	c := shortRun()
	want := train(t, c)
	dir := t.TempDir()
	tr, err := New(context.Background(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	tr.spent.start = time.Now() // as Run does
	if err := tr.epoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	tr.awaitSave()
	seconds, evaluations := tr.spent.stepSeconds, tr.spent.evaluations
	good := checkpoint.Found{Dir: tr.saving.storedDir, Step: tr.saving.storedStep}
	if err := tr.goBack(good); err != nil {
		t.Fatal(err)
	}
	if seconds == 0 || evaluations == 0 ||
		tr.spent.stepSeconds != seconds || tr.spent.evaluations != evaluations {
		t.Errorf("%v s and %v evaluations, expected %v and %v",
			tr.spent.stepSeconds, tr.spent.evaluations, seconds, evaluations)
	}
	if tr.step != runBatches*runRepeats || tr.next != (place{epoch: 1}) {
		t.Errorf("back at step %d, %+v", tr.step, tr.next)
	}
	if err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !sameRun(t, dir, want) {
		t.Error("another final state, or other records")
	}
}
