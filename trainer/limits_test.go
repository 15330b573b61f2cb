package trainer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// limitedSession runs one session, which must end at a limit, and returns its summary.
func limitedSession(t *testing.T, prepare func(...Option) (*Trainer, error), l Limits) (s Summary) {
	t.Helper()
	tr, err := prepare(Limited(l), WithHook(Hook{OnEnd: func(end Summary) { s = end }}))
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(t.Context()); !errors.Is(err, ErrLimit) {
		t.Errorf("limits %+v: Run returned %v", l, err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// A run that ends at limits and goes on equals one that had none: the reports at the limits,
// within an epoch and at its end, leave no trace in the state or the records.
func TestLimitsChangeNothing(t *testing.T) {
	c := smallRun()
	want := train(t, c)
	const epoch = runBatches * runRepeats
	dir := t.TempDir()
	for i, l := range []Limits{
		{Steps: 3}, {Steps: 3}, {Steps: epoch}, {Steps: 2*epoch + 5}, {Until: time.Now()},
	} {
		s := limitedSession(t, func(o ...Option) (*Trainer, error) {
			if i == 0 {
				return New(context.Background(), c, dir, o...)
			}
			return Resume(context.Background(), dir, c, o...)
		}, l)
		steps := l.Steps
		if steps == 0 {
			steps = 2*epoch + 6 // the one step that a session always takes
		}
		if s.Steps != steps || s.Final.Step != steps || s.Final.PCA64FD == nil || s.Ended == "" {
			t.Errorf("limits %+v: the summary is %+v", l, s)
		}
		if _, err := os.Stat(s.SamplePath); err != nil {
			t.Errorf("limits %+v: %v", l, err)
		}
		info, err := run.ReadInfo(dir)
		if err != nil || info.Finished != nil || info.Ended != s.Ended {
			t.Errorf("limits %+v: run.json has %+v, %v", l, info, err)
		}
		if state, err := run.StateOf(dir); state != run.Saved || err != nil {
			t.Errorf("limits %+v: the run is %v, %v", l, state, err)
		}
	}
	resumeRun(t, dir, c, -1)
	if !sameRun(t, dir, want) {
		t.Error("the limits changed the run")
	}
	if info, err := run.ReadInfo(dir); err != nil || info.Finished == nil || info.Ended != "" {
		t.Errorf("run.json of the whole run has %+v, %v", info, err)
	}
}

// A signal during the report at a limit ends the session at once; its state is saved.
func TestLimitInterrupted(t *testing.T) {
	c, dir := smallRun(), t.TempDir()
	tr, err := New(context.Background(), c, dir, Limited(Limits{Steps: 5}))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	ctx, cancel := context.WithCancel(t.Context())
	tr.hooks = append(tr.hooks, Hook{OnStep: func(p record.Progress) {
		if p.Step == 5 {
			cancel()
		}
	}})
	for tr.step < 5 {
		if err := tr.oneStep(); err != nil {
			t.Fatal(err)
		}
		tr.next.repeat++
		if tr.next.repeat == c.BatchRepeats {
			tr.next.batch, tr.next.repeat = tr.next.batch+1, 0
		}
	}
	if err := tr.endAtLimit(ctx, &limitError{"test"}); !errors.Is(err, ErrInterrupted) {
		t.Errorf("the report returned %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "checkpoints", "step-000005")); err != nil {
		t.Error(err)
	}
}

// The time that is left ends at the nearest of the last step, the last by the limit, and the time.
func TestLimitsLeft(t *testing.T) {
	c := smallRun()
	tr, err := New(context.Background(), c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for want, l := range map[string]Limits{
		"7m0s": {}, "3m0s": {Steps: 18}, "7m0s ": {Steps: 1000, Until: time.Now().Add(time.Hour)},
		"2m0s": {Steps: 18, Until: time.Now().Add(2 * time.Minute)}, "0s": {Until: time.Now()},
	} {
		tr.limits = l
		if got := tr.left(10).Round(10 * time.Second).String(); got != strings.TrimSpace(want) {
			t.Errorf("%+v: %s are left, expected %s", l, got, want)
		}
	}
}
