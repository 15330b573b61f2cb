package trainer

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
)

// ErrDisk is wrapped by the error of a run whose particles do not fit on their disk.
var ErrDisk = memory.ErrDisk

// cloudDir is the directory of the file in which the particles of a run in runDir lie; empty if
// they are in memory.
func cloudDir(c config.Config, runDir string) string {
	if c.Cloud != config.InFile {
		return ""
	}
	return cmp.Or(c.CloudDir, runDir)
}

// checkDisk describes the disk space of the particles, and refuses a disk without enough of it. On
// systems that do not report free space, only creating the file shows whether it fits.
func (t *Trainer) checkDisk() (plan string, err error) {
	dir := cloudDir(t.cfg, t.writer.Dir)
	if dir == "" {
		return "", nil
	}
	if t.memory.Disk == 0 { // the command refuses this, but earlier versions stored it
		return fmt.Sprintf(
			"cloud = %q has no effect on %s, which keeps no particles.", t.cfg.Cloud, t.cfg.Method,
		), nil
	}
	if info, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("cloud_dir: %w", err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("cloud_dir: %s: expected a directory", dir)
	}
	if memory.InMemory(dir) {
		t.warn(dir + " is kept in memory (tmpfs), so that particles there save none: choose a " +
			"directory on a disk with --cloud-dir")
	}
	plan = fmt.Sprintf("Particles on disk: %s in %s", memory.Human(t.memory.Disk), dir)
	free, ok := memory.DiskFree(dir)
	if !ok {
		return plan, nil
	}
	if t.memory.Disk > free {
		return "", withDiskRemedy(fmt.Errorf("%w: the particles take %s, and %s has %s free",
			ErrDisk, memory.Human(t.memory.Disk), dir, memory.Human(free)))
	}
	return fmt.Sprintf("%s, %s free", plan, memory.Human(free)), nil
}

// withDiskRemedy adds the remedy to an error of a disk that is too small for the particles.
func withDiskRemedy(err error) error {
	if errors.Is(err, ErrDisk) {
		return fmt.Errorf("%w: choose a directory on another disk with --cloud-dir, or try %s",
			err, remedies["particles"])
	}
	return err
}
