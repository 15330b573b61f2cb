package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// row is a line of the table: a kernel over n elements. bytes is the traffic of an element if
// memory bounds the kernel: four for an array that is only read and eight for one that is written,
// whose cache lines are read first in any case.
type row struct {
	kernel string
	n      int
	bytes  float64
	times  map[string][]float64 // ns per element, by side and round
}

const (
	cached = 1 << 14
	large  = 1 << 24
)

var rows = []row{
	{kernel: "langevin", n: cached}, {kernel: "langevin", n: large},
	{kernel: "underdamped", n: cached}, {kernel: "underdamped", n: large},
	{kernel: "normals", n: cached},
	{kernel: "silu", n: cached}, {kernel: "silu", n: large, bytes: 16},
	{kernel: "silu-backward", n: cached}, {kernel: "silu-backward", n: large, bytes: 16},
	{kernel: "adam", n: cached}, {kernel: "adam", n: large, bytes: 28},
	{kernel: "sgd", n: cached}, {kernel: "sgd", n: large, bytes: 12},
	{kernel: "ema", n: cached}, {kernel: "ema", n: large, bytes: 12},
	{kernel: "score-residual", n: cached}, {kernel: "sinusoids", n: cached},
	{kernel: "u8-to-f32", n: cached},
	{kernel: "axpy", n: cached}, {kernel: "axpy", n: large, bytes: axpyBytes},
}

const axpyBytes = 12

type results struct {
	sides  []*side
	rounds int
	rows   []row
	notes  map[string]bool // from the sides' answers
}

// measure measures a row, with all sides in every round.
func (r *results) measure(w row) error {
	w.times = map[string][]float64{}
	if r.notes == nil {
		r.notes = map[string]bool{}
	}
	for range r.rounds {
		for _, s := range r.sides {
			if s.absent != "" || (s.name == yardstick && w.bytes == 0) {
				continue
			}
			if s.light && w.n == cached {
				if err := s.renew(); err != nil {
					return err
				}
			}
			answer, err := s.ask(fmt.Sprintf("%s %d", w.kernel, w.n))
			if err != nil {
				return err
			}
			if answer == "none" {
				continue
			}
			number, note, _ := strings.Cut(answer, " ")
			ns, err := strconv.ParseFloat(number, 64)
			if err != nil {
				const text = "%s answered %q to %s %d: want nanoseconds"
				return fmt.Errorf(text, s.name, answer, w.kernel, w.n)
			}
			w.times[s.name] = append(w.times[s.name], ns)
			if note != "" {
				r.notes[fmt.Sprintf("%s: `%s`", w.kernel, note)] = true
			}
		}
	}
	r.rows = append(r.rows, w)
	return nil
}

func (r *results) markdown() string {
	var b strings.Builder
	r.header(&b)
	r.table(&b)
	r.ratios(&b)
	return b.String()
}

func (r *results) header(b *strings.Builder) {
	fmt.Fprintf(b, "%s; %s", cpu(), runtime.Version())
	seen := map[string]bool{}
	for _, s := range r.sides {
		if s.absent == "" && s.about != "none" && !seen[s.about] {
			seen[s.about] = true
			fmt.Fprintf(b, "; %s", s.about)
		}
	}
	const text = ". Nanoseconds per element on one core, medians of %d interleaved rounds:\n\n"
	fmt.Fprintf(b, text, r.rounds)
}

// table prints a line for each row and a column for each side but the yardstick.
func (r *results) table(b *strings.Builder) {
	b.WriteString("| kernel | n |")
	rule := "|---|---|"
	for _, s := range r.sides {
		if s.name != yardstick {
			fmt.Fprintf(b, " %s |", s.name)
			rule += "---|"
		}
	}
	b.WriteString("\n" + rule + "\n")
	for _, w := range r.rows {
		fmt.Fprintf(b, "| %s | %s |", w.kernel, size(w.n))
		for _, s := range r.sides {
			if s.name != yardstick {
				fmt.Fprintf(b, " %s |", cell(s, w.times[s.name]))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, s := range r.sides {
		if s.absent != "" {
			fmt.Fprintf(b, "%s is absent: %s.\n", s.name, strings.TrimSuffix(s.absent, "."))
		}
	}
	if len(r.notes) > 0 {
		fmt.Fprintf(b, "PyTorch ran %s.\n", strings.Join(slices.Sorted(maps.Keys(r.notes)), "; "))
	}
}

func cell(s *side, times []float64) string {
	switch {
	case s.absent != "":
		return "absent"
	case len(times) == 0:
		return ""
	}
	return number(median(times))
}

func size(n int) string {
	if n == large {
		return "2^24"
	}
	return strconv.Itoa(n)
}
