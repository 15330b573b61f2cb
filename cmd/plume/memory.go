package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/run"
)

// garbagePercent is how much garbage may pile up before it is collected, in percent of what is in use.
// Go's default of 100 lets the process grow to twice what it needs; a training allocates so
// little that collecting ten times as often does not show.
const garbagePercent = 10

// collectEarly keeps the process close to what it needs, unless GOGC says how it is to be. It
// changes the whole process, so only main may decide it.
func collectEarly() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

// peakLine says what a run took beside what its parts add up to.
func peakLine(m run.Memory) string {
	if m.Peak == 0 {
		return "Peak memory: this system does not tell."
	}
	if m.Disk > 0 {
		return fmt.Sprintf("Peak memory: %s, of which up to %s are pages of the particles' file that the system can drop; the run's parts add up to %s",
			memory.Human(m.Peak), memory.Human(min(m.Disk, m.Peak)), memory.Human(m.Sum))
	}
	return fmt.Sprintf("Peak memory: %s, %.2f times the sum of its parts", memory.Human(m.Peak), float64(m.Peak)/float64(m.Sum))
}

// peakWarning is said of a run that took more than it should, and is empty otherwise.
func peakWarning(m run.Memory) string {
	if !m.Exceeded() {
		return ""
	}
	return fmt.Sprintf("the run took %s at its peak, more than %.1f times the %s that its parts add up to",
		memory.Human(m.Peak), run.PeakTolerance, memory.Human(m.Sum))
}
