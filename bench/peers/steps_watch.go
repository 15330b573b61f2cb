package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// watch measures what other processes used of the processors while a side worked. It needs Linux's
// /proc, and records nothing elsewhere.
type watch struct {
	sides     []*side
	idle      float64   // largest use by the other sides in a turn, in cores
	idleName  string    // the side whose turn it was
	strangers []float64 // use by all other processes in each turn, in cores
}

// usage is processor time in seconds.
type usage struct {
	at    time.Time
	total float64 // of the machine
	sides []float64
}

// hertz is the unit of /proc: USER_HZ is 100 on all architectures that Go has.
const hertz = 100

func (w *watch) read() (u usage, ok bool) {
	u.at = time.Now()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, false
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, f := range strings.Fields(line)[1:] {
		idle := i == 3 || i == 4 // doing nothing, or waiting for a disk
		counted := i >= 8        // guests, who are in other numbers too
		if n, err := strconv.ParseFloat(f, 64); err == nil && !idle && !counted {
			u.total += n / hertz
		}
	}
	for _, s := range w.sides {
		used, err := processTime(s.cmd.Process.Pid)
		if err != nil {
			return u, false
		}
		u.sides = append(u.sides, used)
	}
	return u, true
}

// processTime is the processor time of a process in seconds.
func processTime(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, text)
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) / hertz, err
}

// during calls do, which is the turn of a side, and records the use meanwhile.
func (w *watch) during(s *side, do func() error) error {
	before, ok := w.read()
	if err := do(); err != nil {
		return err
	}
	after, still := w.read()
	if !ok || !still {
		return nil
	}
	seconds := after.at.Sub(before.at).Seconds()
	stranger, idle := after.total-before.total, 0.0
	for i, other := range w.sides {
		used := after.sides[i] - before.sides[i]
		stranger -= used
		if other != s {
			idle += used
		}
	}
	if idle /= seconds; idle > w.idle {
		w.idle, w.idleName = idle, s.name
	}
	w.strangers = append(w.strangers, max(0, stranger/seconds))
	return nil
}

// text reports the records.
func (w *watch) text() string {
	if len(w.strangers) == 0 {
		return ""
	}
	const text = "While a side worked, the others together used at most %.1f %% of a core, " +
		"and everything else on the machine %.1f %% of a core in the median turn.\n"
	return fmt.Sprintf(text, 100*w.idle, 100*median(w.strangers))
}
