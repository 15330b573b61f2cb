package trainer

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

// live is the number of bytes in use on the heap after a collection.
func live() int64 {
	runtime.GC()
	runtime.GC() // frees what the finalizers of the first one released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A run that was prepared holds as much on the heap as was counted beforehand for the data and all
// parts of the method. Within 1 % (0.3 % seen): names and descriptions of layers are not counted,
// and large arrays fill whole pages.
func TestMemoryOfARun(t *testing.T) {
	c := method.Default()
	c.Particles, c.Batch, c.Threads = 2, 400, 2
	before := live()
	tr, err := New(context.Background(), c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	held := live() - before
	var want int64
	for _, part := range tr.memory.Parts {
		switch part.Name {
		case "program", "reports":
		default:
			want += part.Bytes
		}
	}
	// The order of the minibatches of two epochs is made by the first steps.
	order := memory.Array[int](2 * tr.data.train.Len())
	want -= order
	if off := math.Abs(float64(held-want)) / float64(want); off > 0.01 {
		t.Errorf("a run holds %d bytes, %d were counted", held, want)
	}
	got := reference.ArrayBytes([]any{tr.data.train, tr.data.held}) + order
	if got != tr.memory.Parts[1].Bytes {
		t.Errorf("the data are %d bytes, counted %v", got, tr.memory.Parts[1])
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

// The parts add up. The last one is the larger of the two needs that are not there at the same
// time: reports, and loading the data.
func TestEstimate(t *testing.T) {
	c := smallRun()
	images, err := data.Find(t.Context(), c.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const program = 1 << 30
	m, err := estimate(c, images, program, 1)
	if err != nil {
		t.Fatal(err)
	}
	last := func(m needs) memory.Part { return m.Parts[len(m.Parts)-1] }
	if m.Sum != m.Parts.Total() || m.Peak != 0 || last(m).Name != "reports" ||
		m.Parts[0].Bytes < program {
		t.Errorf("%+v", m)
	}
	images.Loading = 10 * last(m).Bytes
	loading, err := estimate(c, images, program, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := memory.Part{Name: "loading", Bytes: images.Loading}
	if got := last(loading); got != want {
		t.Errorf("the last part is %v, expected %v", got, want)
	}
	if grown := loading.Sum - m.Sum; grown != images.Loading-last(m).Bytes {
		t.Errorf("the sum grew by %d", grown)
	}
}

// What an evaluation and a checkpoint allocate fits into the part "reports". Pictures are encoded
// twice, and blocks of images are allocated for each use: the garbage adds half as much again.
func TestReportsFit(t *testing.T) {
	c := smallRun()
	c.EvalSamples = 700
	tr, err := New(context.Background(), c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}()
	part := tr.memory.Parts[len(tr.memory.Parts)-1]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := tr.evaluate(t.Context(), &record.Epoch{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	got := int64(after.TotalAlloc - before.TotalAlloc)
	if part.Name != "reports" || got < part.Bytes/2 || got > part.Bytes*5/2 {
		t.Errorf("an evaluation allocates %d bytes; %v", got, part)
	}
	if part.Bytes < checkpoint.BufferBytes {
		t.Errorf("%v: a checkpoint takes %d", part, checkpoint.BufferBytes)
	}
}

func TestMemoryCheck(t *testing.T) {
	const mib = 1 << 20
	m := needs{Memory: run.Memory{
		Parts: memory.Parts{
			{Name: "program", Bytes: 20 * mib},
			{Name: "particles", Bytes: 80 * mib},
		},
		Sum: 100 * mib,
	}}
	for _, c := range []struct {
		machine      int64
		warning, err string
	}{
		{121 * mib, "", ""},
		{0, "", ""},
		{119 * mib, "the run needs 100 MiB = program 20 MiB + particles 80 MiB, " +
			"at its peak up to 1.2 times as much, and the machine has 119 MiB", ""},
		{100 * mib, "the machine has 100 MiB", ""},
		{99 * mib, "", "not enough memory: the run needs 100 MiB = program 20 MiB + " +
			"particles 80 MiB, and the machine has 99 MiB; most goes to particles: " +
			"try fewer particles or a smaller latent"},
	} {
		warning, err := m.check(c.machine)
		if (warning == "") != (c.warning == "") || !strings.Contains(warning, c.warning) {
			t.Errorf("%d: warning %q, expected %q", c.machine, warning, c.warning)
		}
		if (err == nil) != (c.err == "") ||
			err != nil && (err.Error() != c.err || !errors.Is(err, ErrMemory)) {
			t.Errorf("%d: error %v, expected %q", c.machine, err, c.err)
		}
	}
	m.Sum = addressSpace + 1
	_, err := m.check(0)
	if err == nil || !strings.Contains(err.Error(), "no machine has so much") {
		t.Errorf("%v", err)
	}
}

func TestExceeded(t *testing.T) {
	for peak, want := range map[int64]bool{0: false, 999: false, 1199: false, 1201: true} {
		if got := (run.Memory{Sum: 1000, Peak: peak}).Exceeded(); got != want {
			t.Errorf("a peak of %d for 1000: %v", peak, got)
		}
	}
}

// A configuration that no machine can hold is refused before anything is built or stored; any of
// these would take more than 2^46 bytes.
func TestTooLarge(t *testing.T) {
	for what, change := range map[string]func(*config.Config){
		"particles": func(c *config.Config) {
			c.Particles, c.Batch, c.Latent = 1<<20, 1, 1<<16
		},
		"activations": func(c *config.Config) {
			c.Particles, c.Batch = 1<<20, 1
			c.ScoreBlocks, c.ScoreWidth = 1<<10, 1<<16
		},
	} {
		c := smallRun()
		change(&c)
		dir := t.TempDir()
		_, err := New(context.Background(), c, dir)
		if !errors.Is(err, ErrMemory) || !strings.Contains(err.Error(), "most goes to "+what) {
			t.Errorf("%s: %v", what, err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", what, left, err)
		}
	}
}

// The estimate is reported and stored when a run begins, the peak when it ends; and again in a
// later session.
func TestMemoryIsRecorded(t *testing.T) {
	dir := t.TempDir()
	c := smallRun()
	var messages []string
	var summary Summary
	hook := WithHook(Hook{
		OnMessage: func(s string) { messages = append(messages, s) },
		OnEnd:     func(s Summary) { summary = s },
	})
	run := func(prepare func(config.Config, string, ...Option) (*Trainer, error)) {
		t.Helper()
		tr, err := prepare(c, dir, hook)
		if err != nil {
			t.Fatal(err)
		}
		info, err := run.ReadInfo(dir)
		if err != nil || info.Memory.Sum == 0 || info.Memory.Peak != 0 {
			t.Errorf("at the beginning: %+v, %v", info.Memory, err)
		}
		if want := "Memory: " + tr.memory.Parts.String(); len(messages) < 3 || messages[2] != want {
			t.Errorf("messages %q, expected what was read, the networks, then %q", messages, want)
		}
		if err := errors.Join(tr.Run(t.Context()), tr.Close()); err != nil {
			t.Fatal(err)
		}
		info, err = run.ReadInfo(dir)
		if err != nil {
			t.Fatal(err)
		}
		peak, known := memory.Peak()
		if m := *info.Memory; m.Peak != summary.Memory.Peak || (m.Peak > 0) != known ||
			m.Peak > peak || m.Sum != m.Parts.Total() {
			t.Errorf("at the end: %+v, summary %+v, the peak is %d", m, summary.Memory, peak)
		}
	}
	run(func(c config.Config, dir string, o ...Option) (*Trainer, error) {
		return New(context.Background(), c, dir, o...)
	})
	again := func(c config.Config, dir string, o ...Option) (*Trainer, error) {
		return Resume(context.Background(), dir, c, o...)
	}
	messages, c.Epochs = nil, c.Epochs+1
	run(again)
	if err := os.Remove(filepath.Join(dir, "run.json")); err != nil {
		t.Fatal(err)
	}
	messages, c.Epochs = nil, c.Epochs+1
	run(again)
}
