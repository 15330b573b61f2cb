package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

var stepPattern = regexp.MustCompile(`^(?:\.old-)?step-([0-9]{6,})$`)

func stepName(step int) string { return fmt.Sprintf("step-%06d", step) }

// Found is a directory with the name of a checkpoint.
type Found struct {
	Dir  string
	Step int
	Meta Meta // zero if meta.json cannot be read
	// Problem says that a file is missing or has a wrong size, or that meta.json is damaged. It
	// wraps ErrDamaged unless another version wrote the checkpoint. The content of the state is
	// only checked by Verify and Load.
	Problem error
}

// List returns a run's checkpoints, the newest first: the one that checkpoints/latest refers to,
// then the others, the last saved first. A run without checkpoints has an empty list.
func List(runDir string) ([]Found, error) {
	root := filepath.Join(runDir, rootName)
	all, err := listSteps(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	newest := target(root, latestName, all)
	if newest == latestName {
		dir := filepath.Join(root, latestName)
		m, problem := inspect(dir)
		return append([]Found{{Dir: dir, Step: m.Step, Meta: m.Meta, Problem: problem}},
			all...), nil
	}
	if i := slices.IndexFunc(all, func(c Found) bool {
		return filepath.Base(c.Dir) == newest
	}); i > 0 {
		first := all[i]
		copy(all[1:], all[:i])
		all[0] = first
	}
	return all, nil
}

// Find returns a run's checkpoint by its name (step-000500, best) or its number of steps (500).
func Find(runDir, name string) (Found, error) {
	if name == BestName {
		return Best(runDir)
	}
	all, err := List(runDir)
	if err != nil {
		return Found{}, err
	}
	var names []string
	for _, c := range all {
		base := filepath.Base(c.Dir)
		if step, err := strconv.Atoi(name); base == name || err == nil && step == c.Step {
			return c, nil
		}
		names = append(names, base)
	}
	return Found{}, fmt.Errorf("checkpoint: %s has none called %q: expected one of %q", runDir,
		name, names)
}

// listSteps returns the directories in root with names of checkpoints, the last saved first.
func listSteps(root string) ([]Found, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var all []Found
	for _, e := range entries {
		m := stepPattern.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		dir := filepath.Join(root, e.Name())
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		step, err := strconv.Atoi(m[1])
		if err != nil {
			continue // too large for an int: not a name that Writer makes
		}
		meta, problem := inspect(dir)
		all = append(all, Found{Dir: dir, Step: step, Meta: meta.Meta, Problem: problem})
	}
	sortBySaving(all)
	return all, nil
}

// sortBySaving sorts by Meta.Saved, the largest first. Checkpoints whose number is lost come before
// all others: they may be the newest, and must not be skipped silently.
func sortBySaving(all []Found) {
	order := func(c Found) int {
		if c.Meta.Saved == 0 {
			return math.MaxInt
		}
		return c.Meta.Saved
	}
	slices.SortFunc(all, func(a, b Found) int {
		return cmp.Or(cmp.Compare(order(b), order(a)), cmp.Compare(b.Step, a.Step),
			cmp.Compare(b.Dir, a.Dir)) // step-* before .old-step-*
	})
}

// inspect checks a checkpoint without reading its state.
func inspect(dir string) (metaFile, error) {
	m, err := readMeta(dir)
	if err != nil {
		return metaFile{}, err
	}
	err = checkSize(filepath.Join(dir, stateName), m.StateBytes)
	for _, s := range m.Shards {
		if err == nil {
			err = checkSize(filepath.Join(dir, s.File), s.Bytes)
		}
	}
	return m, err
}

// checkSize returns an error unless path is a file of so many bytes.
func checkSize(path string, bytes int64) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("checkpoint: %w: %w", ErrDamaged, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("checkpoint: %s: %w: not a regular file", path, ErrDamaged)
	case info.Size() != bytes:
		return fmt.Errorf("checkpoint: %s: %w: %d bytes, %s says %d", path, ErrDamaged, info.Size(),
			metaName, bytes)
	}
	return nil
}

// DamagedError is the error of a damaged checkpoint. It also names the newest whole one of the run.
type DamagedError struct {
	Err   error  // names the file and what is wrong with it; wraps ErrDamaged
	Dir   string // of the damaged checkpoint
	Whole string // directory of the newest whole checkpoint; "" if there is none
}

func (e *DamagedError) Unwrap() error { return e.Err }

func (e *DamagedError) Error() string {
	if e.Whole == "" {
		return e.Err.Error() + "; the run has no whole checkpoint"
	}
	return fmt.Sprintf("%v; the newest whole checkpoint is %s", e.Err, e.Whole)
}

// ForReader adds a remedy to the error of a damaged checkpoint, for commands that read a model.
// Other errors are returned unchanged.
func ForReader(err error) error {
	if damaged := (*DamagedError)(nil); errors.As(err, &damaged) && damaged.Whole != "" {
		return fmt.Errorf("%w; to read that one: --from %s", err, filepath.Base(damaged.Whole))
	}
	return err
}

// withAlternative adds the newest whole checkpoint of the run to the error of a damaged one.
func withAlternative(dir string, err error) error {
	root := filepath.Dir(filepath.Clean(dir))
	if !errors.Is(err, ErrDamaged) || filepath.Base(root) != rootName {
		return err
	}
	all, listErr := List(filepath.Dir(root))
	if listErr != nil {
		return err
	}
	for _, c := range all {
		if filepath.Base(c.Dir) != filepath.Base(dir) && c.Problem == nil &&
			Verify(context.Background(), c.Dir) == nil {
			return &DamagedError{err, dir, c.Dir}
		}
	}
	return &DamagedError{err, dir, ""}
}
