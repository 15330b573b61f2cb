package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/gofrs/flock"
)

// Holder is the process that holds a lock.
type Holder struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

func (h Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s since %s (%s)", h.PID, h.Host,
		h.Since.Format("2006-01-02 15:04:05 MST"), humanize.Time(h.Since))
}

// LockedError says that another process writes the directory.
type LockedError struct {
	Dir    string
	Holder Holder // zero if the lock file does not say
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is in use by %v: wait until it has ended, or end it, or write to "+
		"another directory", e.Dir, e.Holder)
}

// Lock makes this process the only one that writes a directory. The operating system releases the
// lock when the process ends, even if it is killed. A lock file that an earlier process left, or
// that was copied with its directory, locks nothing.
type Lock struct {
	// Warning says that the file system has no locks, so that a second process could write the
	// directory; "" if the lock holds.
	Warning string

	mu   sync.Mutex
	file *flock.Flock // nil without a lock
}

var tryLock = (*flock.Flock).TryLock // replaced by tests

// attempts limits how often Acquire tries again after the last holder has just removed the file.
const attempts = 100

// Acquire locks dir, which must exist. If another process holds the lock, Acquire does not wait:
// the error is a *LockedError. Readers need no lock.
//
// On a file system without locks (some network file systems, depending on how they are mounted) the
// Lock has a Warning: that is not an error, since many machines have no other place for large
// files.
func Acquire(dir string) (*Lock, error) {
	path := filepath.Join(dir, lockFile)
	for range attempts {
		file := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
		locked, err := tryLock(file)
		if unsupported(err) {
			os.Remove(path)
			return &Lock{Warning: withoutLocks(dir)}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("lock of %s: %w", dir, err)
		}
		if !locked {
			return nil, &LockedError{Dir: dir, Holder: holder(path)}
		}
		if !current(file, path) {
			file.Close() // the file was removed: its lock excludes nobody
			continue
		}
		l := &Lock{file: file}
		if err := l.sign(path); err != nil {
			return nil, errors.Join(fmt.Errorf("lock of %s: %w", dir, err), l.Release())
		}
		return l, nil
	}
	return nil, fmt.Errorf("lock of %s: %s is removed again and again", dir, path)
}

func withoutLocks(dir string) string {
	return dir + " is on a file system without locks: make sure that no other process writes there"
}

// Running returns the process that writes the run in dir, if there is one. It asks the lock itself:
// the file may be one that an earlier process left. In the moment of asking, a process that begins
// to write a run with such a file may find it in use.
func Running(dir string) (h Holder, running bool) {
	if !Locked(dir) {
		return h, false
	}
	return holder(filepath.Join(dir, lockFile)), true
}

// Locked reports whether a process writes the run in dir, as Running does, without its name.
func Locked(dir string) bool {
	path := filepath.Join(dir, lockFile)
	if _, err := os.Lstat(path); err != nil {
		return false
	}
	file := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := file.TryRLock()
	if err == nil && free {
		file.Close()
	}
	return err == nil && !free
}

// unsupported reports whether the file system has no locks.
func unsupported(err error) bool {
	return errors.Is(err, syscall.ENOLCK) || errors.Is(err, errors.ErrUnsupported)
}

// current reports whether the locked file is still the one at path.
func current(file *flock.Flock, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}

// The holder's description begins after the first byte, which is what is locked: on Windows no
// other process can read locked bytes.
const signature, maxSignature = 1, 1 << 12

// sign writes a description of the holder.
func (l *Lock) sign(path string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	now := time.Now().Round(time.Second)
	text, err := json.Marshal(Holder{Host: host, PID: os.Getpid(), Since: now})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(append(text, '\n'), signature)
	if err == nil {
		err = f.Truncate(signature + int64(len(text)) + 1)
	}
	return errors.Join(err, f.Close())
}

// holder reads the description of the holder, who writes it after getting the lock: hence the pause
// before each attempt. The zero Holder means that none appeared.
func holder(path string) Holder {
	for range 10 {
		time.Sleep(20 * time.Millisecond)
		if h, err := readHolder(path); err == nil {
			return h
		}
	}
	return Holder{}
}

func readHolder(path string) (h Holder, err error) {
	f, err := os.Open(path)
	if err != nil {
		return h, err
	}
	defer f.Close()
	err = json.NewDecoder(io.NewSectionReader(f, signature, maxSignature)).Decode(&h)
	return h, err
}

// Release releases the lock and removes its file; the directory may be gone by then. It does
// nothing for a nil Lock, or for one already released. It is safe for concurrent use, so that a
// signal handler can call it before the process exits.
func (l *Lock) Release() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	// Remove the file while it is locked, so that nobody locks it in between. Windows cannot.
	if runtime.GOOS != "windows" {
		os.Remove(file.Path())
	}
	err := file.Close()
	if runtime.GOOS == "windows" {
		os.Remove(file.Path())
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}
