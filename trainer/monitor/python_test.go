package monitor

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

var python = flag.String("python", "", "interpreter of TestPython; empty: it is skipped")

// strict reads OpenMetrics as strictly as its specification says, and checks names and units.
const strict = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
found = {f.name: f for f in text_string_to_metric_families(sys.stdin.read())}
assert found["plume_step"].type == "gauge", found["plume_step"]
assert found["plume_step"].samples[0].value == 7, found["plume_step"]
assert found["plume_energy_nats"].unit == "nats", found["plume_energy_nats"]
assert found["plume_remaining_seconds"].documentation, found["plume_remaining_seconds"]
`

// What is served is OpenMetrics by the strict parser of prometheus_client, which make test-python
// installs.
func TestPython(t *testing.T) {
	if *python == "" {
		t.Skip("make test-python makes an environment with prometheus_client")
	}
	var m Monitor
	h := m.Hook()
	h.OnStart(trainer.Start{Dir: "a \"b\"\n\\", Info: run.Info{Memory: new(run.Memory)}})
	h.OnStep(record.Progress{Step: 7})
	h.OnEpoch(record.Epoch{EnergyNats: -3})
	cmd := exec.Command(*python, "-c", strict)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(m.text()), os.Stderr
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}
