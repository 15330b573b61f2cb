//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package particle

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
)

func fileCloud(t *testing.T, dir string, m, n, d int, momentum bool) *Cloud {
	t.Helper()
	c, err := NewFileCloud(t.Context(), nil, dir, 0, m, n, d, momentum, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// A cloud in a file equals the cloud in memory bit for bit, after moves of every dynamics.
func TestFileCloud(t *testing.T) {
	const m, n, d = 50, 3, 40
	for _, dynamics := range []string{"overdamped", "underdamped", "exact"} {
		momentum := dynamics != "overdamped"
		want := NewCloud(nil, 0, m, n, d, momentum, 3)
		got := fileCloud(t, t.TempDir(), m, n, d, momentum)
		for _, c := range []*Cloud{want, got} {
			b := c.NewBatch(nil, 3*n)
			if dynamics == "exact" {
				b.UseExact(0.2)
			}
			for step := range uint32(5) {
				b.Select([]int{7, 8, int(20 + step)})
				b.SetSteps(0.01, 0, 0)
				b.Gather(4, 3*n)
				b.Gather(0, 4)
				kernel.Normal(b.G, kernel.Key{Seed: 1, Stream: 1 << 16}, 0)
				b.Move(0, 5, Langevin{Friction: 0.2, Key: moveKey(step)})
				b.Move(5, 3*n, Langevin{Friction: 0.2, Key: moveKey(step)})
			}
		}
		if !slices.Equal(got.Z, want.Z) || !slices.Equal(got.U, want.U) ||
			(got.U == nil) != (want.U == nil) {
			t.Errorf("%s: the cloud in a file differs", dynamics)
		}
		if got.Stats() != want.Stats() {
			t.Errorf("%s: statistics %v, in memory %v", dynamics, got.Stats(), want.Stats())
		}
		a, b := make([]float32, d), make([]float32, d)
		got.Row(a, 7, 2)
		want.Row(b, 7, 2)
		if !slices.Equal(a, b) || !slices.Equal(a, want.Z[(7*n+2)*d:(7*n+3)*d]) {
			t.Errorf("%s: the row of a particle differs", dynamics)
		}
		if err := errors.Join(got.Err(), want.Err(), got.Close(), want.Close()); err != nil {
			t.Error(err)
		}
	}
}

// Truncating the file is a permanent error of the cloud, whichever operation meets it. The process
// does not crash.
func TestFileCloudCut(t *testing.T) {
	const m, n, d = 2000, 1, 32
	uses := map[string]func(c *Cloud, b *Batch){
		"nothing": func(*Cloud, *Batch) {},
		"Gather":  func(_ *Cloud, b *Batch) { b.Gather(0, 2) },
		"Move":    func(_ *Cloud, b *Batch) { b.Move(0, 2, Langevin{Friction: 0.2}) },
		"Stats":   func(c *Cloud, _ *Batch) { c.Stats() },
		"Row":     func(c *Cloud, b *Batch) { c.Row(make([]float32, d), m-1, 0) },
		"draw": func(c *Cloud, _ *Batch) {
			c.touch(func() { _ = c.draw(context.Background(), 1) })
		},
		"the kernel": func(c *Cloud, _ *Batch) { c.touch(func() { kernel.AllFinite(c.Z) }) },
	}
	for what, use := range uses {
		dir := t.TempDir()
		c := fileCloud(t, dir, m, n, d, true)
		b := c.NewBatch(nil, 2)
		b.Select([]int{0, m - 1})
		b.SetSteps(0.1, 0, 0)
		if err := c.Err(); err != nil {
			t.Fatal(err)
		}
		reference.CutScratch(t, dir, 4*m*n*d/2)
		use(c, b)
		if what != "nothing" && c.failed.Load() == nil {
			t.Errorf("%s: no failure recorded", what)
		}
		err := c.Err()
		if !errors.Is(err, memory.ErrMapping) || !strings.Contains(err.Error(), dir) ||
			!strings.Contains(err.Error(), "cut to 128000 bytes") {
			t.Errorf("%s: %v", what, err)
		}
		// The file has its size again, but its content is lost.
		reference.CutScratch(t, dir, FileBytes(m, n, d, true))
		if c.Err() == nil {
			t.Errorf("%s: the failure is forgotten", what)
		}
	}
}

// A cloud that cannot be created leaves no file behind.
func TestNewFileCloudRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := NewFileCloud(t.Context(), nil, dir, 0, 1<<20, 1<<20, 1<<10, true, 1)
	if !errors.Is(err, memory.ErrDisk) {
		t.Errorf("8 PiB: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewFileCloud(over, nil, dir, 0, 10, 1, 1, true, 1); !errors.Is(err,
		context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the directory holds %v, %v", left, err)
	}
}

// Gather and Move do not allocate for a cloud in a file.
func TestFileCloudAllocations(t *testing.T) {
	const m, d = 10, 32
	c := fileCloud(t, t.TempDir(), m, 1, d, true)
	b := c.NewBatch(nil, m)
	b.Select([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	b.SetSteps(0.01, 3, 4)
	if a := testing.AllocsPerRun(10, func() {
		b.Gather(0, m)
		b.Move(0, m, Langevin{Friction: 0.5, Clip: 0.3, Key: moveKey(0)})
	}); a != 0 {
		t.Errorf("%v allocations", a)
	}
}
