package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/record"
)

// beat is the time between signs of life in tests.
const beat = 20 * time.Millisecond

// teamRun is a run that up to eight ranks can share.
func teamRun() config.Config {
	c := smallRun()
	c.Lanes = 8
	return c
}

// withTeam calls lead on the first of n ranks, while the others follow it, and ends them with code
// 7. It returns the errors of the others, who must get that code if they have none.
func withTeam(t *testing.T, n int, lead func(team *Team)) (errs []error) {
	t.Helper()
	errs = make([]error, n)
	ranks := comm.Local(n)
	var wait sync.WaitGroup
	for rank := 1; rank < n; rank++ {
		wait.Go(func() {
			code, err := Follow(t.Context(), ranks[rank], beat)
			if errs[rank] = err; err == nil && code != 7 {
				errs[rank] = fmt.Errorf("exit code %d", code)
			}
		})
	}
	team := Lead(ranks[0], beat)
	lead(team)
	if err := team.Dismiss(7); err != nil {
		errs[0] = err
	}
	wait.Wait()
	return errs
}

// teamSession trains the run in dir for one session on n ranks (see session).
func teamSession(t *testing.T, dir string, c config.Config, n, stop int, resume bool) {
	t.Helper()
	errs := withTeam(t, n, func(team *Team) {
		session(t, func(o ...Option) (*Trainer, error) {
			o = append(o, WithTeam(team))
			if resume {
				return Resume(context.Background(), dir, c, o...)
			}
			return New(context.Background(), c, dir, o...)
		}, stop)
	})
	if err := errors.Join(errs...); err != nil {
		t.Errorf("%d ranks: %v", n, err)
	}
}

// wholeState is the arrays of the newest checkpoint, however many ranks have saved it.
func wholeState(t *testing.T, dir string) map[string]any {
	t.Helper()
	latest, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := checkpoint.OpenState(latest)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]any{}
	for _, e := range f.Entries() {
		x := checkpoint.Tensor{Name: e.Name}
		n := 1
		for _, side := range e.Shape {
			x.Shape = append(x.Shape, int(side))
			n *= int(side)
		}
		switch e.Dtype {
		case "F32":
			x.F32 = make([]float32, n)
		case "U32":
			x.U32 = make([]uint32, n)
		default:
			x.F64 = make([]float64, n)
		}
		if err := f.Read([]checkpoint.Tensor{x}); err != nil {
			t.Fatal(err)
		}
		all[e.Name] = fmt.Sprintf("%x %x %x", x.F32, x.U32, x.F64)
	}
	return all
}

// sameTraining checks that two runs have the same final state and the same records.
func sameTraining(t *testing.T, what, got, want string) {
	t.Helper()
	a, b := wholeState(t, got), wholeState(t, want)
	if len(a) != len(b) {
		t.Errorf("%s: %d arrays, want %d", what, len(a), len(b))
	}
	for name, x := range b {
		if a[name] != x {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	if x, y := metricsOf(t, got), metricsOf(t, want); !slices.Equal(x, y) {
		t.Errorf("%s: records\n%v\nwant\n%v", what, x, y)
	}
}

// A run on several ranks is that on one, to the bit, and goes on with any number of them.
func TestTeam(t *testing.T) {
	c := teamRun()
	want := train(t, c)
	for _, n := range []int{2, 8} {
		dir := t.TempDir()
		teamSession(t, dir, c, n, -1, false)
		sameTraining(t, fmt.Sprintf("%d ranks", n), dir, want)
	}
	dir := t.TempDir()
	teamSession(t, dir, c, 4, 9, false)
	teamSession(t, dir, c, 2, 17, true)
	resumeRun(t, dir, c, 25)
	teamSession(t, dir, c, 8, -1, true)
	sameTraining(t, "4, 2, 1 and 8 ranks", dir, want)
}

// The same of a method with an encoder, which has no particles, and of one in two stages.
func TestTeamOfMethods(t *testing.T) {
	for _, name := range []config.Method{config.VAEDiffusion, config.TwoStage} {
		c := teamRun()
		c.Method, c.Particles, c.BatchRepeats, c.PriorWarmup = name, 1, 1, 0
		c.CatchUp, c.ScaleAnchor = 0, 0
		want := train(t, c)
		dir := t.TempDir()
		teamSession(t, dir, c, 4, 11, false)
		teamSession(t, dir, c, 2, -1, true)
		sameTraining(t, string(name), dir, want)
	}
}

// Lanes that the ranks cannot share are refused, and the others end.
func TestTeamRefuses(t *testing.T) {
	c := teamRun()
	for _, err := range withTeam(t, 3, func(team *Team) {
		_, err := New(t.Context(), c, t.TempDir(), WithTeam(team))
		if err == nil || !strings.Contains(err.Error(), "lanes = 8 on 3 ranks") {
			t.Errorf("error %v", err)
		}
	}) {
		if err != nil {
			t.Error(err)
		}
	}
}

// A signal to any rank saves the run and ends it, as one to the first does.
func TestTeamStops(t *testing.T) {
	c, dir := teamRun(), t.TempDir()
	want := train(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	follower, signal := context.WithCancel(t.Context())
	defer signal()
	ranks := comm.Local(2)
	done := make(chan error, 1)
	go func() {
		code, err := Follow(follower, ranks[1], beat)
		if err == nil && code != 143 {
			err = fmt.Errorf("exit code %d", code)
		}
		done <- err
	}()
	team := Lead(ranks[0], beat)
	team.OnStop(cancel)
	tr, err := New(t.Context(), c, dir, WithTeam(team), WithHook(Hook{
		OnStep: func(p record.Progress) {
			if p.Step == 10 {
				signal()
			}
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(ctx)); !errors.Is(err, ErrInterrupted) {
		t.Errorf("Run returned %v", err)
	}
	if err := errors.Join(tr.Close(), team.Dismiss(143), <-done); err != nil {
		t.Error(err)
	}
	resumeRun(t, dir, c, -1)
	sameTraining(t, "stopped by the second rank", dir, want)
}

// A rank that ends ends the training of all, with an error that says so.
func TestTeamLosesARank(t *testing.T) {
	ranks := comm.Local(2)
	done := make(chan error, 1)
	go func() {
		_, err := Follow(t.Context(), ranks[1], beat)
		done <- err
	}()
	team := Lead(ranks[0], beat)
	tr, err := New(t.Context(), teamRun(), t.TempDir(), WithTeam(team), WithHook(Hook{
		OnStep: func(p record.Progress) {
			if p.Step == 5 {
				ranks[1].Abort(9)
			}
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	gone := (*comm.Aborted)(nil)
	if err := tr.Run(t.Context()); !errors.As(err, &gone) || gone.Code != 9 {
		t.Errorf("Run returned %v", err)
	}
	_ = tr.Close()
	if err := team.Dismiss(1); err == nil {
		t.Error("the ranks ended together")
	}
	if err := <-done; !errors.As(err, &gone) {
		t.Errorf("Follow returned %v", err)
	}
}

// Ranks go back together after a divergence: to a checkpoint, and to the start.
func TestTeamRetries(t *testing.T) {
	c := divergentRun(config.IPLD)
	c.Lanes = 8
	poison := func(team *Team) *poisonedRun {
		return &poisonedRun{
			value: float32(math.NaN()), team: team,
			poison: map[int]string{3: "decoder/params", 17: "prior/params", 35: "decoder/params"},
		}
	}
	want := t.TempDir()
	if err := poison(nil).run(t, c, want, false); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := errors.Join(withTeam(t, 4, func(team *Team) {
		if err := poison(team).run(t, c, dir, false); err != nil {
			t.Error(err)
		}
	})...); err != nil {
		t.Error(err)
	}
	sameTraining(t, "4 ranks", dir, want)
}

// heard is a rank that tells of each broadcast that it has got.
type heard struct {
	comm.Comm
	signs chan struct{}
}

// Broadcast implements comm.Comm.
func (h heard) Broadcast(x []byte, root int) ([]byte, error) {
	got, err := h.Comm.Broadcast(x, root)
	select {
	case h.signs <- struct{}{}:
	default:
	}
	return got, err
}

// The others hear that the first rank is alive while it does something else.
func TestTeamWaits(t *testing.T) {
	ranks := comm.Local(2)
	done, signs := make(chan error, 1), make(chan struct{})
	go func() {
		_, err := Follow(t.Context(), heard{ranks[1], signs}, beat)
		done <- err
	}()
	team := Lead(ranks[0], beat)
	for range 3 {
		<-signs
	}
	if err := errors.Join(team.Dismiss(0), <-done); err != nil {
		t.Error(err)
	}
}

// A forecast of one of several ranks has less memory for particles than that of a single one.
func TestForecastOfARank(t *testing.T) {
	c := teamRun()
	c.Particles = 50
	bytes := func(opts ...Option) int64 {
		f, err := DryRun(t.Context(), c, t.TempDir(), opts...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Memory.Parts {
			if p.Name == "particles" {
				return p.Bytes
			}
		}
		return 0
	}
	alone, one := bytes(), bytes(OneOf(4))
	if one < alone/5 || one > alone/3 { // a quarter, and parts of minibatches are rounded
		t.Errorf("particles of %d bytes on one of 4 ranks, of %d on a single one", one, alone)
	}
	if _, err := DryRun(t.Context(), c, t.TempDir(), OneOf(3)); err == nil {
		t.Error("8 lanes on 3 ranks: no error")
	}
}
