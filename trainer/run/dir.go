package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Files and directories of a run; Package run says what is in them.
const (
	configFile     = "config.toml"
	infoFile       = "run.json"
	metricsFile    = "metrics.jsonl"
	rowsFile       = "rows.csv"
	schemaFile     = "schema.toml"
	startFile      = "start.safetensors"
	lockFile       = "lock"
	notesFile      = "notes.json"
	curvesFile     = "curves.png"
	checkpointsDir = "checkpoints"
	samplesDir     = "samples"
	classifierFile = "classifier.safetensors"
	guessFile      = "amortised.safetensors"
)

// runName is the form of the directories that CreateNumbered makes: a number, then data and method.
var runName = regexp.MustCompile(`^(\d{5,})(?:-.*)?$`)

// runNumber is the number of a directory that CreateNumbered made.
func runNumber(name string) (n int, ok bool) {
	match := runName.FindStringSubmatch(name)
	if match == nil {
		return 0, false
	}
	n, err := strconv.Atoi(match[1])
	return n, err == nil
}

// CreateNumbered creates root/00007-data-method under the next free number and returns its path.
// Processes that do so at the same time get different numbers.
func CreateNumbered(root, data, method string) (string, error) {
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

// fileName replaces the characters of s that some systems do not allow in file names.
func fileName(s string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9',
			r == '.', r == '_', r == '+':
			return r
		}
		return '-'
	}, s)
	return strings.Trim(clean[:min(len(clean), 64)], "-.")
}

// Create creates dir, with its parents, unless it exists. An existing one must be vacant
// (CheckVacant).
func Create(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("run directory: %w", err)
	}
	return CheckVacant(dir)
}

// CheckVacant refuses a directory that holds a run, or anything else that a run would overwrite.
func CheckVacant(dir string) error {
	if Exists(dir) {
		return fmt.Errorf("%s already holds a run: continue it with --resume %s, or choose "+
			"another directory with --out", dir, dir)
	}
	for _, name := range []string{metricsFile, samplesDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("%s holds %s, which a run would overwrite: choose another directory "+
				"with --out", dir, name)
		}
	}
	return nil
}

// Exists reports whether dir is the directory of a run.
func Exists(dir string) bool {
	for _, name := range []string{configFile, infoFile, checkpointsDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// LockPath is the file whose lock the process has that writes the run in dir.
func LockPath(dir string) string { return filepath.Join(dir, lockFile) }

// GuessPath is where inference keeps the network that it starts at, if it was asked for one.
func GuessPath(dir string) string { return filepath.Join(dir, guessFile) }

// CurvesPath is where the reports of the run in dir draw its learning curves.
func CurvesPath(dir string) string { return filepath.Join(dir, curvesFile) }

// ClassifierPath is where an evaluation of the run in dir keeps the classifier of its data.
func ClassifierPath(dir string) string { return filepath.Join(dir, classifierFile) }

// Beside returns the directories of the other runs beside that in dir, in the order of their names.
func Beside(dir string) (dirs []string) {
	own, err := filepath.Abs(dir)
	if err != nil {
		return nil
	}
	root := filepath.Join(dir, "..")
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		beside := filepath.Join(root, entry.Name())
		if entry.Name() != filepath.Base(own) && Exists(beside) {
			dirs = append(dirs, beside)
		}
	}
	return dirs
}

// Discard removes what a Writer has stored in dir, the directory of a run that could not be made.
// Other files stay, and with them the directory.
func Discard(dir string) {
	for _, name := range []string{
		configFile, infoFile, schemaFile, startFile, rowsFile, checkpointsDir, lockFile,
	} {
		_ = os.RemoveAll(filepath.Join(dir, name))
	}
	_ = os.Remove(dir)
}
