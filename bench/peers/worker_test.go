package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// TestServe uses the line protocol with a worker that counts its preparations.
func TestServe(t *testing.T) {
	var prepared []string
	prepare := func(name string, n int) func() {
		prepared = append(prepared, fmt.Sprint(name, n))
		if name == "unknown" {
			return nil
		}
		return func() {}
	}
	var out strings.Builder
	answer := (&kernelWorker{prepare: prepare}).answer
	in := strings.NewReader("about 0\na 8\na 8\nunknown 8\na 8\n")
	if err := serve(in, &out, answer); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a8", "unknown8", "a8"}; !slices.Equal(prepared, want) {
		t.Errorf("prepared %v, want %v", prepared, want)
	}
	answers := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(answers) != 5 || answers[0] != "none" || answers[3] != "none" {
		t.Fatalf("answers %q", answers)
	}
	for _, i := range []int{1, 2, 4} {
		if x, err := strconv.ParseFloat(answers[i], 64); err != nil || x <= 0 {
			t.Errorf("answer %q: want nanoseconds", answers[i])
		}
	}
	if err := serve(strings.NewReader("a\n"), &out, answer); err == nil {
		t.Error("no error for half a line")
	}
}

// TestKernels runs every row once, at a small size, in both of Go's workers.
func TestKernels(t *testing.T) {
	for _, w := range rows {
		run := plumeKernel(w.kernel, 8192)
		if run == nil {
			t.Errorf("no kernel %s", w.kernel)
			continue
		}
		run()
	}
	if plumeKernel("unknown", 8) != nil || randKernel("unknown", 8) != nil {
		t.Error("an unknown kernel was prepared")
	}
	for _, name := range []string{"langevin", "normals"} {
		randKernel(name, 64)()
	}
}

func TestCompare(t *testing.T) {
	m := checkMove()
	clipped := kernel.Overdamped(m)
	if rows := len(m.IDs); clipped == 0 || clipped == rows {
		t.Errorf("%d of %d rows are clipped: want some", clipped, rows)
	}
	words := []string{strconv.Itoa(clipped)}
	for _, z := range m.Z {
		words = append(words, fmt.Sprintf("%08x", math.Float32bits(z)))
	}
	if err := compare(strings.Join(words, " "), clipped, m.Z); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(w []string) []string{
		"clipped": func(w []string) []string { w[0] = "0"; return w },
		"number": func(w []string) []string {
			w[77] = fmt.Sprintf("%08x", math.Float32bits(m.Z[76]+2e-6))
			return w
		},
		"nan":    func(w []string) []string { w[77] = "7fc00000"; return w },
		"text":   func(w []string) []string { w[77] = "x"; return w },
		"length": func(w []string) []string { return w[1:] },
	} {
		answer := strings.Join(change(slices.Clone(words)), " ")
		if err := compare(answer, clipped, m.Z); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestWithout(t *testing.T) {
	env := []string{"A=1", "OPENBLAS_CORETYPE=x", "PLUME_KERNEL=y", "B=2"}
	got := without(env, "OPENBLAS_", "PLUME_KERNEL=")
	if want := []string{"A=1", "B=2"}; !slices.Equal(got, want) {
		t.Errorf("without = %v, want %v", got, want)
	}
}

func TestErrorLine(t *testing.T) {
	for out, want := range map[string]string{
		"x.c:3:2: error: no AVX-512\nx.c:4: note: so": "no AVX-512",
		"Traceback\nImportError: torch\n":             "ImportError: torch",
		"":                                            "",
	} {
		if got := errorLine([]byte(out)); got != want {
			t.Errorf("errorLine(%q) = %q, want %q", out, got, want)
		}
	}
}
