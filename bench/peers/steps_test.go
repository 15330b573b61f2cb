package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
)

// TestRepeated: the first run does not count, and the rest are whole groups.
func TestRepeated(t *testing.T) {
	runs := 0
	r := &repeated{func() error { runs++; return nil }, 4}
	if ms, err := r.time(0); err != nil || !(ms >= 0) || runs != 5 {
		t.Errorf("%v ms, %v after %d runs, want 5", ms, err, runs)
	}
	bad := errors.New("bad")
	r.run = func() error { return bad }
	if _, err := r.time(0); err != bad {
		t.Errorf("error %v", err)
	}
}

// TestTraining makes steps as a worker does: every minibatch is repeated as configured.
func TestTraining(t *testing.T) {
	for _, images := range []int{0, 9} {
		w, digits, _ := tiny(t, images)
		p := pool.New(2)
		defer p.Close()
		training, err := w.training(digits, p)
		if err != nil {
			t.Fatal(err)
		}
		r := training.repeated()
		if want := map[int]int{0: 4, 9: 1}[images]; r.group != want {
			t.Errorf("groups of %d, want %d", r.group, want)
		}
		before := slices.Clone(training.state["cloud/z"])
		for range 2 * r.group {
			if err := r.run(); err != nil {
				t.Fatal(err)
			}
		}
		moved := 0
		for i, z := range training.state["cloud/z"] {
			if z != before[i] {
				moved++
			}
		}
		if want := map[int]int{0: 2 * w.rows() * w.config.Latent, 9: 0}[images]; moved != want {
			t.Errorf("%d coordinates moved, want %d", moved, want)
		}
	}
}

func TestStepWorker(t *testing.T) {
	name := blas.Info().Backend
	answer, err := newWorker("steps/" + name + "/2")
	if err != nil {
		t.Fatal(err)
	}
	if about, err := answer("about 0"); err != nil || about == "" {
		t.Errorf("about: %q, %v", about, err)
	}
	for _, line := range []string{
		"", "time S", "time nothing float32", "time S bf32", "check S float32",
	} {
		if got, err := answer(line); err == nil {
			t.Errorf("%q: answer %q, want an error", line, got)
		}
	}
	for _, kind := range []string{
		"", "nothing", "steps", "steps/" + name, "steps/" + name + "/0",
		"steps/nothing/1", "other/" + name + "/1",
	} {
		if _, err := newWorker(kind); err == nil {
			t.Errorf("worker %q: no error", kind)
		}
	}
}

func TestChoose(t *testing.T) {
	torch := setting{framework: "PyTorch 1.13", label: "a"}
	other := setting{framework: "PyTorch 2.15", label: "b"}
	jax := setting{framework: "JAX 1"}
	found := []candidate{
		{torch, "S", "bf16-autograd", 1},
		{torch, "S", "autograd", 5}, {torch, "S", "by-hand", 4}, {torch, "S", "by-hand-x2", 3},
		{other, "S", "by-hand-x2", 2}, {other, "S", "compile", 3}, {other, "S", "convolution", 6},
		{jax, "S", "jit", 9}, {torch, "L", "autograd", 50},
	}
	var got []string
	for _, c := range choose(found) {
		got = append(got, fmt.Sprintf("%s: %s %s %v", c.family(), c.work, c.way, c.first))
	}
	want := []string{
		"PyTorch: S bf16-autograd 1",
		"PyTorch, by hand: S by-hand-x2 2", "PyTorch, by hand: S by-hand-x2 3",
		"PyTorch: S compile 3", "PyTorch: S autograd 5",
		"JAX: S jit 9", "PyTorch: L autograd 50",
	}
	if !slices.Equal(got, want) {
		t.Errorf("chose %q, want %q", got, want)
	}
	if found[1].first != 5 {
		t.Error("choose sorted its argument")
	}
}

func TestThreads(t *testing.T) {
	base := setting{framework: "PyTorch 1", env: []string{"A=1"}}
	all := threadCounts()
	labels := map[string]bool{}
	for _, s := range base.threads(false, true) {
		labels[s.label] = true
		threads := func(e string) bool { return strings.HasPrefix(e, "OMP_NUM_THREADS=") }
		if s.env[0] != "A=1" || !slices.ContainsFunc(s.env, threads) {
			t.Errorf("%s: environment %q", s.label, s.env)
		}
	}
	if want := map[int]int{1: 1, 2: 5}[len(all)]; len(labels) != want {
		t.Errorf("%d settings, want %d: %v", len(labels), want, labels)
	}
	if n := len(base.threads(true, true)); n != len(all) {
		t.Errorf("%d settings with MKL, want %d", n, len(all))
	}
	if len(base.env) != 1 {
		t.Errorf("the setting varied now has %q", base.env)
	}
}

func TestSettings(t *testing.T) {
	if list := settings(t.TempDir(), []string{"no-such-interpreter"}); len(list) > 0 {
		t.Errorf("settings of nothing: %v", list)
	}
}

// TestWatch: the time of a waiting process is not counted.
func TestWatch(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		w := watch{}
		if err := w.during(nil, func() error { return nil }); err != nil || w.text() != "" {
			t.Errorf("without /proc: %v, %q", err, w.text())
		}
		return
	}
	used, err := processTime(os.Getpid())
	if err != nil || used < 0 || used > 1e6 {
		t.Errorf("this process used %v s, %v", used, err)
	}
	if _, err := processTime(-1); err == nil {
		t.Error("no error for a process that is not there")
	}
	idle := &side{name: "idle", cmd: exec.Command("sleep", "60")}
	if err := idle.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { idle.cmd.Process.Kill(); idle.cmd.Wait() }()
	w, called := watch{sides: []*side{idle}}, false
	err = w.during(&side{name: "other"}, func() error { called = true; return nil })
	if err != nil || !called {
		t.Errorf("during: %v, called %v", err, called)
	}
	if len(w.strangers) != 1 || w.idle > 0.5 ||
		!strings.Contains(w.text(), "the others together used at most") {
		t.Errorf("saw %+v: %s", w, w.text())
	}
	bad := errors.New("bad")
	if err := w.during(idle, func() error { return bad }); err != bad {
		t.Errorf("error %v", err)
	}
}

// TestTables has one shape whose numbers are easy to follow.
func TestTables(t *testing.T) {
	all := mostThreads()
	blasSide, torchSide := &side{about: "B 1"}, &side{about: "PyTorch 9"}
	torch := func(label string, w way) *entrant {
		return &entrant{
			side: torchSide, family: "PyTorch", label: label, way: w,
			setting: setting{framework: "PyTorch 9", label: label},
		}
	}
	one := &entrant{side: blasSide, family: "blas", threads: 1, way: "float32"}
	many := &entrant{side: blasSide, family: "blas", threads: all, way: "float32"}
	if all == 1 {
		many = one
	}
	half := &entrant{side: blasSide, family: "blas, bf16", threads: all, way: "bf16"}
	slow, fast, torchHalf := torch("slow", "a"), torch("fast", "b"), torch("half", "bf16-a")
	peaks := map[int][]float64{1: {1e11, 1e11, 1e11}, all: {2e11, 2e11, 2e11}}
	o := &outcome{work: works()[0], peaks: peaks, times: map[*entrant][]float64{
		one: {80, 80, 80}, many: {40, 44, 40}, slow: {90, 90, 90}, fast: {60, 60, 70},
		half: {20, 20, 20}, torchHalf: {45, 45, 50},
	}}
	tour := &tournament{
		rounds: 3, precisions: precisions, outcomes: []*outcome{o},
		entrants: []*entrant{one, many, half, slow, fast, torchHalf},
	}
	found := []candidate{
		{slow.setting, "S", "autograd", 91}, {fast.setting, "S", "autograd", 61},
	}
	text := tour.markdown(found, []string{"A note.", "A note."})
	wants := []string{
		"; B 1; PyTorch 9. Medians of 3 interleaved rounds.\n", "\nProducts in bf16:\n",
		"| S | blas | 40.0 | PyTorch | PyTorch 9, fast | 60.0 | 1.50 | 1.5 | yes |\n",
		"| S | blas, bf16 | 20.0 | PyTorch | PyTorch 9, half | 45.0 | 2.25 | 2.5 | no |\n",
		"| S | blas, bf16 | 20.0 | PyTorch 9, half | 45.0 | 2.25 |\n",
		"| PyTorch 9 | autograd | 61.0 (fast) |\n",
	}
	if all == 2 {
		wants = append(wants,
			"| S | 1024 | blas | 1 | 80.0 | 12800 | 79.3 | 79 % | | |\n",
			"| S | 1024 | blas | 2 | 40.0 | 25600 | 158.5 | 79 % | 65 % | yes |\n",
			"| S | 1024 | blas, bf16 | 2 | 20.0 | 51200 | 317.1 | 159 % | | |\n",
			"| S | blas | 2 | 2.00 | 1.9 | yes |\n")
	}
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "| S | blas | 40.0 | PyTorch | PyTorch 9, slow") ||
		strings.Contains(text, "| 20.0 | PyTorch | PyTorch 9, fast") ||
		strings.Count(text, "A note.") != 1 {
		t.Errorf("the text says too much:\n%s", text)
	}
	tour.precisions = precisions[:1]
	if text := tour.markdown(found, nil); strings.Contains(text, "in any precision") ||
		strings.Contains(text, "bf16") {
		t.Errorf("with one precision the text says too much:\n%s", text)
	}
}
