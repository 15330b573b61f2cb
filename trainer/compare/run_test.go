package compare

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is a comparison of ipld and pgd on 180 digits that takes a moment; its evaluation is a
// fake that counts its calls by run.
func small(t *testing.T, dir string, calls map[string]int) Options {
	t.Helper()
	contestants, err := Parse("ipld,pgd:lr=0.004")
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Dir: dir, Contestants: contestants, Budget: Budget{Epochs: 3}, Seeds: []uint64{3, 4},
		Metrics: []string{evaluate.PCA},
		Base: func(name config.Method) (config.Config, error) {
			c, err := method.DefaultFor(name)
			c.Data, c.Holdout, c.Batch, c.Tile, c.Threads = "digits", 0.9, 60, 8, 1
			c.Latent, c.DecoderWidths = 4, []int{16}
			c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 16, 1, 8
			c.BatchRepeats, c.Solver, c.SolverSteps, c.EvalSamples = 2, "dpm++2m", 3, 50
			return c, err
		},
		evaluate: func(
			_ context.Context, runDir string, o evaluate.Options,
		) (*evaluate.Report, error) {
			calls[filepath.Base(runDir)]++
			return &evaluate.Report{Metrics: []evaluate.Metric{
				{
					Key: "quality", Name: "quality", Group: evaluate.PCA, Better: evaluate.Higher,
					Value: record.Number(o.Seed), Low: nan, High: nan, Floor: nan,
				},
			}}, nil
		},
	}
}

var smallRuns = []string{"ipld-s3", "pgd,lr=0.004-s3", "ipld-s4", "pgd,lr=0.004-s4"}

// state is the newest checkpoint of a run, as bytes.
func state(t *testing.T, dir, run string) string {
	t.Helper()
	newest, err := checkpoint.Latest(filepath.Join(dir, runsDir, run))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(newest, "state.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRun(t *testing.T) {
	dir, calls := t.TempDir(), map[string]int{}
	r, err := Run(t.Context(), small(t, dir, calls))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range smallRuns {
		run := r.Runs[i]
		if filepath.Base(run.Dir) != name || !run.Done || run.Epochs != 3 || calls[name] != 1 {
			t.Errorf("run %d: %+v, evaluated %d times", i, run, calls[name])
		}
		// 180 datapoints, 2 repeats, 3 epochs; two networks for ipld, one for pgd.
		want := float64(180 * 2 * 3 * (2 - i%2))
		got, planned := run.Values[keyEvaluations], r.Plan.Contestants[i%2].Evaluations
		if float64(got) != want || planned != want {
			t.Errorf("%s: %v evaluations, planned %v, expected %v", name, got, planned, want)
		}
		if len(run.Curve) != 3 || run.Values[keySteps] != 3*2*3 || !(run.Values[keySeconds] > 0) {
			t.Errorf("%s: %d reports, %v", name, len(run.Curve), run.Values)
		}
	}
	for _, row := range r.Rows {
		if c := row.Cells[len(row.Cells)-1]; c.Mean != 3.5 ||
			math.Abs(float64(c.SD)-math.Sqrt(0.5)) > 1e-15 || c.N != 2 {
			t.Errorf("%s: quality %+v", row.Name, c)
		}
	}
	text := r.Markdown()
	if !strings.Contains(text, "| lr ") || strings.Contains(text, "| method ") {
		t.Errorf("keys that differ:\n%s", text)
	}
	for _, name := range []string{
		"plan.json", "table.md", "table.csv", "results.json",
		"quality-seconds.svg", "quality-evaluations.svg",
	} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"quality-seconds.png", "quality-evaluations.png", SamplesFile} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if picture, err := png.Decode(f); err != nil || picture.Bounds().Dx() < 600 {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
}

// A run that diverges, in training or in its samples, is part of the result, also when the
// comparison is resumed.
func TestDivergence(t *testing.T) {
	dir, calls := t.TempDir(), map[string]int{}
	o := small(t, dir, calls)
	more, err := Parse("pgd:optimizer=sgd:lr=1e30")
	if err != nil {
		t.Fatal(err)
	}
	o.Contestants, o.Seeds = append(o.Contestants, more...), o.Seeds[:1]
	inner := o.evaluate
	o.evaluate = func(
		ctx context.Context, runDir string, options evaluate.Options,
	) (*evaluate.Report, error) {
		if r, err := inner(ctx, runDir, options); !strings.Contains(runDir, "ipld") {
			return r, err
		}
		return nil, fmt.Errorf("images: %w", trainer.ErrDiverged)
	}
	var warnings []string
	o.Warn = func(text string) { warnings = append(warnings, text) }
	for range 2 {
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{true, false, true} {
			if r.Runs[i].Diverged != want || r.Runs[i].Done == want {
				t.Errorf("%s: %+v", r.Rows[i].Name, r.Runs[i])
			}
		}
		if text := r.Markdown(); strings.Count(text, "diverged after") != 2 ||
			!strings.Contains(text, "0 of 1, 1 diverged") {
			t.Error(text)
		}
	}
	if calls[smallRuns[0]] != 1 {
		t.Errorf("the run whose images diverged was evaluated %d times", calls[smallRuns[0]])
	}
	if !slices.ContainsFunc(warnings, func(w string) bool {
		return strings.Contains(w, "sgd") && strings.Contains(w, "diverged")
	}) {
		t.Errorf("warnings %q", warnings)
	}
}

// An error other than a divergence ends the comparison.
func TestFailure(t *testing.T) {
	o := small(t, t.TempDir(), map[string]int{})
	broken := errors.New("the disk is full")
	o.evaluate = func(context.Context, string, evaluate.Options) (*evaluate.Report, error) {
		return nil, broken
	}
	_, err := Run(t.Context(), o)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "ipld, seed 3") {
		t.Errorf("%v", err)
	}
}

// Runs at the same time have the bits of runs one after another.
func TestJobs(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	for dir, jobs := range map[string]int{one: 1, two: 3} {
		o := small(t, dir, map[string]int{})
		o.Jobs = jobs
		o.evaluate = func(context.Context, string, evaluate.Options) (*evaluate.Report, error) {
			return &evaluate.Report{}, nil
		}
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range smallRuns {
		if state(t, one, name) != state(t, two, name) {
			t.Errorf("%s: other bits", name)
		}
	}
}

func TestUsage(t *testing.T) {
	for want, change := range map[string]func(o *Options){
		"contestants: expected at least one": func(o *Options) { o.Contestants = nil },
		"0 seeds":                            func(o *Options) { o.Seeds = nil },
		"seed 3: expected different ones":    func(o *Options) { o.Seeds = []uint64{3, 3} },
		"exactly one of seconds":             func(o *Options) { o.Budget.Seconds = 3 },
		"directory: expected":                func(o *Options) { o.Dir = "" },
		"nonsense":                           func(o *Options) { o.Metrics = []string{"nonsense"} },
		"no-such-data": func(o *Options) {
			o.Base = changed(o.Base, "data", "no-such-data")
		},
	} {
		o := small(t, filepath.Join(t.TempDir(), "x"), nil)
		change(&o)
		if _, err := Run(t.Context(), o); !errors.Is(err, ErrUsage) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v; expected %q", err, want)
		}
		if _, err := os.Stat(o.Dir); o.Dir != "" && err == nil {
			t.Errorf("%s: a directory was made", want)
		}
	}
}
