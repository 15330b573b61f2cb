package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plume-ml/plume/trainer/record"
)

// What an Overview says of the state of a run.
const (
	StatusRunning    = "running"    // a process is writing it
	StatusFinished   = "finished"   // all its epochs are done
	StatusStopped    = "stopped"    // it can be resumed
	StatusUnsaved    = "unsaved"    // it ended before its first checkpoint
	StatusDiverged   = "diverged"   // its numbers are no longer finite
	StatusImported   = "imported"   // it was made from an export
	StatusUnreadable = "unreadable" // Problem says why
)

// Statuses lists all of them.
func Statuses() []string {
	return []string{
		StatusRunning, StatusFinished, StatusStopped, StatusUnsaved, StatusDiverged,
		StatusImported, StatusUnreadable,
	}
}

// Overview is a run in a few words and numbers. Numbers that are not known are NaN.
type Overview struct {
	Dir     string `json:"dir"`
	Status  string `json:"status"`
	Problem string `json:"problem,omitempty"` // why files of the run cannot be read
	Holder  string `json:"process,omitempty"` // that is writing the run

	Method string `json:"method"`
	Data   string `json:"data"`   // as the user named them
	Epoch  int    `json:"epoch"`  // complete ones
	Epochs int    `json:"epochs"` // of the whole run; 0: the data decide
	Step   int    `json:"step"`

	Started time.Time     `json:"started,omitzero"`
	Changed time.Time     `json:"changed,omitzero"` // when the last record was made
	Seconds record.Number `json:"seconds"`          // that the run has taken

	ReconMSE   record.Number `json:"recon_mse"`   // of the last record
	HeldOutMSE record.Number `json:"heldout_mse"` // of the last record that has it
	PCA64FD    record.Number `json:"pca64_fd"`    // of the last record that has it

	Notes

	cost        record.Cost
	priorLevels *record.Levels // nil: none
}

// List returns an overview of every run in root and in the directories below it, but not of runs
// inside of runs, newest first. It stops early, with ctx's error, when ctx ends.
func List(ctx context.Context, root string) (all []Overview, err error) {
	err = Below(ctx, root, func(dir string) { all = append(all, Overlook(dir)) })
	slices.SortStableFunc(all, func(a, b Overview) int { return b.Started.Compare(a.Started) })
	return all, err
}

// Below calls visit with the directory of every run in root and in the directories below it, but
// not of runs inside of runs, nor behind symbolic links. It stops early, with ctx's error, when ctx
// ends.
func Below(ctx context.Context, root string, visit func(dir string)) error {
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && path == root:
			return err
		case err != nil || !e.IsDir():
			return nil // directories that cannot be read hold nothing to show
		case isRun(path):
			visit(path)
			return fs.SkipDir
		case strings.HasPrefix(e.Name(), ".") && path != root:
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	return nil
}

// isRun reports whether dir has at least two of what makes a run, so that the configuration of
// something else does not make its directory one.
func isRun(dir string) bool {
	n := 0
	for _, name := range []string{configFile, infoFile, checkpointsDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			n++
		}
	}
	return n >= 2
}

// Overlook returns the overview of the run in dir.
func Overlook(dir string) Overview {
	nan := record.Number(math.NaN())
	o := Overview{Dir: dir, Seconds: nan, ReconMSE: nan, HeldOutMSE: nan, PCA64FD: nan}
	o.problem(o.identity())
	o.problem(o.progress())
	state, err := StateOf(dir)
	o.problem(err)
	o.Status = map[State]string{
		NoRun: StatusUnreadable, Unsaved: StatusUnsaved, Saved: StatusStopped,
		Diverged: StatusDiverged, Finished: StatusFinished, Imported: StatusImported,
	}[state]
	if holder, running := Running(dir); running {
		o.Status, o.Holder = StatusRunning, holder.String()
	} else if o.Problem != "" {
		o.Status = StatusUnreadable
	}
	o.Notes, err = ReadNotes(dir)
	o.problem(err)
	return o
}

// problem notes the first error.
func (o *Overview) problem(err error) {
	if err != nil && o.Problem == "" {
		o.Problem = err.Error()
	}
}

// identity reads what was trained on what.
func (o *Overview) identity() error {
	stored, err := Open(o.Dir)
	if err == nil {
		c := stored.Config
		o.Method, o.Data, o.Epochs = string(c.Method), c.Data, c.Epochs
	}
	info, infoErr := ReadInfo(o.Dir)
	if infoErr == nil {
		o.Data = cmp.Or(info.DataAsTyped, o.Data, info.Data)
		o.Started = info.Started
	} else if errors.Is(infoErr, fs.ErrNotExist) {
		infoErr = nil // it may be lost
	}
	return errors.Join(err, infoErr)
}

// progress reads how far the run has come, and how well it does.
func (o *Overview) progress() error {
	records, err := ReadRecords(o.Dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(records) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	last := records[len(records)-1]
	o.Epoch, o.Step, o.Changed, o.Seconds = last.Epoch, last.Step, last.Time, last.Seconds
	o.ReconMSE = last.ReconMSE
	o.cost, o.priorLevels = record.CostOf(records), record.LastLevels(records)
	for _, e := range records {
		if e.PCA64FD != nil {
			o.PCA64FD = *e.PCA64FD
		}
		if e.HeldOutMSE != nil {
			o.HeldOutMSE = *e.HeldOutMSE
		}
	}
	return nil
}
