package main

import (
	"fmt"
	"math"
	"strings"
)

// goal is a ratio that the kernels should keep: side a's time over side b's is at most or at least
// limit. PyTorch stands for the faster of its columns.
type goal struct {
	kernel string
	n      int
	a, b   string
	atMost bool
	limit  float64
}

var goals = []goal{
	{"langevin", cached, "avx512", cAVX512, true, 1.2},
	{"langevin", cached, "avx2", cAVX2, true, 1.2},
	{"langevin", cached, torch, "avx512", false, 4.5},
	{"langevin", cached, goRand, "avx512", false, 7},
	{"silu", cached, torch, "avx512", false, 2.5},
	{"silu-backward", cached, torch, "avx512", false, 2.5},
	{"adam", cached, torch, "avx512", false, 2.5},
	{"silu-backward", large, torch, "avx512", false, 4},
	{"adam", large, torch, "avx512", false, 4},
}

// bandwidthLimit is the largest accepted time per byte of a kernel that is bound by memory,
// relative to an axpy.
const bandwidthLimit = 1.3

func (g goal) met(x float64) string {
	switch {
	case math.IsNaN(x):
		return ""
	case g.atMost && x <= g.limit, !g.atMost && x >= g.limit:
		return "yes"
	}
	return "no"
}

func (g goal) want() string {
	if g.atMost {
		return fmt.Sprintf("at most %g", g.limit)
	}
	return fmt.Sprintf("at least %g", g.limit)
}

func (r *results) ratios(b *strings.Builder) {
	b.WriteString("\n| ratio of times | n | measured | wanted | met |\n|---|---|---|---|---|\n")
	for _, g := range goals {
		if w := r.find(g.kernel, g.n); w != nil {
			x := ratio(w.of(g.a), w.of(g.b))
			g.line(b, fmt.Sprintf("%s: %s / %s", g.kernel, g.a, g.b), x)
		}
	}
	there, back := r.find("silu", cached), r.find("silu-backward", cached)
	if there != nil && back != nil {
		g := goal{n: cached, limit: 2.5}
		x := ratio(sum(there, back, torch), sum(there, back, "avx512"))
		g.line(b, "silu and silu-backward: PyTorch / avx512", x)
	}
	for _, w := range r.rows {
		if w.bytes > 0 && w.kernel != yardstick {
			g := goal{n: w.n, atMost: true, limit: bandwidthLimit}
			x := ratio(w.of(r.best()), w.of(yardstick)) * axpyBytes / w.bytes
			const name = "%s: %s / axpy, for a byte (%g of an element)"
			g.line(b, fmt.Sprintf(name, w.kernel, r.best(), w.bytes), x)
		}
	}
	if w := r.find(yardstick, large); w != nil {
		rate := axpyBytes / median(w.of(r.best()))
		fmt.Fprintf(b, "\nAn axpy moves %.1f GB/s at 2^24 (%d bytes an element).\n",
			rate, axpyBytes)
	}
}

// sum adds the times of two rows, round by round.
func sum(a, b *row, side string) (total []float64) {
	x, y := a.of(side), b.of(side)
	for i := range min(len(x), len(y)) {
		total = append(total, x[i]+y[i])
	}
	return total
}

func (g goal) line(b *strings.Builder, name string, x float64) {
	text := "absent"
	if !math.IsNaN(x) {
		text = number(x)
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, size(g.n), text, g.want(), g.met(x))
}

func (r *results) find(kernel string, n int) *row {
	for i, w := range r.rows {
		if w.kernel == kernel && w.n == n {
			return &r.rows[i]
		}
	}
	return nil
}

// best is the best kernel path of this CPU.
func (r *results) best() (name string) {
	for _, path := range ownPaths() {
		for _, s := range r.sides {
			if s.name == path && s.absent == "" {
				name = path
			}
		}
	}
	return name
}

// of returns the times of a side; for PyTorch, those of its faster column.
func (w *row) of(side string) []float64 {
	t, other := w.times[side], w.times[torchAVX512]
	if side == torch && len(other) > 0 && !(median(t) <= median(other)) {
		return other
	}
	return t
}
