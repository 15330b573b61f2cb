package trainer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
)

// smallDisk mounts a file system of 1 MiB in memory, enough for some ten checkpoints, and returns a
// directory on it.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("mounting a small file system (needs root and CAP_SYS_ADMIN): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillUp writes a file until the disk is full.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 1<<16); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A real disk fills up during a run. If it is freed, the run ends as if it had never been full. If
// not, the run ends with an error, keeps its last good checkpoint, and resumes once there is space.
func TestRealDiskFull(t *testing.T) {
	c := shortRun()
	c.Epochs = 6
	want := train(t, c)
	same := func(dir string) {
		t.Helper()
		if !sameRun(t, dir, want) {
			t.Error("another final state, or other records")
		}
	}
	for _, freed := range []bool{true, false} {
		disk := smallDisk(t)
		dir, filler := filepath.Join(disk, "run"), filepath.Join(disk, "filler")
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		var warnings []string
		tr, err := New(context.Background(), c, dir,
			func(t *Trainer) { t.saving.retryAfter, t.saving.pauses = 0, nil },
			at(20, func() { awaitSaved(t, dir, 14); fillUp(t, filler) }),
			at(4*runBatches*runRepeats+3, func() {
				if freed {
					if err := os.Remove(filler); err != nil {
						t.Error(err)
					}
				}
			}), warningsTo(&warnings))
		if err != nil {
			t.Fatal(err)
		}
		err = tr.Run(t.Context())
		closing := tr.Close()
		all := strings.Join(warnings, "\n")
		if !strings.Contains(all, "no space left on device") {
			t.Errorf("warnings\n%s", all)
		}
		if freed {
			if err != nil || closing != nil {
				t.Fatal(err, closing)
			}
			same(dir)
			continue
		}
		if !file.Failed(err) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Run returned %v", err)
		}
		if latest, err := checkpoint.Latest(dir); err != nil ||
			checkpoint.Verify(t.Context(), latest) != nil {
			t.Errorf("no whole checkpoint is left: %v", err)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		resumeRun(t, dir, c, -1)
		same(dir)
	}
}
