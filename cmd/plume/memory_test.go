package main

import (
	"fmt"
	"runtime/debug"
	"testing"

	"github.com/plume-ml/plume/trainer/run"
)

func TestCollectEarly(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "77")
	collectEarly()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("GOGC=77 became %d", got)
	}
	t.Setenv("GOGC", "")
	collectEarly()
	if got := debug.SetGCPercent(77); got != garbagePercent {
		t.Errorf("without GOGC: %d, expected %d", got, garbagePercent)
	}
}

func TestPeakLine(t *testing.T) {
	const mib = 1 << 20
	cases := []struct {
		peak          int64
		line, warning string
	}{
		{0, "Peak memory: this system does not tell.", ""},
		{90 * mib, "Peak memory: 90 MiB, 0.90 times the sum of its parts", ""},
		{119 * mib, "Peak memory: 119 MiB, 1.19 times the sum of its parts", ""},
		{130 * mib, "Peak memory: 130 MiB, 1.30 times the sum of its parts",
			"the run took 130 MiB at its peak, more than 1.2 times the 100 MiB that its parts " +
				"add up to"},
	}
	for _, c := range cases {
		if c.peak == 0 { // of no run
			continue
		}
		onDisk := run.Memory{Sum: 100 * mib, Peak: c.peak, Disk: 10 * mib}
		if got := peakWarning(onDisk); got != "" {
			t.Errorf("10 MiB of it are a file's: warning %q", got)
		}
		want := fmt.Sprintf(
			"Peak memory: %d MiB, of which up to 10 MiB are pages of the particles' "+
				"file that the system can drop; the run's parts add up to 100 MiB", c.peak/mib)
		if got := peakLine(onDisk); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	for _, c := range cases {
		m := run.Memory{Sum: 100 * mib, Peak: c.peak}
		if got := peakLine(m); got != c.line {
			t.Errorf("%q, expected %q", got, c.line)
		}
		if got := peakWarning(m); got != c.warning {
			t.Errorf("warning %q, expected %q", got, c.warning)
		}
	}
}
