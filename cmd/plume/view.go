package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/plume-ml/plume/trainer/record"
)

// view is the live view of a run: its progress, its numbers and its curves, in a block of lines
// that fits the terminal. Its curves are drawn anew when there is another record or another size,
// its progress with each frame.
type view struct {
	plain   bool           // without colours
	records []record.Epoch // every other one is left out when there are too many

	reported record.Epoch // the newest with a distance

	cached        []string // the curves
	dirty         bool
	drawn         time.Time
	width, height int
}

const (
	curvesInterval = time.Second / 2 // between two drawings of the curves

	mostKept   = 4096 // records of a view
	leastWide  = 60   // columns that a view needs
	leastHigh  = 16   // rows
	aboveView  = 5    // rows that are left to lines that stay, if there are as many
	headLines  = 4    // of a view, above its curves
	besidePlot = 3    // lines of a diagram besides its height: title, axis, labels
	leastPlot  = 3    // the height of a diagram
	mostPlot   = 10
	gap        = 2 // columns between diagrams
)

// add notes a record.
func (v *view) add(e record.Epoch) {
	e.PriorByLambda = nil // it is not drawn, and many records are kept
	v.records = append(v.records, e)
	if len(v.records) > mostKept {
		kept := v.records[:0]
		for i, r := range v.records {
			if i%2 == len(v.records)%2 { // not the last
				continue
			}
			kept = append(kept, r)
		}
		v.records = kept
	}
	if e.PCA64FD != nil {
		v.reported = e
	}
	v.dirty = true
}

// lines are the block for a terminal of that size; nil if it has no room for one.
func (v *view) lines(p record.Progress, width, height int, now time.Time) []string {
	if width < leastWide || height < leastHigh {
		return nil
	}
	width-- // in the last column some terminals hold the cursor back
	// The end of a run stays on the terminal, with all its curves.
	due := p.Step == p.Steps || now.Sub(v.drawn) >= curvesInterval
	if v.dirty && due || v.width != width || v.height != height {
		v.width, v.height, v.dirty, v.drawn = width, height, false, now
		v.cached = v.curves()
	}
	block := []string{v.bar(p, width), v.progress(p), v.quality(), v.health()}
	for i, line := range block {
		block[i] = strings.TrimRight(padded(line, width), " ")
	}
	return append(block, v.cached...)
}

// bar is the share of the run that is done.
func (v *view) bar(p record.Progress, width int) string {
	share := 0.0
	if p.Steps > 0 {
		share = float64(p.Step) / float64(p.Steps)
	}
	percent := fmt.Sprintf(" %3.0f %%", math.Floor(100*share))
	width -= len(percent)
	done := int(share * float64(width))
	return strings.Repeat("━", done) + strings.Repeat("─", width-done) + percent
}

// progress is the line of a step.
func (v *view) progress(p record.Progress) string {
	line := stepLine(p)
	if len(line) >= v.width {
		line = narrow.Replace(line)
	}
	return line
}

// last is the newest record.
func (v *view) last() record.Epoch {
	if n := len(v.records); n > 0 {
		return v.records[n-1]
	}
	nan := record.Number(math.NaN())
	return record.Epoch{EnergyNats: nan, LatentMS: nan, Redrawn: nan, PeakShare: nan}
}

// known is NaN for nil.
func known(n *record.Number) record.Number {
	if n == nil {
		return record.Number(math.NaN())
	}
	return *n
}

// quality is the line of the numbers of the newest record.
func (v *view) quality() string {
	e, fd := v.last(), figure("PCA-64 FD", 2, known(v.reported.PCA64FD))
	if floor := v.reported.PCA64Floor; floor != nil {
		fd += fmt.Sprintf(" (real %.2f)", float64(*floor))
	}
	return join([]string{
		figure("held-out mse", 4, known(e.HeldOutMSE)), figure("energy", 1, e.EnergyNats),
		figure("held-out", 1, known(e.HeldOutNats)), fd,
	})
}

// health is the line of what tells whether the run does well.
func (v *view) health() string {
	e := v.last()
	idle, busy := 0.0, 0.0
	for name, seconds := range e.PhaseSeconds {
		if busy += float64(seconds); name == "idle" {
			idle = float64(seconds)
		}
	}
	share := record.Number(math.NaN())
	if busy > 0 {
		share = record.Number(idle / busy)
	}
	return join([]string{
		figure("z^2", 2, e.LatentMS), percent("redrawn", e.Redrawn),
		percent("of the peak", e.PeakShare), percent("idle", share),
	})
}

// panel is a diagram of a view: columns of the records, and what they are called.
type panel struct {
	title string
	names []string // of the columns, in the title; "" for the only one
	of    []string // columns
}

// panels are what a view shows, the most telling first.
var panels = []panel{
	{"MSE", []string{"training", "held-out"}, []string{"recon_mse", "heldout_mse"}},
	{"PCA-64 FD", []string{"samples", "real"}, []string{"pca64_fd", "pca64_fd_floor"}},
	{"energy, nats", []string{"training", "held-out"}, []string{"energy_nats", "heldout_nats"}},
	{"prior loss, nats a dimension", []string{""}, []string{"prior_loss"}},
	{"rows/s", []string{""}, []string{"rows_per_s"}},
}

// curves draws the diagrams, two beside each other, in two rows where there is room.
func (v *view) curves() []string {
	room := v.height - 1 - headLines - aboveView
	rows := 1
	if room >= 2*(leastPlot+3+besidePlot) {
		rows = 2
	}
	high := max(leastPlot, min(mostPlot, room/rows-besidePlot-1))
	each := (v.width - gap) / 2
	var drawn [][]string
	for _, p := range panels {
		if lines := v.draw(p, each, high); lines != nil && len(drawn) < 2*rows {
			drawn = append(drawn, lines)
		}
	}
	for len(drawn) < 2*rows {
		drawn = append(drawn, nil)
	}
	var out []string
	for i := 0; i < len(drawn); i += 2 {
		for k := range high + 1 + besidePlot {
			at := func(lines []string) string {
				if k < len(lines) {
					return lines[k]
				}
				return ""
			}
			line := padded(at(drawn[i]), each+gap) + padded(at(drawn[i+1]), each)
			out = append(out, strings.TrimRight(line, " "))
		}
	}
	if len(v.records) == 0 {
		out[0] = "curves begin with the first epoch"
	}
	return out
}

// draw draws a panel; nil if there is nothing to draw yet.
func (v *view) draw(p panel, width, high int) []string {
	var curves []curve
	var names []string
	low, top := math.Inf(1), math.Inf(-1)
	for i, name := range p.of {
		x, y := record.Curve(v.records, "step", name)
		if len(x) == 0 {
			continue
		}
		curves = append(curves, curve{Column: name, X: x, Y: y})
		names = append(names, p.names[i])
		low, top = min(low, slices.Min(y)), max(top, slices.Max(y))
	}
	if len(curves) == 0 {
		return nil
	}
	c := curvesCommand{by: "step", width: width, height: high, log: low > 0 && top > 5*low}
	last := v.records[len(v.records)-1].Step
	marks, text, err := c.plot(curves, 0, max(1, float64(last)), v.plain)
	if err != nil {
		return nil
	}
	title := p.title
	if c.log {
		title += " (log)"
	}
	for i, mark := range marks {
		title += "  " + strings.TrimSpace(mark+" "+names[i])
	}
	return append([]string{strings.TrimRight(padded(title, width), " ")},
		strings.Split(strings.TrimRight(text, "\n"), "\n")...)
}
