// Package monitor serves the numbers of a run in progress, to be collected by Prometheus and what
// understands its formats.
package monitor

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/record"
)

// Monitor keeps the newest numbers of a run, which its Hook hears, and serves them: it is an
// http.Handler. The zero value serves numbers of the process alone. Its methods may be called
// concurrently.
type Monitor struct {
	mu  sync.Mutex
	now state
}

// state is what a run has told so far.
type state struct {
	start       *trainer.Start   // nil: it has not begun
	step        *record.Progress // nil: it has made no step in this session
	epoch       *record.Epoch    // the newest record of this session; nil: there is none
	fd, floor   *record.Number   // of the newest record that has a distance
	checkpoints int              // saved in this session
	saved       int              // the step of the newest
	warnings    int
	ended       bool
}

// Hook returns the functions that a trainer must call.
func (m *Monitor) Hook() trainer.Hook {
	return trainer.Hook{
		OnStart: func(s trainer.Start) { m.note(func(n *state) { n.start = &s }) },
		OnStep:  func(p record.Progress) { m.note(func(n *state) { n.step = &p }) },
		OnEpoch: func(e record.Epoch) {
			m.note(func(n *state) {
				if n.epoch = &e; e.PCA64FD != nil {
					n.fd, n.floor = e.PCA64FD, e.PCA64Floor
				}
			})
		},
		OnCheckpoint: func(step int, _ string) {
			m.note(func(n *state) { n.checkpoints, n.saved = n.checkpoints+1, step })
		},
		OnWarning: func(string) { m.note(func(n *state) { n.warnings++ }) },
		OnEnd:     func(trainer.Summary) { m.note(func(n *state) { n.ended = true }) },
	}
}

func (m *Monitor) note(change func(*state)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.now)
}

// openMetrics and plain are the types of the answer. It is written so that it is valid as both.
const (
	openMetrics = "application/openmetrics-text"
	plain       = "text/plain"
)

// ServeHTTP implements http.Handler: it writes the numbers in the format OpenMetrics, and says so
// if the client asked for that.
func (m *Monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := plain + "; version=0.0.4; charset=utf-8"
	if strings.Contains(r.Header.Get("Accept"), openMetrics) {
		kind = openMetrics + "; version=1.0.0; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(m.text()) // a client that has gone misses nothing
}

// text is the answer.
func (m *Monitor) text() []byte {
	m.mu.Lock()
	now := m.now
	m.mu.Unlock()
	var b bytes.Buffer
	if now.start != nil {
		writeInfo(&b, now.start)
		for _, g := range gauges {
			v := g.value(&now)
			if math.IsNaN(v) {
				continue // not known yet, or without a meaning in this run
			}
			g.head(&b)
			metrics.WriteGaugeFloat64(&b, g.name, v)
		}
	}
	if now.epoch != nil {
		for _, f := range families {
			f.write(&b, now.epoch)
		}
	}
	metrics.WriteProcessMetrics(&b)
	b.WriteString("# EOF\n")
	return b.Bytes()
}

// head writes what describes a gauge.
func (g gauge) head(b *bytes.Buffer) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s gauge\n", g.name, g.help, g.name)
	if g.unit != "" {
		fmt.Fprintf(b, "# UNIT %s %s\n", g.name, g.unit)
	}
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// writeInfo writes the gauge that says which run this is.
func writeInfo(b *bytes.Buffer, s *trainer.Start) {
	g := gauge{name: "plume_run", help: "1; the labels say which run the other numbers are of."}
	g.head(b)
	metrics.WriteGaugeUint64(b, label(g.name, "dir", s.Dir, "method", string(s.Config.Method),
		"data", s.Config.Data, "version", s.Info.Version), 1)
}

// label adds labels, names and values by turns, to the name of a gauge.
func label(name string, labels ...string) string {
	for i := 0; i < len(labels); i += 2 {
		value := escape.Replace(strings.ToValidUTF8(labels[i+1], "?"))
		labels[i/2] = labels[i] + `="` + value + `"`
	}
	return name + "{" + strings.Join(labels[:len(labels)/2], ",") + "}"
}
