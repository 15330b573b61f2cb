package record

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
)

// steps are the steps of the log's records, in their order.
func steps(t *testing.T, path string) string {
	t.Helper()
	records, err := ReadLog(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range records {
		list = append(list, strconv.Itoa(r.Step))
	}
	return strings.Join(list, " ")
}

// Every operation fails in turn, alone or with the three that follow. In the end the log has each
// record once, in order, and no other file is left.
func TestLogFails(t *testing.T) {
	var all []string
	for step := 1; step <= 24; step++ {
		all = append(all, strconv.Itoa(step))
	}
	want := strings.Join(all, " ")
	for _, length := range []int{1, 4} {
		for k := 1; k <= 14; k++ {
			path := filepath.Join(t.TempDir(), "metrics.jsonl")
			sys := &faultfs.System{Cached: true}
			log, err := OpenLog(sys, path, 0)
			if err != nil {
				t.Fatal(err)
			}
			sys.Fault = func(op faultfs.Op) error {
				if op.Number > k && op.Number <= k+length {
					return syscall.ENOSPC
				}
				return nil
			}
			failures := 0
			for step := 1; step <= 24; step++ {
				err := log.Write(Epoch{Step: step})
				if step%3 == 0 && err == nil {
					err = log.Sync()
				}
				if err != nil {
					failures++
					if !file.Failed(err) || !strings.Contains(err.Error(), path) {
						t.Errorf("operation %d: %v", k, err)
					}
				}
			}
			if failures == 0 {
				t.Errorf("operation %d: nothing failed", k)
			}
			if err := log.Close(); err != nil {
				t.Errorf("operation %d: closing: %v", k, err)
			}
			if got := steps(t, path); got != want {
				t.Errorf("operation %d and %d more: the log has %s", k, length-1, got)
			}
			if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
				t.Errorf("operation %d: left behind: %v", k, entries)
			}
		}
	}
}

// Rewind removes the records beyond a step, both those in the file and those that wait, even if the
// disk is full for a while. The next records are appended to the rest.
func TestLogRewinds(t *testing.T) {
	for name, faulty := range map[string][2]int{ // the disk is full between these operations
		"never": {0, 0}, "before": {4, 6}, "while it rewinds": {6, 7},
		"from before to after": {4, 8},
	} {
		path := filepath.Join(t.TempDir(), "metrics.jsonl")
		n := 0
		sys := &faultfs.System{Cached: true, Fault: func(faultfs.Op) error {
			if n > faulty[0] && n <= faulty[1] {
				return syscall.ENOSPC
			}
			return nil
		}}
		log, err := OpenLog(sys, path, 0)
		if err != nil {
			t.Fatal(err)
		}
		write := func(step int) {
			n++
			if err := log.Write(Epoch{Step: step}); err != nil && !file.Failed(err) {
				t.Errorf("%s: record %d: %v", name, step, err)
			}
		}
		for step := 1; step <= 6; step++ {
			write(step)
		}
		n++ // 7
		if err := log.Rewind(3); err != nil && !file.Failed(err) {
			t.Errorf("%s: %v", name, err)
		}
		for step := 4; step <= 6; step++ {
			write(step)
		}
		if err := log.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := steps(t, path); got != "1 2 3 4 5 6" {
			t.Errorf("%s: the log has %s", name, got)
		}
	}
}

// Records that can never be written are counted, and the file keeps the earlier ones.
func TestLogStaysFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	sys := &faultfs.System{Cached: true}
	log, err := OpenLog(sys, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Write(Epoch{Step: 1}); err != nil {
		t.Fatal(err)
	}
	sys.Fault = func(op faultfs.Op) error {
		if op.Kind == "write" {
			return syscall.EDQUOT
		}
		return nil
	}
	for step := 2; step <= 4; step++ {
		if err := log.Write(Epoch{Step: step}); err == nil {
			t.Errorf("record %d: no error", step)
		}
	}
	if waiting, dropped := log.Waiting(); waiting != 3 || dropped != 0 {
		t.Errorf("%d records wait, %d are dropped", waiting, dropped)
	}
	if err := log.Close(); err == nil {
		t.Error("closed without an error")
	}
	if got := steps(t, path); got != "1" {
		t.Errorf("the log has %s", got)
	}
}

// A file whose sync failed is rewritten, not synced again.
func TestLogSyncIsNotRepeated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	sys := &faultfs.System{Cached: true}
	log, err := OpenLog(sys, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if err := log.Write(Epoch{Step: 1}); err != nil {
		t.Fatal(err)
	}
	var trace []string
	sys.Fault = func(op faultfs.Op) error {
		trace = append(trace, op.Kind)
		if len(trace) == 1 {
			return syscall.EIO
		}
		return nil
	}
	if err := log.Sync(); err == nil {
		t.Fatal("no error")
	}
	if err := log.Sync(); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(trace, " ")
	if want := "sync close remove open write sync close rename syncdir open"; got != want {
		t.Errorf("operations %q, expected %q", got, want)
	}
}
