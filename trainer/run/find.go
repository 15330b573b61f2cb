package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/checkpoint"
)

// Find returns the directory of the run that spec names: by a path, or under root by name
// (00007-digits-ipld) or number (7).
func Find(root, spec string) (dir string, err error) {
	for _, dir := range []string{spec, filepath.Join(root, spec)} {
		if spec != "" && Exists(dir) {
			return dir, nil
		}
	}
	runs, err := Numbered(root)
	if err != nil {
		return "", err
	}
	if number, err := strconv.Atoi(spec); err == nil {
		for _, name := range runs {
			if n, _ := runNumber(name); n == number {
				return filepath.Join(root, name), nil
			}
		}
	}
	return "", noRun(root, spec, runs)
}

// Newest returns the directory of the newest run under root that has a checkpoint, and the newer
// ones that have none.
func Newest(root string) (dir string, passed Passed, err error) {
	names, err := Numbered(root)
	if err != nil {
		return "", Passed{}, err
	}
	passed.Why = Unsaved.String()
	for _, name := range names {
		dir := filepath.Join(root, name)
		if saved, err := checkpoint.List(dir); err != nil || len(saved) > 0 {
			return dir, passed, err
		}
		passed.Runs = append(passed.Runs, name)
	}
	where := fmt.Sprintf("run: %s holds none with a checkpoint", root)
	if len(passed.Runs) > 0 {
		where += fmt.Sprintf(" (%s)", passed)
	}
	return "", passed, fmt.Errorf("%s: name the directory of a run, or the directory of the "+
		"numbered runs with --runs, or train one", where)
}

// noRun explains why spec names no run.
func noRun(root, spec string, runs []string) error {
	what := fmt.Sprintf("run %q: expected the directory of a run, or the name or number of a run "+
		"in %s", spec, root)
	if spec != "" {
		switch _, err := os.ReadDir(spec); {
		case err == nil:
			what = fmt.Sprintf("run %q: the directory has no %s; expected that of a run, or the "+
				"name or number of a run in %s", spec, configFile, root)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("run: %w; expected the directory of a run", err)
		}
	}
	if len(runs) == 0 {
		return fmt.Errorf("%s, which holds none", what)
	}
	return fmt.Errorf("%s (the newest is %s)", what, runs[0])
}

// Numbered returns the names of the numbered runs under root, newest first.
func Numbered(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if _, ok := runNumber(entry.Name()); ok && Exists(filepath.Join(root, entry.Name())) {
			names = append(names, entry.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		na, _ := runNumber(a)
		nb, _ := runNumber(b)
		return nb - na
	})
	return names, nil
}

// Choice is the run that NewestUnfinished chose, and why.
type Choice struct {
	Dir    string // "" if there is none to resume
	Lock   *Lock  // of Dir, held
	Root   string
	Runs   int      // under Root
	Passed []Passed // newer runs that cannot be resumed, by reason
}

// Passed are runs that were passed over for the same reason.
type Passed struct {
	Why  string   // "finished"
	Runs []string // their names, newest first
}

// NewestUnfinished chooses the newest run under root that has a checkpoint, has neither finished
// nor diverged, and is not in use by another process, and locks it.
func NewestUnfinished(root string) (Choice, error) {
	names, err := Numbered(root)
	if err != nil {
		return Choice{}, err
	}
	c := Choice{Root: root, Runs: len(names)}
	for _, name := range names {
		dir := filepath.Join(root, name)
		lock, why := claim(dir)
		if lock != nil {
			c.Dir, c.Lock = dir, lock
			return c, nil
		}
		c.pass(why, name)
	}
	return c, nil
}

// claim locks a run that can be resumed; otherwise it says why the run cannot.
func claim(dir string) (lock *Lock, why string) {
	if why := notResumable(dir); why != "" {
		return nil, why
	}
	if _, err := Open(dir); err != nil {
		return nil, "unreadable: " + err.Error()
	}
	lock, err := Acquire(dir)
	if locked := (*LockedError)(nil); errors.As(err, &locked) {
		return nil, "in use by " + locked.Holder.String()
	} else if err != nil {
		return nil, err.Error()
	}
	// It may have ended just before it was locked.
	if why := notResumable(dir); why != "" {
		lock.Release()
		return nil, why
	}
	return lock, ""
}

// notResumable says why a run cannot be resumed; "" if it can.
func notResumable(dir string) (why string) {
	state, err := StateOf(dir)
	switch {
	case err != nil:
		return "unreadable: " + err.Error()
	case state != Saved:
		return state.String()
	}
	return ""
}

func (c *Choice) pass(why, name string) {
	i := slices.IndexFunc(c.Passed, func(p Passed) bool { return p.Why == why })
	if i < 0 {
		i = len(c.Passed)
		c.Passed = append(c.Passed, Passed{Why: why})
	}
	c.Passed[i].Runs = append(c.Passed[i].Runs, name)
}

// namedRuns limits how many of the runs passed over for the same reason are named.
const namedRuns = 3

// String says which run was chosen, and why none of the newer ones.
func (c Choice) String() string {
	text := fmt.Sprintf("Resuming %s, the newest unfinished of %s in %s",
		c.Dir, runs(c.Runs), c.Root)
	if c.Dir == "" {
		text = fmt.Sprintf("No unfinished run in %s: starting a new one", c.Root)
	}
	for i, p := range c.Passed {
		text += []string{"; passed over ", ", "}[min(i, 1)] + p.String()
	}
	return text + "."
}

func (p Passed) String() string {
	names := strings.Join(p.Runs[:min(len(p.Runs), namedRuns)], ", ")
	if len(p.Runs) > namedRuns {
		names += ", ..."
	}
	return fmt.Sprintf("%s %s (%s)", humanize.Comma(int64(len(p.Runs))), p.Why, names)
}

func runs(n int) string {
	if n == 1 {
		return "1 run"
	}
	return humanize.Comma(int64(n)) + " runs"
}
