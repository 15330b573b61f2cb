package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/plume-ml/plume/blas"
)

// Goals of the comparison: the speed relative to PyTorch in the same precision, the speed of two
// threads relative to one, and the share of the machine's rate of multiply-adds in float32.
const (
	wantedRatio   = 1.5 // in float32
	wantedSpeedup = 1.9
)

var (
	wantedInBF16 = map[string]float64{"S": 2.5, "L": 2.3, "D": 2.8, "C": 3, sampling: 2} // with AMX
	wantedShare  = map[string]float64{"S": 0.65, "L": 0.75}
)

func (t *tournament) markdown(found []candidate, notes []string) string {
	var b strings.Builder
	t.header(&b)
	for _, p := range t.precisions {
		fmt.Fprintf(&b, "\nProducts in %s:\n", p)
		t.speeds(&b, p)
		t.beside(&b, p)
		t.speedups(&b, p)
	}
	if len(t.precisions) > 1 {
		t.fastestOfAll(&b)
	}
	tried(&b, found)
	for _, n := range slices.Compact(slices.Sorted(slices.Values(notes))) {
		fmt.Fprintf(&b, "%s\n", n)
	}
	b.WriteString("\n" + t.watch.text())
	return b.String()
}

func (t *tournament) header(b *strings.Builder) {
	about := map[string]bool{}
	for _, e := range t.entrants {
		about[e.about] = true
	}
	sides := strings.Join(slices.Sorted(maps.Keys(about)), "; ")
	const text = "%s; %s; %s. Medians of %d interleaved rounds.\n"
	fmt.Fprintf(b, text, cpu(), runtime.Version(), sides, t.rounds)
}

// speeds is plume's own table.
func (t *tournament) speeds(b *strings.Builder, p blas.Precision) {
	b.WriteString("\n| | rows | plume | threads | ms | rows/s | GFLOP/s | of the FMA peak " +
		"| wanted | met |\n" +
		"|---|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range t.outcomes {
		for _, e := range t.plume(p) {
			ms := median(o.times[e])
			share := o.share(e)
			const line = "| %s | %d | %s | %d | %s | %.0f | %.1f | %.0f %% |"
			fmt.Fprintf(b, line, o.name, o.rows(), e.family, e.threads,
				number(ms), float64(o.rows())/ms*1e3, o.operations()/ms/1e6, 100*share)
			wanted := wantedShare[o.name]
			if wanted == 0 || e.threads != 2 || p != blas.Float32 {
				b.WriteString(" | |\n")
				continue
			}
			fmt.Fprintf(b, " %.0f %% | %s |\n", 100*wanted, yes(share >= wanted))
		}
	}
}

// share is the median over the rounds of the share of the peak with as many threads.
func (o *outcome) share(e *entrant) float64 {
	least := make([]float64, len(o.times[e])) // ms at the peak
	operations := o.operations()
	for i, peak := range o.peaks[e.threads] {
		least[i] = operations / peak * 1e3
	}
	return ratio(least, o.times[e])
}

func (t *tournament) plume(p blas.Precision) (list []*entrant) {
	for _, e := range t.entrants {
		if e.threads > 0 && e.way.precision() == p {
			list = append(list, e)
		}
	}
	return list
}

// beside compares plume on all threads with the best of each family.
func (t *tournament) beside(b *strings.Builder, p blas.Precision) {
	b.WriteString("\n| | plume | ms | beside | as it is fastest | ms | ratio | wanted | met |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range t.outcomes {
		wanted := wantedRatio
		if p != blas.Float32 {
			wanted = wantedInBF16[o.name]
		}
		for _, e := range t.plume(p) {
			if e.threads != mostThreads() {
				continue
			}
			for _, other := range t.fastest(o, p) {
				x := ratio(o.times[other], o.times[e])
				fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %.2f |",
					o.name, e.family, number(median(o.times[e])),
					other.family, other.described(), number(median(o.times[other])), x)
				if other.isTorch() {
					fmt.Fprintf(b, " %.1f | %s |\n", wanted, yes(x >= wanted))
				} else {
					b.WriteString(" | |\n")
				}
			}
		}
	}
}

// fastest returns the fastest entrant of each family of the other sides in a precision, by the
// families' names.
func (t *tournament) fastest(o *outcome, p blas.Precision) (list []*entrant) {
	best := map[string]*entrant{}
	for _, e := range t.entrants {
		if e.threads == 0 && e.way.precision() == p {
			best[e.family] = o.faster(best[e.family], e)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(best)) {
		if best[name] != nil {
			list = append(list, best[name])
		}
	}
	return list
}

// faster returns the one that was faster; one of them, or nil, if the other was not measured.
func (o *outcome) faster(a, b *entrant) *entrant {
	switch {
	case len(o.times[b]) == 0:
		return a
	case a == nil || !(median(o.times[a]) <= median(o.times[b])):
		return b
	}
	return a
}

// fastestOfAll compares plume in its fastest precision with PyTorch in its fastest.
func (t *tournament) fastestOfAll(b *strings.Builder) {
	lines := ""
	for _, o := range t.outcomes {
		var own, torch *entrant
		for _, e := range t.entrants {
			switch {
			case e.threads == mostThreads():
				own = o.faster(own, e)
			case e.isTorch():
				torch = o.faster(torch, e)
			}
		}
		if own == nil || torch == nil {
			continue
		}
		lines += fmt.Sprintf("| %s | %s | %s | %s | %s | %.2f |\n",
			o.name, own.family, number(median(o.times[own])),
			torch.described(), number(median(o.times[torch])),
			ratio(o.times[torch], o.times[own]))
	}
	if lines != "" {
		b.WriteString("\nThe fastest in any precision:\n\n" +
			"| | plume | ms | PyTorch | ms | ratio |\n|---|---|---|---|---|---|\n" + lines)
	}
}

// isTorch says whether the entrant is PyTorch, by hand or not.
func (e *entrant) isTorch() bool { return strings.HasPrefix(e.family, "PyTorch") }

// described is the framework, the setting and the way of one of the other sides.
func (e *entrant) described() string {
	return strings.Trim(e.setting.framework+", "+e.label, ", ")
}

// speedups compares all threads with one.
func (t *tournament) speedups(b *strings.Builder, p blas.Precision) {
	b.WriteString("\n| | plume | threads | faster than one | wanted | met |\n" +
		"|---|---|---|---|---|---|\n")
	for _, o := range t.outcomes {
		for _, one := range t.plume(p) {
			for _, all := range t.plume(p) {
				if one.threads != 1 || all.threads == 1 || one.family != all.family {
					continue
				}
				x := ratio(o.times[one], o.times[all])
				fmt.Fprintf(b, "| %s | %s | %d | %.2f |", o.name, one.family, all.threads, x)
				if all.threads == 2 && o.images == 0 {
					fmt.Fprintf(b, " %.1f | %s |\n", wantedSpeedup, yes(x >= wantedSpeedup))
				} else {
					b.WriteString(" | |\n")
				}
			}
		}
	}
}

// tried lists every way with the setting in which it was fastest in the first measurement.
func tried(b *strings.Builder, found []candidate) {
	type key struct {
		framework string
		way       way
	}
	cells, works, rows := map[key]map[string]candidate{}, []string{}, []key{}
	for _, c := range found {
		k := key{c.setting.framework, c.way}
		if cells[k] == nil {
			cells[k] = map[string]candidate{}
			rows = append(rows, k)
		}
		if !slices.Contains(works, c.work) {
			works = append(works, c.work)
		}
		if old, ok := cells[k][c.work]; !ok || c.first < old.first {
			cells[k][c.work] = c
		}
	}
	if len(rows) == 0 {
		return
	}
	const text = "\nWhat was tried, milliseconds at first sight in the best setting of each:\n\n" +
		"| | way | %s |\n|---|---|%s\n"
	fmt.Fprintf(b, text, strings.Join(works, " | "), strings.Repeat("---|", len(works)))
	for _, k := range rows {
		fmt.Fprintf(b, "| %s | %s |", k.framework, k.way)
		for _, w := range works {
			if c, ok := cells[k][w]; ok {
				cell := number(c.first) + " " + parenthesis(c.setting.label)
				fmt.Fprintf(b, " %s |", strings.TrimSpace(cell))
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func parenthesis(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func yes(met bool) string {
	if met {
		return "yes"
	}
	return "no"
}
