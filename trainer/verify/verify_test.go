package verify

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/method"
)

// TestVerdicts: each kind of check passes what it should, and fails what is wrong or not a number.
func TestVerdicts(t *testing.T) {
	l := &lab{report: &Report{}, experiment: experiment{section: "8.9"}}
	x, y, se := []float64{1, 2, 4}, []float64{3, 12, 48}, []float64{0.03, 0.12, 0.48}
	for _, c := range []struct {
		ok    bool
		check func()
	}{
		{true, func() { l.estimate("", 1, 1.46, 0.1, 0) }},
		{false, func() { l.estimate("", 1, 1.48, 0.1, 0) }},
		{true, func() { l.estimate("", 1, 0.48, 0.1, 0.06) }},
		{false, func() { l.estimate("", 1, math.NaN(), 0.1, 0) }},
		{false, func() { l.estimate("", 1, 1, math.NaN(), 0) }},
		{false, func() { l.estimate("", 1, math.Inf(1), 0.1, 0) }},
		{true, func() { l.atMost("", 1, 1) }},
		{false, func() { l.atMost("", 1.01, 1) }},
		{true, func() { l.between("", 1, 0, 2) }},
		{false, func() { l.between("", -0.1, 0, 2) }},
		{true, func() { l.slope("", 2, x, y, se, 0) }},
		{false, func() { l.slope("", 1.9, x, y, se, 0) }},
		{true, func() { l.slope("", 1.9, x, y, se, 0.1) }},
		{true, func() { l.factor("", 2, []float64{0, 1, 2}, []float64{3, 6, 12}, se, 0) }},
		{false, func() { l.factor("", 4, []float64{0, 1, 2}, []float64{3, 6, 12}, se, 0) }},
		{true, func() { l.bracket("", 1, 0.99, 1.02) }},
		{false, func() { l.bracket("", 1, 1.01, 1.02) }},
		{false, func() { l.bracket("", 1, 0.9, 0.99) }},
		{false, func() { l.bracket("", 1, 1.02, 0.99) }},
		{false, func() { l.bracket("", 1, 0, math.Inf(1)) }},
	} {
		c.check()
		last := l.report.Checks[len(l.report.Checks)-1]
		if (last.Verdict == OK) != c.ok || last.Section != "8.9" {
			t.Errorf("%+v: expected ok %v", last, c.ok)
		}
	}
	if failed := len(l.report.Failed()); failed != 12 {
		t.Errorf("%d checks failed", failed)
	}
}

// TestDiverged: a training that diverged is a failed check, other errors are errors.
func TestDiverged(t *testing.T) {
	for _, c := range []struct {
		err    error
		failed int
	}{{method.ErrDiverged, 1}, {context.Canceled, 0}} {
		r := &Report{}
		l := &lab{report: r, experiment: experiment{"8.9", "a", func(*lab) error { return c.err }}}
		if err := l.perform(); (err == nil) != (c.failed == 1) || len(r.Failed()) != c.failed {
			t.Errorf("%v: %v, %d failed checks", c.err, err, len(r.Failed()))
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	}
}

// TestRun: an experiment passes, with the same numbers at any number of threads; with others, its own seeds;
// and it hears the end of its context.
func TestRun(t *testing.T) {
	run := func(threads int, seed uint64) string {
		var progress []string
		r, err := Run(context.Background(), Options{
			Seed: seed, Threads: threads, Only: []string{"inner steps"}, Progress: func(s string) { progress = append(progress, s) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if failed := r.Failed(); len(failed) > 0 || len(r.Checks) != 24 {
			t.Errorf("%d checks, failed: %+v", len(r.Checks), failed)
		}
		if !slices.Equal(progress, []string{"8.1 pgd: minibatches and inner steps"}) {
			t.Errorf("progress %q", progress)
		}
		text, err := json.Marshal(r.Checks)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	one := run(1, 1)
	if one != run(3, 1) {
		t.Error("another number of threads changes the numbers")
	}
	if one == run(2, 2) {
		t.Error("another seed does not change the numbers")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := Run(ctx, Options{}); !errors.Is(err, context.Canceled) || r != nil {
		t.Errorf("cancelled: %v, %v", r, err)
	}
}

// TestChoice: by section and by words, in order; what chooses nothing is an error that lists the experiments.
func TestChoice(t *testing.T) {
	titles := Titles()
	for i, title := range titles {
		if slices.Index(titles, title) != i {
			t.Errorf("two experiments are %q", title)
		}
		if strings.Contains(title, ",") {
			t.Errorf("--only takes %q for several words", title)
		}
	}
	chosen, err := choose([]string{"limit of stability", "the law of theta"})
	if err != nil || len(chosen) != 2 || chosen[0].title != "pgd: the law of theta after k steps" {
		t.Errorf("%v, %v", chosen, err)
	}
	for _, title := range []string{experiments[0].title, experiments[len(experiments)-1].title} {
		if chosen, err := choose([]string{title}); err != nil || len(chosen) != 1 || chosen[0].title != title {
			t.Errorf("%q: %v, %v", title, chosen, err)
		}
	}
	sections := 0
	for _, s := range []string{"8.1", "8.2", "8.3", "8.4"} {
		chosen, err := choose([]string{s})
		if err != nil {
			t.Error(err)
		}
		sections += len(chosen)
	}
	if sections != len(titles) {
		t.Errorf("%d experiments in the sections, %d in all", sections, len(titles))
	}
	for _, word := range []string{"", "8", "nothing"} {
		if _, err := choose([]string{"8.1", word}); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), titles[0]) {
			t.Errorf("%q: %v", word, err)
		}
	}
}

// TestTable: columns in line, bounds in the place of exact numbers, nothing after the last word.
func TestTable(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	r := &Report{Seed: 3, Seconds: 1.25, Checks: []Check{
		{"8.1", "Var theta", 0.25, 0.2512345, 0.0012, 0.2, 0.3, OK, ""},
		{"8.1", "order in h", -0.5, -1, 0, -0.6, -0.4, Fail, "95 % interval"},
		{"8.2", "distance", nan, 0.5, 0, -inf, 1, OK, ""},
		{"8.2", "ratio", nan, 0.5, 0, 0, 1, OK, ""},
	}}
	var out strings.Builder
	if err := WriteTable(&out, r); err != nil {
		t.Fatal(err)
	}
	const want = `8.1           exact   measured  std. error  verdict
  Var theta   0.25    0.25123   1.2e-03     ok
  order in h  -0.5    -1        -           FAIL     95 % interval
8.2           exact   measured  std. error  verdict
  distance    <= 1    0.5       -           ok
  ratio       0 to 1  0.5       -           ok

1 of 4 checks FAILED in 1.2 s (seed 3)
`
	if out.String() != want {
		t.Errorf("%s\nexpected\n%s", out.String(), want)
	}
}

// TestReportJSON: bounds that are not there are null.
func TestReportJSON(t *testing.T) {
	text, err := json.Marshal(Check{Section: "8.1", Quantity: "q", Exact: math.NaN(), Measured: 2, Low: math.Inf(-1), High: 3, Verdict: OK})
	const want = `{"section":"8.1","quantity":"q","exact":null,"measured":2,"standard_error":0,"low":null,"high":3,"verdict":"ok"}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}
