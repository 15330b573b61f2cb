package compare

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
)

func TestBudget(t *testing.T) {
	for _, b := range []Budget{
		{}, {Seconds: 1, Epochs: 1}, {Seconds: -1}, {Evaluations: math.NaN()},
		{Seconds: math.Inf(1)}, {Seconds: -1, Epochs: 1},
	} {
		if b.validate() == nil {
			t.Errorf("%+v: no error", b)
		}
	}
	for want, b := range map[string]Budget{
		"3m0s of training": {Seconds: 180}, "12.5M network evaluations": {Evaluations: 12.5e6},
		"7 epochs": {Epochs: 7},
	} {
		if got := b.String(); b.validate() != nil || got != want {
			t.Errorf("%v: %q, expected %q", b.validate(), got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", 7: "7.00", 999.6: "1000", 1000: "1.00k", 32.44e6: "32.4M", 324.4e6: "324M",
		5e9: "5.00G",
	} {
		if got := count(v); got != want {
			t.Errorf("%v: %s, expected %s", v, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		budget, once, epoch float64
		epochs              int
		fits                bool
	}{
		{180, 0, 2, 90, true},
		{180, 0, 1.99, 90, true},
		{180, 0, 2.01, 89, true},
		{0.3, 0, 0.1, 3, true}, // 0.3/0.1 is below 3 in binary
		{180, 3, 2, 88, true},
		{1, 0, 2, 1, false},
		{1, 5, 0.1, 1, false},
		{1e300, 0, 1e-300, math.MaxInt32, true},
	} {
		if epochs, fits := fit(c.budget, c.once, c.epoch); epochs != c.epochs || fits != c.fits {
			t.Errorf("%+v: %d, %v", c, epochs, fits)
		}
	}
}

// A method with two stages: 0.6 of its training costs 2 seconds and 30 evaluations per epoch, 0.4
// costs 1 and 10, and the change of stages once 6 seconds and 5 evaluations.
func TestPlanOfTwoStages(t *testing.T) {
	cal := Calibration{Share: 0.4, Seconds: Cost{2, 1, 6}, Evaluations: Cost{30, 10, 5}, Steps: 7}
	cfg := method.Default()
	o := Options{Seeds: []uint64{4}}

	o.Budget = Budget{Seconds: 54} // 48 seconds at 1.6
	p := o.planFor(Contestant{Name: "x"}, cfg, cal)
	if p.Epochs != 30 || p.Steps != 210 || math.Abs(p.Seconds-54) > 1e-9 ||
		p.Evaluations != 5+30*22 || !p.Fits {
		t.Errorf("seconds: %+v", p)
	}
	o.Budget = Budget{Evaluations: 5 + 22*11.99}
	if p = o.planFor(Contestant{Name: "x"}, cfg, cal); p.Epochs != 11 || p.Evaluations != 5+22*11 {
		t.Errorf("evaluations: %+v", p)
	}
	o.Budget = Budget{Epochs: 3}
	if p = o.planFor(Contestant{Name: "x"}, cfg, cal); p.Epochs != 3 ||
		math.Abs(p.Seconds-10.8) > 1e-9 {
		t.Errorf("epochs: %+v", p)
	}
}

// A run of any length has about curvePoints reports and savedPoints checkpoints.
func TestReportsPerRun(t *testing.T) {
	for _, epochs := range []int{1, 5, 7, 8, 50, 90, 113, 1000} {
		c := forRun(method.Default(), epochs, 1)
		if n := (epochs + c.EvalEvery - 1) / c.EvalEvery; n > curvePoints || n < min(epochs, 4) {
			t.Errorf("%d epochs: %d reports", epochs, n)
		}
		n := (epochs + c.CheckpointEvery.Epochs - 1) / c.CheckpointEvery.Epochs
		if n > savedPoints || n < min(epochs, savedPoints/2) {
			t.Errorf("%d epochs: %d checkpoints", epochs, n)
		}
	}
}

// fakeMethod advances a fake clock: by early or late in each step, by once in the first late one.
type fakeMethod struct {
	method.Method
	now               *time.Time
	early, late, once time.Duration
	disturbed         int // each step with a multiple of this number takes ten times as long
	steps             int
	frozen            bool
}

func (f *fakeMethod) Step(b method.Minibatch) (method.Stats, error) {
	f.steps++
	took, n := f.early, 2.0
	var extra float64
	if b.Progress > 0.9 {
		took, n = f.late, 1
		if !f.frozen {
			took, extra, f.frozen = took+f.once, 100, true
		}
	}
	if f.disturbed > 0 && f.steps%f.disturbed == 0 {
		took *= 10
	}
	*f.now = f.now.Add(took)
	return method.Stats{Evaluations: n*float64(len(b.Index)) + extra}, nil
}

// fakeCalibrator returns a calibrator with 180 digits and a fake clock, and a function that makes
// probes for it.
func fakeCalibrator(t *testing.T) (*calibrator, func(f fakeMethod, progress float64) *probe) {
	t.Helper()
	all, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	train, _, err := data.Split(all, 0.9, 1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	newProbe := func(f fakeMethod, progress float64) *probe {
		f.now = &now
		return &probe{
			points: train.Len(),
			method: &f, batches: data.NewBatches(train.Len(), 50, 1), repeats: 3,
			progress: progress,
		}
	}
	return &calibrator{train: train, clock: func() time.Time { return now }}, newProbe
}

func TestProbe(t *testing.T) {
	b, newProbe := fakeCalibrator(t)
	fake := func(progress float64, disturbed int) *probe {
		return newProbe(fakeMethod{
			early: 30 * time.Millisecond, late: 10 * time.Millisecond, once: time.Second,
			disturbed: disturbed,
		}, progress)
	}
	run := func(p *probe, rounds int) *probe {
		for range rounds {
			if err := b.round(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s %v, expected %v", what, got, want)
		}
	}
	// Every seventh step is disturbed, in 3 of 8 rounds.
	early, second := run(fake(0, 7), minRounds), run(fake(late, 7), minRounds)
	near("early seconds", early.seconds(), 4*3*0.030)
	near("early evaluations", early.evaluated(), 180*3*2)
	near("late seconds", second.seconds(), 4*3*0.010)
	near("late evaluations", second.evaluated(), 180*3)
	near("once, seconds", second.onceSeconds(), 1)
	near("once, evaluations", second.onceEvaluations(), 100)
	near("seconds after the first round", run(fake(late, 0), 2).seconds(), 4*3*0.010)
	near("once, early", early.onceEvaluations()+1, 1)
}

// Rounds fill the time, within minRounds and maxRounds: the two probes of a round take six steps
// each.
func TestRounds(t *testing.T) {
	for step, want := range map[time.Duration]int{
		time.Second:            minRounds,
		100 * time.Millisecond: 17,
		time.Millisecond:       maxRounds,
	} {
		b, newProbe := fakeCalibrator(t)
		first := newProbe(fakeMethod{early: step}, 0)
		second := newProbe(fakeMethod{late: step}, late)
		err := b.rounds(t.Context(), [][2]*probe{{first, second}})
		if err != nil || first.number != 2*want || second.number != 2*want {
			t.Errorf("steps of %v: %v, %d and %d minibatches, expected %d",
				step, err, first.number, second.number, 2*want)
		}
	}
	b, newProbe := fakeCalibrator(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := newProbe(fakeMethod{early: time.Second}, 0)
	if err := b.rounds(ctx, [][2]*probe{{p, p}}); !errors.Is(err, context.Canceled) ||
		p.number > 0 {
		t.Errorf("interrupted: %v after %d rounds", err, p.number)
	}
}

// low is the lower quartile; between two values, the larger.
func TestLow(t *testing.T) {
	for _, c := range []struct {
		times []float64
		want  float64
	}{
		{[]float64{3}, 3},
		{[]float64{2, 1}, 2},
		{[]float64{5, 4, 3, 2, 1}, 2},
		{[]float64{9, 1, 8, 2, 7, 3, 100}, 3},
	} {
		if got := low(c.times); got != c.want {
			t.Errorf("%v: %v, expected %v", c.times, got, c.want)
		}
	}
}
