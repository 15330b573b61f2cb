package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/blas"
)

// In little address space a run trains, or says what it lacks, and does not hang: OpenBLAS, if it
// is loaded, asks for its buffers for ever.
func TestLittleAddressSpace(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector reserves more than the limit")
	}
	limited := func(limit string, args ...string) (string, error) {
		script := []string{
			"-c",
			`ulimit -v ` + limit + `; exec "$@"`,
			"sh",
			"plume",
			"train",
			"--config",
			"tiny.toml",
			"--epochs",
			"1",
		}
		cmd := inDir(t, t.TempDir())
		cmd.Path, _ = exec.LookPath("sh")
		cmd.Args = append(append([]string{"sh"}, script...), args...)
		p := start(t, cmd)
		out := p.read()
		return out, p.cmd.Wait()
	}
	if out, err := limited("2000000"); err != nil || !strings.Contains(out, "Trained ") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err := limited("2000000", "--particles", "500", "--latent", "256")
	if err == nil || !strings.Contains(out, "not enough memory") ||
		!strings.Contains(out, "under ulimit -v") {
		t.Errorf("%v\n%s", err, out)
	}
	if !slices.Contains(blas.Available(), "openblas") {
		return
	}
	for _, limit := range []string{"1600000", "2000000", "2200000", "2600000"} {
		out, err := limited(limit, "--blas", "openblas")
		trained := err == nil && strings.Contains(out, "Trained ")
		refused := err != nil && strings.Contains(out, "plume: --blas") &&
			strings.Contains(out, "ulimit -v")
		if !trained && !refused {
			t.Errorf("%s KiB: %v\n%s", limit, err, out)
		}
	}
}
