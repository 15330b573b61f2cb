//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package memory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// scratchName starts the name that a mapping's file has between its creation and its unlinking. A
// process killed in between leaves an empty file, which the next Map in that directory removes.
const scratchName = ".plume-scratch-"

// Map makes an array of the given number of bytes, all zero, in a new file in dir. It allocates the
// file's disk space, so that a disk that is too small is an error now (ErrDisk) and not a fault
// later; a file system that copies on every write (btrfs, ZFS) may still run full later. Map stops
// early, with ctx's error, when ctx ends. Close frees the memory and the file.
func Map(ctx context.Context, dir string, bytes int64) (*Mapping, error) {
	if bytes <= 0 || int64(int(bytes)) != bytes || bytes >= huge {
		return nil, fmt.Errorf("%w: a file of %s is too large for this system", ErrMapping,
			Human(bytes))
	}
	// Check first, so as not to fill a disk that others write to only to find it too small.
	if free, ok := DiskFree(dir); ok && free < bytes {
		return nil, fmt.Errorf("%w: a file of %s in %s, which has %s free", ErrDisk, Human(bytes),
			dir, Human(free))
	}
	f, err := scratch(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: expected a directory in which files can be made: %w",
			ErrMapping, err)
	}
	m := &Mapping{file: f, dir: dir}
	if err := reserve(ctx, f, bytes); err != nil {
		return nil, errors.Join(m.reserveError(err, bytes), f.Close())
	}
	const access = unix.PROT_READ | unix.PROT_WRITE
	m.bytes, err = unix.Mmap(int(f.Fd()), 0, int(bytes), access, unix.MAP_SHARED)
	if err != nil {
		err = fmt.Errorf("%w of %s in %s: %w", ErrMapping, Human(bytes), dir, err)
		return nil, errors.Join(err, f.Close())
	}
	m.enter()
	return m, nil
}

// scratch makes a file without a name.
func scratch(dir string) (*os.File, error) {
	clearStale(dir)
	f, err := os.CreateTemp(dir, scratchName)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// clearStale removes the empty files that killed processes left. It may also remove the file of a
// process that is about to do so itself, which scratch allows for. Files that cannot be removed do
// no harm.
func clearStale(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if strings.HasPrefix(e.Name(), scratchName) && err == nil && info.Mode().IsRegular() &&
			info.Size() == 0 {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

func (m *Mapping) reserveError(err error, bytes int64) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG) {
		return fmt.Errorf("%w: a file of %s in %s: %w", ErrDisk, Human(bytes), m.dir, err)
	}
	return fmt.Errorf("%w: reserving %s in %s: %w", ErrMapping, Human(bytes), m.dir, err)
}

// writeZeros fills a new file.
func writeZeros(ctx context.Context, f *os.File, bytes int64) error {
	block := make([]byte, min(bytes, 1<<20))
	for at := int64(0); at < bytes; at += int64(len(block)) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := f.WriteAt(block[:min(int64(len(block)), bytes-at)], at); err != nil {
			return err
		}
	}
	return nil
}

// Prefetch asks the system to read elements lo to hi of Floats soon, without waiting for them.
func (m *Mapping) Prefetch(lo, hi int) {
	start := 4 * lo &^ (os.Getpagesize() - 1)
	_ = unix.Madvise(m.bytes[start:4*hi], unix.MADV_WILLNEED) // advice: without it the fault reads
}

// Close frees the memory and the file. Arrays of Floats must not be used afterwards.
func (m *Mapping) Close() error {
	if m.bytes == nil {
		return nil
	}
	m.leave()
	err := errors.Join(unix.Munmap(m.bytes), m.file.Close())
	m.bytes = nil
	if err != nil {
		return fmt.Errorf("%w in %s: %w", ErrMapping, m.dir, err)
	}
	return nil
}
