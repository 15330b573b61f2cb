package page

import (
	"encoding/json"
	"math"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

func TestSpaced(t *testing.T) {
	for _, c := range []struct {
		n, most int
		want    []int
	}{
		{0, 3, nil}, {1, 3, []int{0}}, {3, 3, []int{0, 1, 2}}, {9, 3, []int{0, 4, 8}},
		{5, 1, []int{4}},
	} {
		if got := spaced(c.n, c.most); !slices.Equal(got, c.want) {
			t.Errorf("%d of %d: %v, expected %v", c.most, c.n, got, c.want)
		}
	}
}

// Long records are thinned, and keep their ends and their distances.
func TestThinned(t *testing.T) {
	records := make([]record.Epoch, 5000)
	fd := record.Number(3)
	for i := range records {
		records[i].Epoch = i + 1
		if i%777 == 5 {
			records[i].PCA64FD = &fd
		}
	}
	chosen := thinned(records)
	if n := len(chosen); n < mostRecords || n > mostRecords+7 || chosen[0] != 0 ||
		chosen[n-1] != 4999 || !slices.IsSorted(chosen) {
		t.Errorf("%d records, from %d to %d", n, chosen[0], chosen[n-1])
	}
	for i, r := range records {
		if r.PCA64FD != nil && !slices.Contains(chosen, i) {
			t.Errorf("the distance of record %d is left out", i)
		}
	}
}

// Files that do not all have room are chosen at equal distances, the last among them.
func TestFitting(t *testing.T) {
	var files []stored
	for i := range 100 {
		files = append(files, stored{step: i, bytes: 10})
	}
	if n := len(fitting(files, 1<<20)); n != mostFrames {
		t.Errorf("%d frames, expected %d", n, mostFrames)
	}
	steps := []int{}
	for _, f := range fitting(files, 39) {
		steps = append(steps, f.step)
	}
	if !slices.Equal(steps, []int{0, 49, 99}) {
		t.Errorf("steps %v in 39 bytes", steps)
	}
	if got := fitting(files, 9); got != nil {
		t.Errorf("%v in 9 bytes", got)
	}
}

// A shell takes quoted arguments as they were.
func TestQuoted(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	args := []string{"--data", "my data/it's $HOME", "", "a,b=c", "*", "x\ny"}
	out, err := exec.Command(sh, "-c", `for a in `+quoted(args)+`; do printf '%s\0' "$a"; done`).
		Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got,
		args) {
		t.Errorf("%q, expected %q", got, args)
	}
}

func TestNumbers(t *testing.T) {
	text, err := json.Marshal(numbers{1, 0.1234567, math.NaN(), math.Inf(1), -1e-9})
	if want := `[1,0.123457,null,null,-1e-09]`; err != nil || string(text) != want {
		t.Errorf("%s, %v, expected %s", text, err, want)
	}
}

// Each number that is not as it should be is judged, and says what to do.
func TestHealth(t *testing.T) {
	bad, first := record.Number(5), record.Number(2)
	nan := record.Number(math.NaN())
	records := []record.Epoch{
		{Epoch: 1, PCA64FD: &first, HeldOutMSE: &first},
		{
			Epoch: 2, Clipped: 0.5, Redrawn: 0.01, ExtraTemperature: 1, LatentMS: 9,
			LatentStdMin: 0.01, LatentStdMax: 3, PCA64FD: &bad, HeldOutMSE: &bad,
		},
	}
	info := run.Info{
		Divergences: []run.Divergence{{Step: 7, What: "diverged"}},
		Checkpoints: &run.Stall{Share: 0.5}, Memory: &run.Memory{Sum: 100, Peak: 300},
	}
	r := &Run{Quality: &evaluate.Report{Metrics: []evaluate.Metric{
		{Key: "nearer_1", Value: 0.5, Low: 0.4, High: 0.6, Floor: 0.01},
	}}}
	r.Cost = record.Cost{Phases: map[string]float64{"move": 1, "idle": 3}, Rate: 1e9, Peak: 90e9}
	r.Levels = &record.Levels{
		Min: -6, Max: 6, Loss: []record.Number{2, 3, 4}, Unlearned: []record.Number{1, 3, 4},
	}
	all := r.health(records, info)
	if len(all) != 14 {
		t.Errorf("%d findings, expected 14", len(all))
	}
	for _, f := range all {
		if f.Verdict == Good || f.Do == "" || f.Value == "" {
			t.Errorf("%+v", f)
		}
	}
	// Of a run that has come to nothing yet, nothing is said.
	unknown := record.Epoch{
		Clipped: nan, Redrawn: nan, ExtraTemperature: nan, LatentMS: nan, LatentStdMin: nan,
	}
	if got := (&Run{}).health([]record.Epoch{unknown}, run.Info{}); got != nil {
		t.Errorf("%+v", got)
	}
}

// Every chart is of a number that records have.
func TestCharts(t *testing.T) {
	for _, c := range charts {
		for _, key := range []string{c.Key, c.Also} {
			if key != "" && !slices.Contains(record.Columns(), key) {
				t.Errorf("records have no %q", key)
			}
		}
	}
	for name, key := range axes {
		if !slices.Contains(record.Columns(), key) {
			t.Errorf("%s: records have no %q", name, key)
		}
	}
}

// Histograms hold all latents, and those of a standard normal lie along its law.
func TestHistograms(t *testing.T) {
	z := []float32{-3, -1, 0, 0, 1, 100}
	sum := 0.0
	for _, share := range shares(z, 1, 0, 4) {
		sum += share
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the shares sum to %v", sum)
	}
	if all := histograms(make([]float32, 200*100), make([]float32, 200*100), 100); len(all) !=
		mostHistograms {
		t.Errorf("%d histograms of 100 dimensions", len(all))
	}
	if got, want := stairs([]float64{1, 0.5}, 1), "M0 48V0.0H48V24.0H96"; got != want {
		t.Errorf("%s, expected %s", got, want)
	}
}

// Errors of what cannot be read name it.
func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		dirs []string
		o    Options
		want string
	}{
		{nil, Options{}, "0 runs: expected 1 to 8"},
		{make([]string, 9), Options{}, "9 runs: expected 1 to 8"},
		{[]string{filepath.Join(t.TempDir(), "none")}, Options{}, "none"},
		{[]string{"x"}, Options{Measure: "quik"}, `did you mean "quick"?`},
		{[]string{"x"}, Options{Threads: -1}, "threads is -1; expected 0 or more"},
	} {
		if _, err := Read(t.Context(), c.dirs, c.o); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
	if !reflect.DeepEqual(Measures, []Measure{Quick, All, None, Written}) {
		t.Error(Measures)
	}
}
