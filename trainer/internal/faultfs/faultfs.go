// Package faultfs is a file system for tests that fails at chosen operations: once (FailAt), or
// from one operation on (DeadFrom). A failing write writes half of its bytes.
package faultfs

import (
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/plume-ml/plume/trainer/file"
)

// Op is an operation that is about to be performed.
type Op struct {
	Number int    // from 1
	Kind   string // open, write, sync, close, mkdir, rename, symlink, remove, syncdir
	Path   string
}

// System performs operations on the real file system, unless Fault returns an error.
type System struct {
	// Fault returns the error of an operation, or nil to perform it. A write that fails writes the
	// first half of its bytes before, as on a full disk.
	Fault func(Op) error
	// Cached skips syncing to the device, which makes tests faster.
	Cached bool

	mu sync.Mutex
	n  int
}

// Ops is the number of operations so far.
func (s *System) Ops() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// at counts an operation and returns its error.
func (s *System) at(kind, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	if s.Fault == nil {
		return nil
	}
	if err := s.Fault(Op{s.n, kind, path}); err != nil {
		return &fs.PathError{Op: kind, Path: path, Err: err}
	}
	return nil
}

func (s *System) OpenFile(path string, flag int, perm fs.FileMode) (file.File, error) {
	if err := s.at("open", path); err != nil {
		return nil, err
	}
	f, err := file.OS.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faulty{f, s, path}, nil
}

func (s *System) Mkdir(path string, perm fs.FileMode) error {
	if err := s.at("mkdir", path); err != nil {
		return err
	}
	return file.OS.Mkdir(path, perm)
}

func (s *System) Rename(oldPath, newPath string) error {
	if err := s.at("rename", newPath); err != nil {
		return err
	}
	return file.OS.Rename(oldPath, newPath)
}

func (s *System) Symlink(target, path string) error {
	if err := s.at("symlink", path); err != nil {
		return err
	}
	return file.OS.Symlink(target, path)
}

func (s *System) RemoveAll(path string) error {
	if err := s.at("remove", path); err != nil {
		return err
	}
	return file.OS.RemoveAll(path)
}

func (s *System) SyncDir(path string) error {
	if err := s.at("syncdir", path); err != nil {
		return err
	}
	if s.Cached {
		return nil
	}
	return file.OS.SyncDir(path)
}

// faulty is an open file.
type faulty struct {
	f    file.File
	s    *System
	path string
}

func (f *faulty) Write(p []byte) (int, error) {
	if err := f.s.at("write", f.path); err != nil {
		n, _ := f.f.Write(p[:len(p)/2])
		return n, err
	}
	return f.f.Write(p)
}

func (f *faulty) WriteAt(p []byte, off int64) (int, error) {
	if err := f.s.at("write", f.path); err != nil {
		n, _ := f.f.WriteAt(p[:len(p)/2], off)
		return n, err
	}
	return f.f.WriteAt(p, off)
}

func (f *faulty) Sync() error {
	if err := f.s.at("sync", f.path); err != nil {
		return err
	}
	if f.s.Cached {
		return nil
	}
	return f.f.Sync()
}

// Close closes the file even when it returns an error, as the operating system does.
func (f *faulty) Close() error {
	err := f.s.at("close", f.path)
	if closed := f.f.Close(); err == nil {
		err = closed
	}
	return err
}

// FailAt returns a Fault that fails only the operation with the given number, with the given error.
func FailAt(number int, with syscall.Errno) func(Op) error {
	return func(op Op) error {
		if op.Number == number {
			return with
		}
		return nil
	}
}

// DeadFrom returns a Fault that fails every operation from the given number on, as if the process
// had been killed during the first of them.
func DeadFrom(number int) func(Op) error {
	return func(op Op) error {
		if op.Number >= number {
			return os.ErrProcessDone
		}
		return nil
	}
}
