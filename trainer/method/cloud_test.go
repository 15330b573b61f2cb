//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package method

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

// methodIn is startMethod with the particles in a file in dir; empty: in memory.
func methodIn(t *testing.T, dir string, name config.Method, o config.Options, workers int) Method {
	t.Helper()
	p := pool.New(workers)
	t.Cleanup(p.Close)
	m, err := New(name, setupIn(dir, o, p))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func setupIn(dir string, o config.Options, p *pool.Pool) Setup {
	return Setup{
		Options: o, Train: testData(),
		Batch: 5, Tile: 4, Seed: testSeed, Pool: p, CloudDir: dir,
	}
}

// A cloud in a file gives the bits of one in memory, also in diagnostics and reconstructions, for
// every method with particles, all dynamics and any number of workers.
func TestFileCloudSameBits(t *testing.T) {
	for _, name := range append([]config.Method{"pgd+diffusion"}, flowMethods...) {
		for _, dynamics := range particle.AllDynamics {
			o := fileOptions(name)
			o.Dynamics = dynamics
			var want state
			for workers, dir := range []string{"", t.TempDir(), t.TempDir()} {
				m := methodIn(t, dir, name, o, 1+workers)
				got := trained(t, m)
				if want == nil {
					want = got
				}
				if tensor := want.diff(got); tensor != "" {
					t.Errorf("%s, %s: with a file, %s differs from that in memory", name, dynamics,
						tensor)
				}
				if err := m.Err(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// fileOptions returns options of the named method that use all of its features.
func fileOptions(name config.Method) config.Options {
	o := busyEncoder(2)
	if name == "shortrun" || name == "abp" { // one chain each
		o.Particles, o.CatchUp = 1, 0
	}
	return o
}

// trained makes stagedSteps steps and returns the state with diagnostics and reconstructions.
func trained(t *testing.T, m Method) state {
	t.Helper()
	for k := range stagedSteps {
		if _, err := m.Step(stagedBatch(k)); err != nil {
			t.Fatal(err)
		}
	}
	s := stateOf(m)
	s["diagnostics"] = fmt.Sprintf("%x", m.Diagnose(0.5))
	images := make([]float32, testPoints*testDim)
	reconstruct(m, m.Generator(true), images, data.Range(0, testPoints))
	s["reconstructions"] = images
	return s
}

// If the file of a cloud is truncated, the next step returns an error that names it, in either
// stage, and the process does not crash.
func TestFileCloudCut(t *testing.T) {
	for _, name := range []config.Method{"ipld", "pgd+diffusion"} {
		for _, steps := range []int{0, stagedSteps/2 + 1} {
			dir := t.TempDir()
			m := methodIn(t, dir, name, busyEncoder(2), 2)
			for k := range steps {
				if _, err := m.Step(stagedBatch(k)); err != nil {
					t.Fatal(err)
				}
			}
			reference.CutScratch(t, dir, 0)
			_, err := m.Step(stagedBatch(steps))
			if !errors.Is(err, memory.ErrMapping) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s after %d steps: %v", name, steps, err)
			}
			m.Diagnose(0.5)
			reconstruct(m, m.Generator(true), make([]float32, testDim), []int{0})
			if m.Err() == nil {
				t.Errorf("%s after %d steps: Err does not report the failure", name, steps)
			}
		}
	}
}

// New returns an error if the file cannot be made, and leaves no file behind.
func TestFileCloudRefused(t *testing.T) {
	p := pool.New(1)
	defer p.Close()
	dir := t.TempDir()
	s := setupIn(dir, busyEncoder(1), p)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s.Ctx = over
	for _, name := range []config.Method{"ipld", "pgd+diffusion"} {
		if _, err := New(name, s); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Ctx, s.CloudDir = nil, dir+"/missing"
	if _, err := New("ipld", s); !errors.Is(err, os.ErrNotExist) ||
		!strings.Contains(err.Error(), s.CloudDir) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// A cloud in a file is counted apart from the memory, with the file's size.
func TestFileCloudBytes(t *testing.T) {
	for _, name := range []config.Method{"ipld", "shortrun", "pgd+diffusion", "vae"} {
		o := fileOptions(name)
		scale := Scale{Datapoints: testPoints, Batch: 5, Picture: testRow, Workers: 2}
		inMemory, err := Memory(name, o, scale)
		if err != nil {
			t.Fatal(err)
		}
		scale.CloudInFile = true
		inFile, err := Memory(name, o, scale)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		var size int64
		switch m := methodIn(t, dir, name, o, 2).(type) {
		case *flow:
			size = reference.ArrayBytes([][]float32{m.cloud.Z, m.cloud.U})
		case *staged:
			size = reference.ArrayBytes([][]float32{m.first.(*flow).cloud.Z,
				m.first.(*flow).cloud.U})
		}
		if inFile.Cloud != size || inMemory.Cloud != size ||
			inMemory.Held.Total()-inFile.Held.Total() != size {
			t.Errorf("%s: %d bytes in a file, counted %d, %d less in memory", name, size,
				inFile.Cloud,
				inMemory.Held.Total()-inFile.Held.Total())
		}
	}
}
