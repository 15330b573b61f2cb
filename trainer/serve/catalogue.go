package serve

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/run"
)

const (
	// soonest is the shortest time between two looks at the same files, and share the most of a
	// processor that they take. Looking works on all file systems; what the kernel tells of changes
	// (inotify) does not on those of a network, where the runs of a cluster are, and needs a watch
	// for every directory.
	soonest = time.Second
	share   = 0.05
)

// pause is how long to wait after a look that took a time.
func pause(took time.Duration) time.Duration {
	return max(soonest, time.Duration(float64(took)/share))
}

// entry is a run of a catalogue. It is replaced, not changed.
type entry struct {
	page.Row
	stamp   run.Stamp
	html    page.RowHTML
	version int // of the catalogue when it became so
}

// catalogue is the runs that are served.
type catalogue struct {
	root  string
	one   bool
	birth time.Time

	looking sync.Mutex // held while the directory is read
	looked  time.Time  // when that ended last
	took    time.Duration

	mu      sync.Mutex
	entries map[string]*entry
	removed map[string]int // versions at which runs disappeared
	version int
	changed chan struct{} // closed and replaced at every change
	err     error         // of the last look
}

func newCatalogue(root string, one bool) *catalogue {
	return &catalogue{
		root: root, one: one, birth: time.Now(), entries: map[string]*entry{},
		removed: map[string]int{}, changed: make(chan struct{}),
	}
}

// name is what the server calls the run in dir: its path below the root.
func (c *catalogue) name(dir string) string {
	name, err := filepath.Rel(c.root, dir)
	if err != nil {
		return dir
	}
	return filepath.ToSlash(name)
}

// get returns the run of a name, if there is one. Only names that a look has found are known, so
// that no name leads anywhere else.
func (c *catalogue) get(name string) (*entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[name]
	return e, ok
}

// find is get after a look, if the run is not known yet.
func (c *catalogue) find(ctx context.Context, name string) (*entry, bool) {
	if e, ok := c.get(name); ok {
		return e, true
	}
	c.look(ctx)
	return c.get(name)
}

// look reads what has changed in the directory, unless that was done a moment ago. It returns when
// to look again.
func (c *catalogue) look(ctx context.Context) time.Duration {
	c.looking.Lock()
	defer c.looking.Unlock()
	if wait := pause(c.took) - time.Since(c.looked); wait > 0 {
		return wait
	}
	start := time.Now()
	seen := map[string]bool{}
	err := c.each(ctx, func(dir string) {
		name := c.name(dir)
		seen[name] = c.update(name, dir)
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err = err; err == nil {
		for name := range c.entries {
			if !seen[name] {
				c.version++
				delete(c.entries, name)
				c.removed[name] = c.version
				c.tell()
			}
		}
	}
	c.looked, c.took = time.Now(), time.Since(start)
	return pause(c.took)
}

// each calls visit with the directories of all runs.
func (c *catalogue) each(ctx context.Context, visit func(dir string)) error {
	if !c.one {
		return run.Below(ctx, c.root, visit)
	}
	if run.Exists(c.root) {
		visit(c.root)
	}
	return nil
}

// update reads a run if it has changed. A lock that an ended process has left is asked only when
// the file changes: who asks holds it for a moment. There is none if it was removed meanwhile.
func (c *catalogue) update(name, dir string) (there bool) {
	stamp := run.StampOf(dir)
	before, known := c.get(name)
	if known && before.stamp == stamp &&
		(before.Status != run.StatusRunning || run.Locked(dir)) {
		return true
	}
	e := &entry{stamp: stamp, Row: page.Row{Name: name, URL: pageURL([]string{name})}}
	if err := run.Contained(c.root, dir); err != nil {
		e.Overview = run.Overview{Dir: dir, Status: run.StatusUnreadable, Problem: err.Error()}
	} else {
		e.Overview = run.Overlook(dir)
	}
	if e.Problem != "" && !run.Exists(dir) {
		return false
	}
	var err error
	if e.html, err = page.RenderRow(e.Row); err != nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known && before.html == e.html {
		e.version = before.version // nothing that is shown has changed
	} else {
		c.version++
		e.version = c.version
	}
	c.entries[name] = e
	delete(c.removed, name)
	if e.version == c.version {
		c.tell()
	}
	return true
}

// tell wakes those who wait for changes. The caller holds mu.
func (c *catalogue) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// rows are all runs, the newest first, and the version that they are of.
func (c *catalogue) rows() (all []page.Row, version int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		all = append(all, e.Row)
	}
	slices.SortFunc(all, newestFirst)
	return all, c.version, c.err
}

// since is what has changed after a version; before 0 the runs are all.
func (c *catalogue) since(version int) (u page.ListUpdate, now int, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u.All = version < 0
	for _, name := range slices.Sorted(maps.Keys(c.entries)) {
		if e := c.entries[name]; e.version > version {
			u.Rows = append(u.Rows, e.html)
		}
	}
	for name, at := range c.removed {
		if at > version && version >= 0 {
			u.Removed = append(u.Removed, name)
		}
	}
	slices.Sort(u.Removed)
	return u, c.version, c.changed
}
