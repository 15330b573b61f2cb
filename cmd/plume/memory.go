package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/run"
)

// garbagePercent is the amount of garbage, in percent of the memory in use, at which it is
// collected. Go's default of 100 lets the process grow to twice what it needs, and a training
// allocates so little that collecting ten times as often costs nothing noticeable.
const garbagePercent = 10

// collectEarly keeps the process close to the memory it needs, unless GOGC is set. It changes the
// whole process, so only main may call it.
func collectEarly() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

// peakLine compares the peak memory of a run with the sum of its parts.
func peakLine(m run.Memory) string {
	if m.Peak == 0 {
		return "Peak memory: this system does not tell."
	}
	if m.Disk > 0 {
		return fmt.Sprintf("Peak memory: %s, of which up to %s are pages of the particles' file "+
			"that the system can drop; the run's parts add up to %s",
			memory.Human(m.Peak), memory.Human(min(m.Disk, m.Peak)), memory.Human(m.Sum))
	}
	factor := float64(m.Peak) / float64(m.Sum)
	const text = "Peak memory: %s, %.2f times the sum of its parts"
	return fmt.Sprintf(text, memory.Human(m.Peak), factor)
}

// peakWarning is empty unless a run took more memory than it should.
func peakWarning(m run.Memory) string {
	if !m.Exceeded() {
		return ""
	}
	return fmt.Sprintf(
		"the run took %s at its peak, more than %.1f times the %s that its parts add up to",
		memory.Human(m.Peak), run.PeakTolerance, memory.Human(m.Sum))
}
