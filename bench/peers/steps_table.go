package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
)

// Goals of the comparison: the speed relative to PyTorch, the speed of two threads relative to
// one, and the share of the machine's rate of multiply-adds.
const (
	wantedRatio   = 1.5
	wantedSpeedup = 1.9
)

var wantedShare = map[string]float64{"S": 0.65, "L": 0.75}

func (t *tournament) markdown(found []candidate, notes []string) string {
	var b strings.Builder
	t.header(&b)
	t.speeds(&b)
	t.beside(&b)
	t.speedups(&b)
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
func (t *tournament) speeds(b *strings.Builder) {
	b.WriteString("\n| | rows | plume | threads | ms | rows/s | GFLOP/s | of the FMA peak " +
		"| wanted | met |\n" +
		"|---|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range t.outcomes {
		for _, e := range t.plume() {
			ms := median(o.times[e])
			share := o.share(e)
			const line = "| %s | %d | %s | %d | %s | %.0f | %.1f | %.0f %% |"
			fmt.Fprintf(b, line, o.name, o.rows(), e.family, e.threads,
				number(ms), float64(o.rows())/ms*1e3, o.operations()/ms/1e6, 100*share)
			wanted := wantedShare[o.name]
			if wanted == 0 || e.threads != 2 {
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

func (t *tournament) plume() (list []*entrant) {
	for _, e := range t.entrants {
		if e.threads > 0 {
			list = append(list, e)
		}
	}
	return list
}

// beside compares plume on all threads with the best of each family.
func (t *tournament) beside(b *strings.Builder) {
	b.WriteString("\n| | plume | ms | beside | as it is fastest | ms | ratio | wanted | met |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	counts := threadCounts()
	for _, o := range t.outcomes {
		for _, e := range t.plume() {
			if e.threads != counts[len(counts)-1] {
				continue
			}
			for _, other := range t.fastest(o) {
				x := ratio(o.times[other], o.times[e])
				setting := strings.Trim(other.setting.framework+", "+other.label, ", ")
				fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %.2f |",
					o.name, e.family, number(median(o.times[e])),
					other.family, setting, number(median(o.times[other])), x)
				if strings.HasPrefix(other.family, "PyTorch") {
					fmt.Fprintf(b, " %.1f | %s |\n", wantedRatio, yes(x >= wantedRatio))
				} else {
					b.WriteString(" | |\n")
				}
			}
		}
	}
}

// fastest returns the fastest entrant of each family of the other sides, by the families' names.
func (t *tournament) fastest(o *outcome) (list []*entrant) {
	best := map[string]*entrant{}
	for _, e := range t.entrants {
		if e.threads > 0 || len(o.times[e]) == 0 {
			continue
		}
		if b := best[e.family]; b == nil || !(median(o.times[b]) <= median(o.times[e])) {
			best[e.family] = e
		}
	}
	for _, name := range slices.Sorted(maps.Keys(best)) {
		list = append(list, best[name])
	}
	return list
}

// speedups compares all threads with one.
func (t *tournament) speedups(b *strings.Builder) {
	b.WriteString("\n| | plume | threads | faster than one | wanted | met |\n" +
		"|---|---|---|---|---|---|\n")
	for _, o := range t.outcomes {
		for _, one := range t.plume() {
			for _, all := range t.plume() {
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
	type key struct{ framework, way string }
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
