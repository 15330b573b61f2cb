// Package file writes files atomically: a file appears complete or not at all. Write, WriteBytes
// and Begin do this on a System, which lists the operations needed of a file system; OS is the real
// one. Tests pass another System to see what a full disk, a failing device or a kill leaves behind.
package file

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// System is a file system to write to. Its errors are those of package os, with the path.
type System interface {
	// OpenFile is os.OpenFile.
	OpenFile(path string, flag int, perm fs.FileMode) (File, error)
	Mkdir(path string, perm fs.FileMode) error
	Rename(from, to string) error
	Symlink(target, path string) error
	RemoveAll(path string) error
	// SyncDir makes the names in a directory durable.
	SyncDir(path string) error
}

// File is a file open for writing.
type File interface {
	io.WriteCloser
	io.WriterAt
	// Sync makes what was written durable. After an error the kernel may have dropped data that it
	// counts as written, so a second Sync proves nothing: write the file again.
	Sync() error
}

// OS is the operating system's file system.
var OS System = system{}

type system struct{}

func (system) OpenFile(path string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err // not a File around a nil *os.File
	}
	return f, nil
}

func (system) Mkdir(path string, perm fs.FileMode) error { return os.Mkdir(path, perm) }
func (system) Rename(from, to string) error              { return os.Rename(from, to) }
func (system) Symlink(target, path string) error         { return os.Symlink(target, path) }
func (system) RemoveAll(path string) error               { return os.RemoveAll(path) }

func (system) SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // Windows cannot sync a directory
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// tmpPrefix begins the name of a temporary file, which is renamed when it is complete.
const tmpPrefix = ".tmp-"

// process is part of the names of this process's temporary files, so that processes that write the
// same file use different temporary ones.
var process = rand.Text()[:8]

// temporary returns the path of the temporary file in which this process writes the file at path.
func temporary(path string) string {
	dir, name := filepath.Split(path)
	return filepath.Join(dir, tmpPrefix+process+"-"+name)
}

// Write replaces the content of the file at path by what write writes. Whatever happens, path holds
// either the old content or the new, complete, and the new one is durable when Write returns nil.
// The directory must exist. If several processes write the same file, the last one wins. Within a
// process, only one goroutine may write a file at a time.
func Write(sys System, path string, write func(io.Writer) error) error {
	p, err := Begin(sys, path)
	if err != nil {
		return err
	}
	if err := write(p); err != nil {
		return errors.Join(err, p.Abandon())
	}
	return p.Commit()
}

// Abandon removes the temporary file of an unfinished Write to path, when the process is about to
// exit.
func Abandon(sys System, path string) error { return sys.RemoveAll(temporary(path)) }

// RemoveStale removes the temporary files that killed processes have left in dir. No other process
// may be writing there. Errors are ignored, since such files do no harm.
func RemoveStale(sys System, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), tmpPrefix) {
			_ = sys.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// WriteBytes replaces the content of the file at path, as Write does.
func WriteBytes(sys System, path string, content []byte) error {
	return Write(sys, path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Failed reports whether err comes from the file system: the disk is full, a quota is reached, a
// directory is gone or read-only, a device fails. Trying again later may help.
func Failed(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	return errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &call)
}
