package verify

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// TestRun: an experiment passes, with the same numbers at any number of threads and with others for
// another seed, and it ends with its context.
func TestRun(t *testing.T) {
	run := func(threads int, seed uint64) string {
		var progress []string
		r, err := Run(context.Background(), Options{
			Seed: seed, Threads: threads, Only: []string{"inner steps"},
			Progress: func(s string) { progress = append(progress, s) },
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

// TestChoice: experiments are chosen by section and by words, in order; a word that matches none
// is an error that lists the experiments.
func TestChoice(t *testing.T) {
	titles := Titles()
	for i, title := range titles {
		if slices.Index(titles, title) != i {
			t.Errorf("two experiments are %q", title)
		}
		if strings.Contains(title, ",") {
			t.Errorf("--only would split %q", title)
		}
	}
	chosen, err := choose([]string{"limit of stability", "the law of theta"})
	if err != nil || len(chosen) != 2 || chosen[0].Title != "pgd: the law of theta after k steps" {
		t.Errorf("%v, %v", chosen, err)
	}
	for _, title := range []string{experiments[0].Title, experiments[len(experiments)-1].Title} {
		chosen, err := choose([]string{title})
		if err != nil || len(chosen) != 1 || chosen[0].Title != title {
			t.Errorf("%q: %v, %v", title, chosen, err)
		}
	}
	sections := 0
	for _, s := range []string{"8.1", "8.2", "8.3", "8.4", "8.5"} {
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
		_, err := choose([]string{"8.1", word})
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), titles[0]) {
			t.Errorf("%q: %v", word, err)
		}
	}
}

// TestTable: columns are aligned, bounds stand where there is no exact number, and no line ends in
// spaces.
func TestTable(t *testing.T) {
	check := func(
		section, quantity string, exact, measured, se, low, high record.Number,
	) lab.Check {
		return lab.Check{
			Section: section, Quantity: quantity, Exact: exact, Measured: measured, SE: se,
			Low: low, High: high, Verdict: lab.OK,
		}
	}
	inf, nan := record.Number(math.Inf(1)), record.Number(math.NaN())
	r := &Report{Seed: 3, Seconds: 1.25, Checks: []lab.Check{
		check("8.1", "Var theta", 0.25, 0.2512345, 0.0012, 0.2, 0.3),
		check("8.1", "order in h", -0.5, -1, 0, -0.6, -0.4),
		check("8.2", "distance", nan, 0.5, 0, -inf, 1),
		check("8.2", "ratio", nan, 0.5, 0, 0, 1),
	}}
	r.Checks[1].Verdict, r.Checks[1].Note = lab.Fail, "95 % interval"
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

// TestQuickExperiments: those experiments of section 8.2 that take about a second pass.
// (TestMutations sees experiments fail.)
func TestQuickExperiments(t *testing.T) {
	only := []string{
		"gradient of the bound", "cut-offs", "posterior at every move", "learned W against",
	}
	r, err := Run(t.Context(), Options{Seed: 1, Only: only})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Checks) != 35 {
		t.Errorf("%d checks, expected 35", len(r.Checks))
	}
	for _, c := range r.Failed() {
		t.Errorf("%s: %v, accepted from %v to %v", c.Quantity, c.Measured, c.Low, c.High)
	}
}
