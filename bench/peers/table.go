package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/klauspost/cpuid/v2"

	"github.com/plume-ml/plume/kernel"
)

// row is a line of the table: a kernel over n elements. bytes, where memory bounds the kernel, is what
// an element moves: four for an array that is only read, eight for one that is written (written
// back after it was read, or, where it was not, its lines fetched before they are overwritten).
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
	{kernel: "bias+silu", n: cached}, {kernel: "bias+silu", n: large},
	{kernel: "silu-backward", n: cached}, {kernel: "silu-backward", n: large, bytes: 16},
	{kernel: "adam", n: cached}, {kernel: "adam", n: large, bytes: 28},
	{kernel: "sgd", n: cached}, {kernel: "sgd", n: large, bytes: 12},
	{kernel: "ema", n: cached}, {kernel: "ema", n: large, bytes: 12},
	{kernel: "score-residual", n: cached}, {kernel: "sinusoids", n: cached}, {kernel: "u8-to-f32", n: cached},
	{kernel: "axpy", n: cached}, {kernel: "axpy", n: large, bytes: axpyBytes},
}

const axpyBytes = 12

type results struct {
	sides  []*side
	rounds int
	rows   []row
	notes  map[string]bool // what sides said beside their numbers
}

// measure asks every side for the row, round by round.
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
				return fmt.Errorf("%s answered %q to %s %d: want nanoseconds", s.name, answer, w.kernel, w.n)
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

// median of an odd number of values is the middle one, of an even number the mean of the two.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// ratio is the median of a/b over the rounds; NaN if a side did not measure.
func ratio(a, b []float64) float64 {
	q := make([]float64, min(len(a), len(b)))
	for i := range q {
		q[i] = a[i] / b[i]
	}
	return median(q)
}

// number prints x with three digits.
func number(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	case x >= 1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.3f", x)
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
	fmt.Fprintf(b, ". Nanoseconds per element on one core, medians of %d interleaved rounds:\n\n", r.rounds)
}

func cpu() string {
	name := kernel.Info().CPU
	if name == "" {
		name = runtime.GOARCH
	}
	if cpuid.CPU.Family != 0 {
		name += fmt.Sprintf(", family %d, model %d", cpuid.CPU.Family, cpuid.CPU.Model)
	}
	return name
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

// Marks of the generated part of a file.
const (
	beginMark = "<!-- kernels: written by go run ./bench/peers -write -->"
	endMark   = "<!-- kernels: end -->"
)

// insert replaces what stands between the marks of a file.
func insert(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	whole, err := between(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return renameio.WriteFile(file, []byte(whole), 0o644)
}

func between(old, text string) (string, error) {
	head, rest, begins := strings.Cut(old, beginMark+"\n")
	_, tail, ends := strings.Cut(rest, endMark)
	if !begins || !ends || strings.Contains(tail, beginMark) {
		return "", fmt.Errorf("want one line %q and after it one line %q", beginMark, endMark)
	}
	return head + beginMark + "\n\n" + strings.TrimSpace(text) + "\n\n" + endMark + tail, nil
}
