package record

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plume-ml/plume/trainer/file"
)

// equateNaNs makes NaN equal to itself.
var equateNaNs = cmp.Comparer(func(x, y Number) bool {
	return x == y || math.IsNaN(float64(x)) && math.IsNaN(float64(y))
})

func TestEpochJSON(t *testing.T) {
	fd, nan := Number(2.5), Number(math.NaN())
	full := Epoch{
		Epoch: 1, Step: 72, Time: time.Date(2026, 5, 4, 3, 2, 1, 5e8, time.UTC),
		Seconds: 1.5, StepSeconds: 1.25, CheckpointSeconds: 0.5, Evaluations: 72000,
		RowsPerS: 21000, ReconMSE: 0.04, PriorLoss: 0.8, LatentMS: 1.2,
		LatentStdMin: 0.9, LatentStdMax: 1.1, Clipped: 0.01, ExtraTemperature: 0.02,
		EnergyNats: -300, StepSize: 0.002, LR: 0.001, AnchorDrift: 0.4, PCA64FD: &fd,
		PCA64Floor: &fd, EvalSolver: "dpm++2m",
		PriorByLambda: &Levels{-10, 10, []Number{0.5, nan}, []Number{1, nan}},
		PhaseSeconds:  map[string]Number{"reduce": 2, "idle": 0.5},
		ProductFLOPS:  5e9, PeakShare: 0.25,
	}
	for _, c := range []struct {
		epoch Epoch
		want  string
	}{
		{full, `{"epoch":1,"step":72,"time":"2026-05-04T03:02:01.5Z","seconds":1.5,` +
			`"step_seconds":1.25,"checkpoint_seconds":0.5,` +
			`"evaluations":72000,"rows_per_s":21000,"recon_mse":0.04,"prior_loss":0.8,` +
			`"latent_ms":1.2,"latent_std_min":0.9,"latent_std_max":1.1,"clipped":0.01,` +
			`"redrawn":0,"extra_temperature":0.02,"energy_nats":-300,` +
			`"step_size":0.002,"lr":0.001,"anchor":0.4,"pca64_fd":2.5,` +
			`"pca64_fd_floor":2.5,"eval_solver":"dpm++2m",` +
			`"prior_loss_by_lambda":{"min":-10,"max":10,"loss":[0.5,null],"unlearned":[1,null]},` +
			`"phase_seconds":{"idle":0.5,"reduce":2},` +
			`"product_flop_per_s":5000000000,"peak_share":0.25}`},
		{Epoch{ReconMSE: nan, PriorLoss: Number(math.Inf(1)), LatentMS: Number(math.Inf(-1))},
			`{"epoch":0,"step":0,"seconds":0,"step_seconds":0,"checkpoint_seconds":0,` +
				`"evaluations":0,"rows_per_s":0,"recon_mse":null,"prior_loss":null,` +
				`"latent_ms":null,"latent_std_min":0,"latent_std_max":0,"clipped":0,` +
				`"redrawn":0,"extra_temperature":0,"energy_nats":0,` +
				`"step_size":0,"lr":0,"anchor":0,"product_flop_per_s":0,"peak_share":0}`},
	} {
		text, err := json.Marshal(c.epoch)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, string(text)); diff != "" {
			t.Error(diff)
		}
		var back Epoch
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		for _, v := range []*Number{&c.epoch.PriorLoss, &c.epoch.LatentMS} {
			if !v.Finite() {
				*v = nan
			}
		}
		if diff := cmp.Diff(c.epoch, back, equateNaNs); diff != "" {
			t.Error(diff)
		}
	}
	text, err := json.Marshal(Epoch{PCA64FD: &nan})
	var back Epoch
	if err != nil || json.Unmarshal(text, &back) != nil || back.PCA64FD != nil {
		t.Errorf("a PCA-64 FD of NaN became %s, %v", text, err)
	}
}

// All numbers that a record lacks are NaN.
func TestEpochLacksNumbers(t *testing.T) {
	var e Epoch
	if err := json.Unmarshal([]byte(`{"epoch":3}`), &e); err != nil || e.Epoch != 3 {
		t.Fatalf("%+v, %v", e, err)
	}
	numbers := 0
	for name, field := range reflect.ValueOf(e).Fields() {
		if v, ok := field.Interface().(Number); ok {
			if numbers++; !math.IsNaN(float64(v)) {
				t.Errorf("%s is %v", name.Name, v)
			}
		}
	}
	if numbers != 19 {
		t.Errorf("%d numbers", numbers)
	}
}

// wantError checks that an error contains all of the parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}

// record is a minimal line of a log.
func record(step string) string { return `{"epoch":1,"step":` + step + `}` + "\n" }

func TestOpenLog(t *testing.T) {
	one, two, three := record("1"), record("2"), record("3")
	for name, c := range map[string]struct {
		text   string
		resume int
		want   string
	}{
		"nothing to remove":        {one + two, 2, one + two},
		"beyond the step":          {one + two + three, 2, one + two},
		"fresh run":                {one + two, 0, ""},
		"torn":                     {one + two[:7], 9, one},
		"torn only":                {two[:7], 9, ""},
		"torn beyond":              {one + two + three[:len(three)-3], 1, one},
		"whole but for line break": {one + two[:len(two)-1], 2, one + two},
		"zeros after a power cut":  {one + "\x00\x00\x00", 2, one},
		"empty":                    {"", 5, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "metrics.jsonl")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			log, err := OpenLog(file.OS, path, c.resume)
			if err != nil {
				t.Fatal(err)
			}
			if err := log.Write(Epoch{Step: 7}); err != nil {
				t.Fatal(err)
			}
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			line, _ := json.Marshal(Epoch{Step: 7})
			if diff := cmp.Diff(c.want+string(line)+"\n", string(text)); diff != "" {
				t.Error(diff)
			}
			if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func TestOpenLogRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	for text, want := range map[string]string{
		record("1") + "{\"epo\n" + record("2"): "metrics.jsonl:2: expected a JSON object",
		record("1") + "{}\n": "metrics.jsonl:2: " +
			"expected a record with the key \"step\"",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := OpenLog(file.OS, path, 5)
		wantError(t, err, want)
		if after, _ := os.ReadFile(path); string(after) != text {
			t.Error("the file was changed in spite of the error")
		}
	}
	_, err := OpenLog(file.OS, filepath.Join(t.TempDir(), "none", "metrics.jsonl"), 0)
	wantError(t, err, "none")
}

func TestOpenLogCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	log, err := OpenLog(file.OS, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := log.Write(Epoch{}); err == nil {
		t.Error("a record was written to a closed log")
	}
}

func TestReadLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	text := `{"epoch":1,"step":4,"recon_mse":0.5}` + "\n" +
		`{"epoch":2,"step":8,"recon_mse":null}` + "\n" + `{"epoch":3,"st`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	records, err := ReadLog(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 2 || records[0].ReconMSE != 0.5 || records[1].Step != 8 ||
		!math.IsNaN(float64(records[1].ReconMSE)) {
		t.Errorf("read %+v", records)
	}
	if _, err := ReadLog(path + "x"); err == nil {
		t.Error("a missing log is read")
	}
}

// longLog is a reader of a log whose records have half a kilobyte each.
type longLog struct {
	records int // still to come
	rest    []byte
}

func (l *longLog) Read(b []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.records == 0 {
			return 0, io.EOF
		}
		l.rest = fmt.Appendf(nil, "{\"step\":%d,\"padding\":%q}\n", l.records,
			strings.Repeat("x", 480))
		l.records--
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// A long log is read a line at a time: reading 25 MB holds less than 1 MB.
func TestLongLog(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, lines := heap(), 0
	err := eachRecord(&longLog{records: 50000}, 40000, func([]byte) error {
		if lines++; lines%10000 == 0 {
			if held := int64(heap()) - int64(before); held > 1<<20 {
				t.Errorf("after %d records %d bytes are held", lines, held)
			}
		}
		return nil
	})
	if err != nil || lines != 40000 {
		t.Errorf("%d records, %v", lines, err)
	}
}
