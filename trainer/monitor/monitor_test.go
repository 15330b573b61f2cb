package monitor

import (
	"context"
	"errors"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scrape asks a monitor as Prometheus does, and reads the answer with Prometheus' own parser.
func scrape(t *testing.T, m *Monitor) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func valueOf(f *dto.MetricFamily) float64 {
	if f == nil {
		return math.NaN()
	}
	return f.GetMetric()[0].GetGauge().GetValue()
}

func small() config.Config {
	c := method.Default()
	c.Data, c.Epochs, c.Latent, c.DecoderWidths = "digits", 3, 4, []int{16}
	c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures = 16, 1, 8
	c.Solver, c.SolverSteps, c.EvalSamples, c.Threads = "ddim", 3, 100, 1
	return c
}

// What is scraped during and after a run are the numbers that the trainer tells, each with a type
// and a help text.
func TestScrapedNumbers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `quoted "run" \`)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var m Monitor
	var last record.Epoch
	saved := 0
	tr, err := trainer.New(context.Background(), small(), dir, trainer.WithHook(m.Hook()),
		trainer.WithHook(trainer.Hook{
			OnStep: func(p record.Progress) {
				if got := valueOf(scrape(t, &m)["plume_step"]); got != float64(p.Step) {
					t.Errorf("step %d: plume_step is %v", p.Step, got)
				}
			},
			OnEpoch:      func(e record.Epoch) { last = e },
			OnCheckpoint: func(step int, _ string) { saved++ },
		}))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tr.Run(context.Background()), tr.Close()); err != nil {
		t.Fatal(err)
	}
	all := scrape(t, &m)
	for name, want := range map[string]float64{
		"plume_step": float64(last.Step), "plume_planned_steps": float64(last.Step),
		"plume_epochs_done": 3, "plume_epoch": 3, "plume_planned_epochs": 3,
		"plume_energy_nats": float64(last.EnergyNats), "plume_pca64_fd": float64(*last.PCA64FD),
		"plume_prior_loss_nats": float64(last.PriorLoss), "plume_divergence_factor": 1,
		"plume_reconstruction_mse":    float64(last.ReconMSE),
		"plume_epoch_rows_per_second": float64(last.RowsPerS),
		"plume_checkpoints_saved":     float64(saved), "plume_checkpoint_step": float64(last.Step),
		"plume_ended": 1, "plume_warnings": 0, "plume_remaining_seconds": 0,
	} {
		if got := valueOf(all[name]); got != want {
			t.Errorf("%s is %v, expected %v", name, got, want)
		}
	}
	if saved == 0 || valueOf(all["plume_planned_memory_bytes"]) < 1<<20 {
		t.Errorf("%d checkpoints, memory %v", saved, all["plume_planned_memory_bytes"])
	}
	for name, f := range all {
		if strings.HasPrefix(name, "plume_") &&
			(f.GetHelp() == "" || f.GetType() != dto.MetricType_GAUGE ||
				len(f.Metric) != 1 && name != "plume_phase_seconds" &&
					!strings.Contains(name, "_by_lambda_")) {
			t.Errorf("%s: %v; expected one gauge with a help text", name, f)
		}
	}
	checkFamilies(t, all, last)
	label := all["plume_run"].GetMetric()[0].GetLabel()[0]
	if label.GetName() != "dir" || label.GetValue() != dir {
		t.Errorf("the label of the directory is %v, expected %q", label, dir)
	}
}

// checkFamilies expects the lists of a record, by their labels.
func checkFamilies(t *testing.T, all map[string]*dto.MetricFamily, e record.Epoch) {
	t.Helper()
	got := map[string]float64{}
	for name, f := range all {
		for _, m := range f.GetMetric() {
			if labels := m.GetLabel(); len(labels) == 1 && strings.HasPrefix(name, "plume_") {
				got[name+" "+labels[0].GetName()+" "+labels[0].GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	want := map[string]float64{}
	for phase, seconds := range e.PhaseSeconds {
		want["plume_phase_seconds phase "+phase] = float64(seconds)
	}
	for i, loss := range e.PriorByLambda.Loss {
		lambda := strconv.FormatFloat(-10+2.5*float64(i), 'g', -1, 64)
		want["plume_prior_loss_by_lambda_nats lambda "+lambda] = float64(loss)
		want["plume_prior_unlearned_by_lambda_nats lambda "+lambda] =
			float64(e.PriorByLambda.Unlearned[i])
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 24 {
		t.Errorf("%d numbers with a label: %s", len(want), diff)
	}
}

// Before a run, and for commands that are none, the numbers of the process are there, and none that
// are not known.
func TestScrapedEarly(t *testing.T) {
	all := scrape(t, new(Monitor))
	if all["process_resident_memory_bytes"] == nil && all["go_goroutines"] == nil {
		t.Error("no numbers of the process")
	}
	for name, f := range all {
		if strings.HasPrefix(name, "plume_") {
			t.Errorf("%s is %v before anything was told", name, f)
		}
	}
}

// Every number of a record is served: with each field set to another value, each is found.
func TestWholeRecord(t *testing.T) {
	var e record.Epoch
	numbers := map[string]float64{} // by field
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		f, want := v.Field(i), 1000+float64(i)
		switch f.Interface().(type) {
		case record.Number:
			f.SetFloat(want)
		case *record.Number:
			n := record.Number(want)
			f.Set(reflect.ValueOf(&n))
		case int:
			f.SetInt(int64(want))
		default:
			continue
		}
		numbers[v.Type().Field(i).Name] = want
	}
	var m Monitor
	m.Hook().OnStart(trainer.Start{Info: run.Info{Memory: new(run.Memory)}})
	m.Hook().OnEpoch(e)
	served := map[float64]bool{}
	for _, f := range scrape(t, &m) {
		served[valueOf(f)] = true
	}
	for field, want := range numbers {
		if !served[want] {
			t.Errorf("no gauge of the record's %s", field)
		}
	}
}

// Units end names, as OpenMetrics demands, and the answer says which format it is in.
func TestFormat(t *testing.T) {
	seen := map[string]bool{}
	every := slices.Clone(gauges)
	for _, f := range families {
		every = append(every, f.gauge)
	}
	for _, g := range every {
		if g.unit != "" && !strings.HasSuffix(g.name, "_"+g.unit) || seen[g.name] {
			t.Errorf("gauge %q with unit %q", g.name, g.unit)
		}
		seen[g.name] = true
	}
	for accept, want := range map[string]string{
		"": "text/plain; version=0.0.4; charset=utf-8",
		"application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5"://
		"application/openmetrics-text; version=1.0.0; charset=utf-8",
	} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		new(Monitor).ServeHTTP(w, r)
		if got := w.Header().Get("Content-Type"); got != want {
			t.Errorf("asked for %q: %q", accept, got)
		}
		if !strings.HasSuffix(w.Body.String(), "\n# EOF\n") {
			t.Error("the answer does not end with # EOF")
		}
	}
}
