package page

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// Group is the settings of one heading.
type Group struct {
	Name     string
	Settings []Setting
}

// Setting is a key of the configuration.
type Setting struct {
	Name, Help, Value string
	Differs           bool
	Default           string // if it differs from that
}

// settings are all keys that the run's method reads.
func settings(c config.Config, differs []run.Difference) (groups []Group) {
	for _, key := range c.Keys() {
		if !method.Reads(c.Method, key.Name) {
			continue
		}
		if len(groups) == 0 || groups[len(groups)-1].Name != key.Group {
			groups = append(groups, Group{Name: key.Group})
		}
		s := Setting{Name: key.Name, Help: key.Help, Value: key.String()}
		for _, d := range differs {
			if d.Name == key.Name && key.Name != "data" {
				s.Default, s.Differs = d.Values[1], true
			}
		}
		g := &groups[len(groups)-1]
		g.Settings = append(g.Settings, s)
	}
	return groups
}

// commands repeat the run.
func commands(dir string, info run.Info) []Command {
	exact := []string{"plume", "train", "--config", filepath.Join(dir, "config.toml")}
	all := []Command{{"The same run again, whatever the defaults are by then", quoted(exact)}}
	if len(info.Argv) > 1 {
		typed := append([]string{"plume"}, info.Argv[1:]...)
		all = append(all, Command{"As it was typed", quoted(typed)})
	}
	return all
}

// plain is an argument that shells take as it is.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)

// quoted is a command line for a POSIX shell.
func quoted(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = arg
		if !plain.MatchString(arg) {
			words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// facts are what is known of a run at a glance.
func facts(c config.Config, info run.Info, records []record.Epoch) (all []Fact) {
	add := func(name, value string) {
		if value != "" {
			all = append(all, Fact{name, value})
		}
	}
	add("Method", string(c.Method))
	add("Data", info.Data)
	if read := info.Read; read != nil {
		of := fmt.Sprintf("%s, %v", humanize.Comma(int64(read.Images)), info.Shape)
		if read.Classes > 0 {
			of += fmt.Sprintf(", %d classes", read.Classes)
		}
		add("Rows", of)
	}
	add("Data fingerprint", info.Fingerprint)
	if n := len(records); n > 0 {
		last := records[n-1]
		add("Trained", fmt.Sprintf("%s of %s epochs, %s steps", humanize.Comma(int64(last.Epoch)),
			humanize.Comma(int64(c.Epochs)), humanize.Comma(int64(last.Step))))
		add("Time", duration(float64(last.Seconds)))
	}
	add("Started", info.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	add("Seed", fmt.Sprint(info.Seed))
	add("plume", info.Version+", "+info.Go+", "+info.Platform)
	products := info.BLAS.Library
	if info.BLAS.Core != "" {
		products += " (" + info.BLAS.Core + ")"
	}
	add("CPU", strings.Join([]string{info.CPU, "kernels " + info.KernelPath,
		"products " + products}, ", "))
	if info.Imported != nil {
		add("Imported from", info.Imported.File)
	}
	return all
}

// duration is a time for readers.
func duration(seconds float64) string {
	if !record.Number(seconds).Finite() {
		return ""
	}
	s := int(seconds + 0.5)
	switch {
	case seconds < 60:
		return fmt.Sprintf("%.3g s", seconds)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}

// times are where the time of a run went.
func times(records []record.Epoch) []Share {
	if len(records) == 0 {
		return nil
	}
	last := records[len(records)-1]
	all := float64(last.Seconds)
	steps, saving := float64(last.StepSeconds), float64(last.CheckpointSeconds)
	if !(all > 0) || !record.Number(steps+saving).Finite() {
		return nil
	}
	share := func(name string, seconds float64) Share {
		seconds = max(0, seconds)
		return Share{name, duration(seconds), seconds / all}
	}
	return []Share{
		share("Training steps", steps), share("Waiting for checkpoints", saving),
		share("Reports and the rest", all-steps-saving),
	}
}

// memories are the parts of the memory that a run needs, and its peak.
func memories(m *run.Memory) (all []Share) {
	if m == nil || m.Sum == 0 {
		return nil
	}
	whole := float64(max(m.Sum, m.Peak))
	share := func(name string, bytes int64) Share {
		return Share{name, memory.Human(bytes), float64(bytes) / whole}
	}
	for _, part := range m.Parts {
		all = append(all, share(part.Name, part.Bytes))
	}
	all = append(all, share("sum", m.Sum))
	if m.Peak > 0 {
		all = append(all, share("peak", m.Peak))
	}
	return all
}

// measuredDifferences are the metrics of runs, of which one at least was measured.
func measuredDifferences(runs []*Run) (rows []run.Difference) {
	for _, r := range runs {
		if r.Quality == nil {
			continue
		}
		for _, m := range r.Quality.Metrics {
			name := "measured " + m.Name
			if slices.ContainsFunc(rows, func(d run.Difference) bool { return d.Name == name }) {
				continue
			}
			row := run.Difference{Name: name}
			for _, other := range runs {
				value := ""
				if other.Quality != nil {
					if found, ok := other.Quality.Metric(m.Key); ok {
						value = number(found.Value)
					}
				}
				row.Values = append(row.Values, value)
			}
			rows = append(rows, row)
		}
	}
	return rows
}
