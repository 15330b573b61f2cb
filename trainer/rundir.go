package trainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
)

// Files of a run's directory.
const (
	configFile  = "config.toml"
	runInfoFile = "run.json"
	metricsFile = "metrics.jsonl"

	checkpointsDir = "checkpoints"
	samplesDir     = "samples"
)

// runName is the form of the directories that NewRunDir makes: a number, then data and method.
var runName = regexp.MustCompile(`^(\d{5,})(?:-.*)?$`)

// runNumber is the number of a directory that NewRunDir made.
func runNumber(name string) (n int, ok bool) {
	match := runName.FindStringSubmatch(name)
	if match == nil {
		return 0, false
	}
	n, err := strconv.Atoi(match[1])
	return n, err == nil
}

// NewRunDir creates root/00007-data-method under the next free number and returns its path.
// Processes that do so at the same time get different numbers.
func NewRunDir(root, data, method string) (string, error) {
	if err := os.MkdirAll(root, 0o777); err != nil {
		return "", fmt.Errorf("run directory: %w", err)
	}
	for {
		last, err := lastRun(root)
		if err != nil {
			return "", err
		}
		// The bare number is a claim: only one process can make it, and while it stands no
		// other can finish a run of that number.
		number := last + 1
		claim := filepath.Join(root, fmt.Sprintf("%05d", number))
		if err := os.Mkdir(claim, 0o777); errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return "", fmt.Errorf("run directory: %w", err)
		}
		taken, err := filepath.Glob(claim + "-*")
		if err == nil && len(taken) == 0 {
			dir := claim + "-" + fileName(data) + "-" + fileName(method)
			if err := os.Rename(claim, dir); err != nil {
				return "", fmt.Errorf("run directory: %w", err)
			}
			return dir, nil
		}
		if err := os.Remove(claim); err != nil {
			return "", fmt.Errorf("run directory: %w", err)
		}
	}
}

// lastRun is the largest run number under root, 0 if there is none.
func lastRun(root string) (int, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return 0, fmt.Errorf("run directory: %w", err)
	}
	last := 0
	for _, entry := range entries {
		if n, ok := runNumber(entry.Name()); ok {
			last = max(last, n)
		}
	}
	return last, nil
}

// fileName keeps of s what is harmless in a file name on every system.
func fileName(s string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '_', r == '+':
			return r
		}
		return '-'
	}, s)
	return strings.Trim(clean[:min(len(clean), 64)], "-.")
}

// ClaimDir makes dir, if need be, the directory of a new run. It refuses one that holds a run,
// or anything else that a run would overwrite.
func ClaimDir(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("run directory: %w", err)
	}
	return checkVacant(dir)
}

// checkVacant refuses a directory that ClaimDir refuses.
func checkVacant(dir string) error {
	if IsRun(dir) {
		return fmt.Errorf("%s already holds a run: continue it with --resume %s, or choose another directory with --out", dir, dir)
	}
	for _, name := range []string{metricsFile, samplesDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("%s holds %s, which a run would overwrite: choose another directory with --out", dir, name)
		}
	}
	return nil
}

// IsRun tells whether dir is the directory of a run.
func IsRun(dir string) bool {
	for _, name := range []string{configFile, runInfoFile, checkpointsDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// LoadRun reads the configuration stored in a run's directory. Every key must be there.
func LoadRun(runDir string) (config.Config, error) {
	path := filepath.Join(runDir, configFile)
	c, err := config.LoadWhole(path)
	if err != nil {
		return config.Config{}, err
	}
	if err := method.Validate(c); err != nil {
		return config.Config{}, fmt.Errorf("%s:\n%w", path, err)
	}
	return c, nil
}

// StoreConfig writes c, fully resolved, into a run's directory, where LoadRun reads it.
func StoreConfig(runDir string, c config.Config) error { return storeConfig(file.OS, runDir, c) }

func storeConfig(files file.System, runDir string, c config.Config) error {
	text, err := c.TOML()
	if err != nil {
		return err
	}
	if err := file.WriteBytes(files, filepath.Join(runDir, configFile), text); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}
