package checkpoint

import (
	"cmp"
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

// Found is a directory that a checkpoint should be in.
type Found struct {
	Dir  string
	Step int
	Meta Meta // zero where meta.json cannot be read
	// Problem says what is missing, of another size, or wrong with meta.json; it wraps ErrDamaged
	// unless another version wrote the checkpoint. Only Verify and Load read the whole state.
	Problem error
}

// List returns a run's checkpoints, the newest first: the one that checkpoints/latest leads to,
// then the others in the order in which they were saved. A run without any has an empty list.
func List(runDir string) ([]Found, error) {
	root := filepath.Join(runDir, rootName)
	all, err := listSteps(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	newest := named(root, all)
	if newest == latestName {
		dir := filepath.Join(root, latestName)
		m, problem := look(dir)
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

// Find returns a run's checkpoint of that name (step-000500) or number of steps (500).
func Find(runDir, name string) (Found, error) {
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

// listSteps returns the directories of root named like checkpoints, the last saved first.
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
			continue // beyond the integers: not a name that Writer makes
		}
		meta, problem := look(dir)
		all = append(all, Found{Dir: dir, Step: step, Meta: meta.Meta, Problem: problem})
	}
	sortBySaving(all)
	return all, nil
}

// sortBySaving sorts by the number that each checkpoint has of its run, the last first. One whose
// number is lost may be the newest, so it comes before those: not to be passed over in silence.
func sortBySaving(all []Found) {
	order := func(c Found) int {
		if c.Meta.Saved == 0 {
			return math.MaxInt
		}
		return c.Meta.Saved
	}
	slices.SortFunc(all, func(a, b Found) int {
		return cmp.Or(cmp.Compare(order(b), order(a)), cmp.Compare(b.Step, a.Step),
			cmp.Compare(b.Dir, a.Dir)) // "step-" before ".old-step-"
	})
}

// look checks what can be checked without reading the state.
func look(dir string) (metaFile, error) {
	m, err := readMeta(dir)
	if err != nil {
		return metaFile{}, err
	}
	path := filepath.Join(dir, stateName)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		err = fmt.Errorf("checkpoint: %w: %w", ErrDamaged, err)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("checkpoint: %s: %w: not a regular file", path, ErrDamaged)
	case info.Size() != m.StateBytes:
		err = fmt.Errorf("checkpoint: %s: %w: %d bytes, %s says %d", path, ErrDamaged, info.Size(),
			metaName, m.StateBytes)
	}
	return m, err
}

// DamagedError is the error of a damaged checkpoint, with what else the run has.
type DamagedError struct {
	Err   error  // names the file and what is wrong with it; wraps ErrDamaged
	Dir   string // of the damaged checkpoint
	Whole string // the directory of the newest whole checkpoint, or ""
}

func (e *DamagedError) Unwrap() error { return e.Err }

func (e *DamagedError) Error() string {
	if e.Whole == "" {
		return e.Err.Error() + "; the run has no whole checkpoint"
	}
	return fmt.Sprintf("%v; the newest whole checkpoint is %s", e.Err, e.Whole)
}

// ForReader completes the error of a damaged checkpoint for one who reads the newest of a run, and
// cannot ask for another: what to do to read the newest whole one. It leaves other errors alone.
func ForReader(err error) error {
	if damaged := (*DamagedError)(nil); errors.As(err, &damaged) && damaged.Whole != "" {
		return fmt.Errorf("%w; to read that one, move %s to another directory", err, damaged.Dir)
	}
	return err
}

// withAlternative completes the error of a damaged checkpoint with the newest whole one of its run.
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
		if filepath.Base(c.Dir) != filepath.Base(dir) && c.Problem == nil && Verify(c.Dir) == nil {
			return &DamagedError{err, dir, c.Dir}
		}
	}
	return &DamagedError{err, dir, ""}
}
