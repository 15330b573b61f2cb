package tensorboard

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/record"
)

var python = flag.String("python", "", "interpreter of TestPython; empty: it is skipped")

// reader prints what TensorBoard itself finds in a directory.
const reader = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0})
a.Reload()
h = a.Histograms("latents/0")[0]
print(json.dumps({
    "mse": [[s.step, s.value] for s in a.Scalars("epoch/recon_mse")],
    "time": a.Scalars("epoch/recon_mse")[0].wall_time,
    "images": [[i.step, i.height, i.width] for i in a.Images("samples")],
    "histogram": [h.step, h.histogram_value.min, h.histogram_value.max, h.histogram_value.num,
                  sum(h.histogram_value.bucket)],
}))
`

// TensorBoard reads what was told; what a second session tells again replaces what the first one
// told of the same steps. make test-python installs it.
func TestPython(t *testing.T) {
	if *python == "" {
		t.Skip("make test-python makes an environment with TensorBoard")
	}
	start, e, r := told(t)
	for session, steps := range [][]int{{12, 14, 16}, {14, 16}} {
		l := &Log{Files: file.OS}
		h := l.Hook()
		start.Step = steps[0] - 2
		h.OnStart(start)
		for _, step := range steps {
			r.Step, e.Step, e.ReconMSE = step, step, record.Number(step+100*session)
			h.OnReport(r)
			h.OnEpoch(e)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		orderFiles(t, start, session)
	}
	cmd := exec.Command(*python, "-c", reader, filepath.Join(start.Dir, Dir))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := string(out)
	want, err := json.Marshal(map[string]any{
		"mse": [][]float64{{12, 12}, {14, 114}, {16, 116}}, "time": 1700000000.125,
		"images":    [][]int{{12, 5, 7}, {14, 5, 7}, {16, 5, 7}},
		"histogram": []float64{12, -1, 2, 4, 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	var read, expected any
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal(want, &expected); err != nil {
		t.Fatal(err)
	}
	if a, b := canonical(t, read), canonical(t, expected); a != b {
		t.Errorf("TensorBoard reads\n%s\nexpected\n%s", a, b)
	}
}

// orderFiles gives the file of a session a name in the order of the sessions, as the seconds
// between two sessions would.
func orderFiles(t *testing.T, start trainer.Start, session int) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(start.Dir, Dir, "*.0"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	name := []string{"events.out.tfevents.0000000001.a", "events.out.tfevents.0000000002.b"}
	if err := os.Rename(paths[0], filepath.Join(start.Dir, Dir, name[session])); err != nil {
		t.Fatal(err)
	}
}

func canonical(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v) // with sorted keys
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
