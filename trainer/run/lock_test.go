package run

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// lockDir is the environment variable with the directory that a process of this test locks.
const lockDir = "PLUME_TEST_LOCK_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockDir); dir != "" {
		l, err := Acquire(dir)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		bufio.NewReader(os.Stdin).ReadString('\n')
		if err := l.Release(); err != nil {
			fmt.Println(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// hold starts a process that locks dir, and returns once it has.
func hold(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockDir+"="+dir)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd
}

// While another process holds the lock, Acquire fails and names it. A kill releases the lock, and
// the file that the killed process left locks nothing.
func TestLockDiesWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	before := time.Now().Add(-2 * time.Second)
	holder := hold(t, dir)
	for range 3 {
		_, err := Acquire(dir)
		locked := (*LockedError)(nil)
		if !errors.As(err, &locked) {
			t.Fatalf("%v; expected a LockedError", err)
		}
		host, _ := os.Hostname()
		h := locked.Holder
		if locked.Dir != dir || h.PID != holder.Process.Pid || h.Host != host ||
			h.Since.Before(before) || h.Since.After(time.Now().Add(time.Second)) {
			t.Errorf("%+v", locked)
		}
		want := fmt.Sprintf("%s is in use by process %d on %s since 2", dir, h.PID, host)
		if !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "end it") {
			t.Errorf("%v; expected %s", err, want)
		}
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	holder.Wait()
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		t.Fatalf("the file of a killed process: %v", err)
	}
	l, err := Acquire(dir)
	if err != nil {
		t.Fatalf("after a kill: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, lockFile))
	if err != nil || !strings.Contains(string(text), fmt.Sprintf(`"pid":%d,`, os.Getpid())) ||
		strings.Count(string(text), "pid") != 1 {
		t.Errorf("%q, %v", text, err)
	}
	for range 2 {
		if err := l.Release(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, lockFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the release: %v", err)
	}
	hold(t, dir)
}

// Only the lock counts, not the content of the file or where it was copied from.
func TestStaleFilesLockNothing(t *testing.T) {
	for _, text := range []string{
		"", "\x00", "garbage", strings.Repeat("long", 1000),
		"\x00" + `{"host":"elsewhere","pid":1,"since":"2026-01-02T03:04:05Z"}` + "\n",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, lockFile)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		l, err := Acquire(dir)
		if err != nil {
			t.Fatalf("%.20q: %v", text, err)
		}
		if h, err := readHolder(path); err != nil || h.PID != os.Getpid() {
			t.Errorf("%.20q: %+v, %v", text, h, err)
		}
		now, err := os.ReadFile(path)
		if err != nil || len(now) > 200 || !strings.HasSuffix(string(now), "}\n") {
			t.Errorf("%.20q became %q, %v", text, now, err)
		}
		if err := l.Release(); err != nil {
			t.Error(err)
		}
	}
}

// A lock on a file that was removed in the meantime does not count: it would exclude nobody.
func TestRemovedFileIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, lockFile)
	tries := 0
	tryLock = func(f *flock.Flock) (bool, error) {
		ok, err := f.TryLock()
		if tries++; tries <= 3 { // as if the last holder released it just now
			os.Remove(path)
		}
		return ok, err
	}
	defer func() { tryLock = (*flock.Flock).TryLock }()
	l, err := Acquire(dir)
	if err != nil || tries != 4 {
		t.Fatalf("%d tries, %v", tries, err)
	}
	if _, err := Acquire(dir); err == nil {
		t.Error("locked twice")
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}

// Many goroutines acquire and release a lock: one at a time holds it.
func TestOneHolderAtATime(t *testing.T) {
	dir := t.TempDir()
	var holders, taken atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				l, err := Acquire(dir)
				if locked := (*LockedError)(nil); errors.As(err, &locked) {
					continue
				} else if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d holders", n)
				}
				taken.Add(1)
				holders.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if taken.Load() == 0 {
		t.Error("nobody ever had it")
	}
}

// A file system without locks gives a warning; any other fault is an error.
func TestWithoutLocks(t *testing.T) {
	defer func() { tryLock = (*flock.Flock).TryLock }()
	for _, fault := range []error{syscall.ENOLCK, syscall.ENOSYS, syscall.EOPNOTSUPP} {
		dir := t.TempDir()
		tryLock = func(f *flock.Flock) (bool, error) {
			f.TryLock()
			f.Unlock()
			return false, fault
		}
		l, err := Acquire(dir)
		if err != nil || !strings.Contains(l.Warning, "without locks") ||
			!strings.Contains(l.Warning, dir) {
			t.Errorf("%v: %+v, %v", fault, l, err)
		}
		if err := l.Release(); err != nil {
			t.Error(err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("%v leaves %v, %v", fault, entries, err)
		}
	}
	tryLock = func(*flock.Flock) (bool, error) { return false, syscall.EIO }
	if _, err := Acquire(t.TempDir()); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v, expected EIO", err)
	}
	if _, err := Acquire(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("locked what is not there")
	}
}
