package trainer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/record"
	"github.com/plume-ml/plume/trainer/run"
)

func needsMapping(t *testing.T) {
	t.Helper()
	mapping := []string{"linux", "darwin", "dragonfly", "freebsd", "netbsd", "openbsd"}
	if !slices.Contains(mapping, runtime.GOOS) {
		t.Skip("no files are mapped here")
	}
}

// A run whose particles are in memory in one session and in a file in the next has the state and
// the metrics of one that stayed in memory. The file is gone afterwards.
func TestCloudInFile(t *testing.T) {
	needsMapping(t)
	c := smallRun()
	stayed := train(t, c)
	want, metrics := finalState(t, stayed), metricsOf(t, stayed)
	disk := t.TempDir()
	for what, clouds := range map[string][]config.Cloud{
		"file":         {config.InFile},
		"file, resume": {config.InFile, config.InFile},
		"mixed":        {config.InMemory, config.InFile, config.InMemory},
		"mixed too":    {config.InFile, config.InMemory, config.InFile},
	} {
		dir := t.TempDir()
		for i, cloud := range clouds {
			stop := 5 + 11*i
			if i == len(clouds)-1 {
				stop = -1
			}
			session(t, func(o ...Option) (*Trainer, error) {
				c := c
				c.Cloud, c.Threads = cloud, 1+i
				if i > 0 {
					c.CloudDir = disk
					return Resume(context.Background(), dir, c, o...)
				}
				return New(context.Background(), c, dir, o...)
			}, stop)
		}
		if !bytes.Equal(finalState(t, dir), want) {
			t.Errorf("%s: another final state", what)
		}
		if got := metricsOf(t, dir); !slices.Equal(got, metrics) {
			t.Errorf("%s: metrics\n%s\nin memory\n%s",
				what, strings.Join(got, "\n"), strings.Join(metrics, "\n"))
		}
		for _, place := range []string{dir, disk} {
			if left, err := filepath.Glob(filepath.Join(place, ".*")); err != nil || len(left) > 0 {
				t.Errorf("%s: left %v, %v", what, left, err)
			}
		}
	}
}

// A run whose file of particles is truncated ends at once, with an error that names the file. Its
// last checkpoint is whole, and resumes to the same final state.
func TestCloudFileIsCut(t *testing.T) {
	needsMapping(t)
	c := smallRun()
	want := finalState(t, train(t, c))
	const epoch = runBatches * runRepeats
	c.CheckpointEvery, c.Cloud = config.EveryEpochs(1), config.InFile
	// In the middle of an epoch, and at its end before the report and the checkpoint.
	for _, at := range []int{2*epoch + 3, 2 * epoch} {
		dir := t.TempDir()
		steps := 0
		tr, err := New(context.Background(), c, dir, WithHook(Hook{OnStep: func(p record.Progress) {
			if steps = p.Step; p.Step == at {
				reference.CutScratch(t, dir, 100)
			}
		}}))
		if err != nil {
			t.Fatal(err)
		}
		err = tr.Run(t.Context())
		if !errors.Is(err, memory.ErrMapping) || !strings.Contains(err.Error(), dir) ||
			errors.Is(err, ErrDiverged) || steps != at {
			t.Errorf("cut after step %d: ended after step %d, %v", at, steps, err)
		}
		if err := tr.save(); !errors.Is(err, memory.ErrMapping) {
			t.Errorf("a checkpoint of it: %v", err)
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		latest, err := checkpoint.Latest(dir)
		name := fmt.Sprintf("step-%06d", (at-1)/epoch*epoch)
		if err != nil || filepath.Base(latest) != name {
			t.Errorf("the newest checkpoint is %s, %v, expected %s", latest, err, name)
		}
		c := c
		c.Cloud = config.InMemory
		resumeRun(t, dir, c, -1)
		if !bytes.Equal(finalState(t, dir), want) {
			t.Errorf("cut after step %d: another end", at)
		}
	}
}

// The plan names what is kept on disk and leaves it out of the sum of memory. A cloud_dir that is
// not a directory is refused before anything is stored.
func TestCloudOnDiskIsPlanned(t *testing.T) {
	needsMapping(t)
	var messages []string
	hook := WithHook(Hook{OnMessage: func(s string) { messages = append(messages, s) }})
	plan := func(c config.Config) (needs, error) {
		messages = nil
		tr, err := New(context.Background(), c, t.TempDir(), hook)
		if err != nil {
			return needs{}, err
		}
		return tr.memory, tr.Close()
	}
	disk := t.TempDir()
	c := smallRun()
	inMemory, err := plan(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Cloud, c.CloudDir = config.InFile, disk
	inFile, err := plan(c)
	if err != nil {
		t.Fatal(err)
	}
	const size = 2 * 4 * 180 * 2 * 4 // positions and velocities of 180 x 2 particles of 4 float32
	if inFile.Disk != size || inMemory.Disk != 0 {
		t.Errorf("%d bytes on disk, %d without a file, expected %d",
			inFile.Disk, inMemory.Disk, size)
	}
	particles := func(m needs) int64 { // memory of the process may grow between the two
		i := slices.IndexFunc(m.Parts, func(p memory.Part) bool { return p.Name == "particles" })
		return m.Parts[i].Bytes
	}
	if got := particles(inMemory) - particles(inFile); got != size {
		t.Errorf("%d bytes less in memory, expected %d", got, size)
	}
	if line := "Particles on disk: 11 KiB in " + disk; !slices.ContainsFunc(
		messages,
		func(s string) bool { return strings.HasPrefix(s, line) },
	) {
		t.Errorf("messages %q, expected %q", messages, line)
	}
	file := filepath.Join(disk, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]string{
		filepath.Join(disk, "missing"): "cloud_dir: ",
		file:                           "expected a directory",
	} {
		c.CloudDir = place
		if _, err := plan(c); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v", place, err)
		}
	}
	c.CloudDir, c.Method = "", "vae" // which has no particles
	if m, err := plan(c); err != nil || m.Disk != 0 || slices.ContainsFunc(messages,
		func(s string) bool { return strings.Contains(s, "on disk") }) {
		t.Errorf("vae: %d bytes on disk, %v, messages %q", m.Disk, err, messages)
	}
}

func TestDiskTooSmall(t *testing.T) {
	dir := t.TempDir()
	if _, ok := memory.DiskFree(dir); !ok {
		t.Skip("this system does not tell how much of a disk is free")
	}
	tr := &Trainer{
		cfg: smallRun(), writer: run.Writer{Dir: dir},
		memory: needs{Memory: run.Memory{Disk: 1 << 55}},
	}
	if plan, err := tr.checkDisk(); err != nil || plan != "" {
		t.Errorf("in memory: %q, %v", plan, err)
	}
	tr.cfg.Cloud = config.InFile
	_, err := tr.checkDisk()
	if !errors.Is(err, ErrDisk) {
		t.Fatalf("32 PiB: %v", err)
	}
	for _, want := range []string{"32 PiB", dir, "--cloud-dir", "fewer particles"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: expected %q", err, want)
		}
	}
}

// The error of a run whose particles do not fit into memory names --cloud file as a remedy. Pages
// of that file that are in memory do not count as memory that a run exceeded.
func TestCloudRemedy(t *testing.T) {
	m := needs{
		Memory: run.Memory{
			Parts: memory.Parts{{Name: "particles", Bytes: 90 << 20}},
			Sum:   90 << 20,
		},
		cloud: 80 << 20,
	}
	if _, err := m.check(50 << 20); err == nil || !strings.HasSuffix(err.Error(),
		"try --cloud file, which keeps 80 MiB of them on disk and is slower, "+
			"fewer particles or a smaller latent") {
		t.Errorf("%v", err)
	}
	for peak, want := range map[int64]bool{0: false, 1699: false, 1701: true} {
		if got := (run.Memory{Sum: 1000, Disk: 500, Peak: peak}).Exceeded(); got != want {
			t.Errorf("a peak of %d for 1000 and a file of 500: %v", peak, got)
		}
	}
}
