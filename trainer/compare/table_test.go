package compare

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

var update = flag.Bool("update", false, "write the golden files")

// results are of three contestants with two seeds; one run diverged and one is still to come.
func results() *Results {
	base := method.Default()
	row := func(name string, particles, epochs int) ContestantPlan {
		c := base
		c.Particles = particles
		return ContestantPlan{
			Contestant: Contestant{Name: name, Method: "ipld"}, Epochs: epochs, Seconds: 60.04,
			Fits: name != "slow", Keys: values(c),
		}
	}
	info := run.Info{Data: "fashion10k", CPU: "a CPU", KernelPath: "avx512", Version: "v1"}
	info.BLAS.Library = "native"
	r := &Results{Plan: Plan{
		Budget: Budget{Seconds: 60}, Seeds: []uint64{1, 2}, Info: info,
		Contestants: []ContestantPlan{
			row("ipld", 1, 40), row("ipld:particles=4", 4, 12), row("slow", 16, 1),
		},
	}}
	run := func(name string, seed uint64, seconds, mse, fd, recall record.Number) Outcome {
		o := Outcome{
			Contestant: name, Seed: seed, Dir: name, Done: true, Epochs: 40,
			Values: map[string]record.Number{
				keyEpochs: 40, keySteps: 2880, keySeconds: seconds, keyEvaluations: 32.4e6,
				keyTrainMSE: mse, "fd": fd, "recall": recall,
			},
		}
		for i := range 3 {
			v := fd * record.Number(3-i)
			o.Curve = append(o.Curve, record.Epoch{
				Epoch:       10 * (i + 1),
				StepSeconds: seconds * record.Number(i+1) / 3,
				Evaluations: 1e7 * record.Number(i+1),
				PCA64FD:     &v,
			})
		}
		return o
	}
	none := map[string]record.Number{}
	r.Runs = []Outcome{
		run("ipld", 1, 61, 0.0276, 2.05, 0.5),
		run("ipld:particles=4", 1, 62, 0.0301, 2.25, 0.7),
		{Contestant: "slow", Seed: 1, Diverged: true, Epochs: 3, Values: none},
		run("ipld", 2, 63, 0.0278, 2.25, 0.6),
		run("ipld:particles=4", 2, 62, 0.0303, 2.27, nan),
		{Contestant: "slow", Seed: 2, Values: none},
	}
	r.columns([]evaluate.Metric{
		{
			Key: "fd", Name: "FD", Group: evaluate.PCA, Better: evaluate.Lower, Floor: 1.8,
			Note: "of 2,000 samples",
		},
		{
			Key: "recall", Name: "recall", Group: evaluate.Precision, Better: evaluate.Higher,
			Floor: nan,
		},
	})
	r.aggregate()
	return r
}

func TestTableFiles(t *testing.T) {
	r, dir := results(), t.TempDir()
	if err := r.writeTables(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"table.md", "table.csv", "results.json"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

// In the list of keys that differ, a dash stands where a method does not read the key.
func TestUnreadKeysAreDashes(t *testing.T) {
	r := &Results{}
	for _, name := range []config.Method{config.IPLD, config.VAE} {
		c, err := method.DefaultFor(name)
		if err != nil {
			t.Fatal(err)
		}
		c.ParamDrag = map[config.Method]float64{config.IPLD: 0.25, config.VAE: 0.5}[name]
		c.StepSizeEnd, c.PriorShare = c.ParamDrag, c.ParamDrag
		r.Rows = append(r.Rows, Row{ContestantPlan: ContestantPlan{
			Contestant: Contestant{Name: string(name), Method: name}, Keys: values(c),
		}})
	}
	var out strings.Builder
	r.differences(&out)
	text := strings.ReplaceAll(out.String(), " ", "")
	for _, want := range []string{"|step_size_end|0.25|-|", "|param_drag|0.25|0.5|",
		"thesame(-:themethoddoesnotreadthekey):"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, &out)
		}
	}
	if strings.Contains(text, "prior_share") {
		t.Errorf("a key that neither method reads:\n%s", &out)
	}
}

// The table contains these texts: a check that does not change with -update.
func TestMarkdown(t *testing.T) {
	text := results().Markdown()
	for _, want := range []string{
		"| ipld             | 2 of 2 ", "| slow             | 0 of 2, 1 diverged ",
		// apart by 0.11, the standard error is 0.10
		"**0.0277 ± 0.0001**", "**2.15 ± 0.14**", "2.26 ± 0.01 ",
		// n = 1 beside n = 2: apart by 0.15, the standard error is 0.087
		"**0.700**", "0.550 ± 0.071 |",
		"| 62.0 ± 1.4 |", "32.4M", "| real images", "1.80",
		"slow, seed 1, diverged after 3 epochs", "slow: one epoch is more than the budget",
		"1 of 6 runs are not done yet",
		"| particles | 1 ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, never := range []string{"NaN", "Inf", "step_size", "One seed", "train PCA-64 FD"} {
		if strings.Contains(text, never) {
			t.Errorf("%q in\n%s", never, text)
		}
	}
}

// Every group of metrics is in exactly one of the tables.
func TestSections(t *testing.T) {
	placed := slices.Concat(sections...)
	for _, group := range append(evaluate.Groups(), groupCost, groupTrain) {
		if i := slices.Index(placed, group); i < 0 || slices.Contains(placed[i+1:], group) {
			t.Errorf("group %s is not in one table: %v", group, placed)
		}
	}
}

// All lines of a table must have the same number of cells, in every format.
func TestTableShape(t *testing.T) {
	width := 0
	for line := range strings.SplitSeq(results().Markdown(), "\n") {
		n := strings.Count(line, "|")
		if width > 0 && n > 0 && n != width { // an empty line is between tables
			t.Errorf("%d separators, expected %d: %s", n, width, line)
		}
		width = n
	}
	text, err := results().CSV()
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(string(text))).ReadAll() // refuses ragged ones
	if err != nil || len(records) != 4 || records[2][0] != "ipld:particles=4" {
		t.Fatalf("%v, %v", records, err)
	}
	if at := slices.Index(records[0], "fd_mean"); at < 0 || records[1][at] != "2.15" ||
		records[1][at+2] != "2" || records[3][at] != "" {
		t.Errorf("fd_mean at %d of %v", at, records)
	}
}

func TestResultsJSON(t *testing.T) {
	text, err := results().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Plan Plan
		Rows []struct {
			Contestant string
			Diverged   int
			Cells      map[string]struct {
				Mean, SD *float64
				N        int
				Best     bool
			}
		}
		Runs []struct{ Values map[string]*float64 }
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	fd := back.Rows[0].Cells["fd"]
	if fd.N != 2 || !fd.Best || math.Abs(*fd.SD-0.2/math.Sqrt2) > 1e-12 {
		t.Errorf("fd %+v", fd)
	}
	if none := back.Rows[2]; none.Diverged != 1 || none.Cells["fd"].Mean != nil {
		t.Errorf("a row without runs: %+v", none)
	}
	if v := back.Runs[4].Values["recall"]; v != nil {
		t.Errorf("NaN became %v", *v)
	}
	if diff := cmp.Diff(results().Plan, back.Plan); diff != "" {
		t.Error(diff)
	}
}

// The points of a curve are means over the finished runs, with standard deviations, for each epoch
// with a report.
func TestCurve(t *testing.T) {
	r := results()
	s := r.curve("ipld", func(e record.Epoch) record.Number { return e.StepSeconds })
	for i, scale := range []float64{3, 2, 1} { // of FD 2.05 and 2.25
		near(t, "x", s.X[i], 62*float64(i+1)/3, 1e-12)
		near(t, "y", s.Y[i], 2.15*scale, 1e-12)
		near(t, "sd", s.Err[i], 0.1*math.Sqrt2*scale, 1e-12)
	}
	seconds := func(e record.Epoch) record.Number { return e.StepSeconds }
	if s := r.curve("slow", seconds); len(s.X) != 0 {
		t.Errorf("a contestant without finished runs has %d points", len(s.X))
	}
	if line := r.floor([]figure.Series{s}); line != nil {
		t.Errorf("a floor that no run has: %v", line)
	}
	low, high := record.Number(0.25), record.Number(0.75)
	for i, v := range []*record.Number{&low, &high} {
		curve := r.Runs[i].Curve
		curve[len(curve)-1].PCA64Floor = v
	}
	line := r.floor([]figure.Series{{X: []float64{3, 9}}, {X: []float64{2, 5}}})
	if len(line) != 1 || !slices.Equal(line[0].X, []float64{2, 9}) ||
		!slices.Equal(line[0].Y, []float64{0.5, 0.5}) {
		t.Errorf("floor %+v", line)
	}
	if err := (&Results{}).writePlots(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("without a point there is no plot: %v", err)
	}
}
