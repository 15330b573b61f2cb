package file

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Pending is the new content of a file, under way in a temporary file in the same directory.
type Pending struct {
	sys       System
	path, tmp string
	f         File
	w         *bufio.Writer
	ended     atomic.Bool // committed or abandoned
}

// Begin begins to replace the content of the file at path, as Write does: path keeps its old
// content until Commit.
func Begin(sys System, path string) (*Pending, error) {
	tmp := temporary(path)
	// An earlier Pending may have left tmp after a failure, so it is removed, not overwritten.
	if err := sys.RemoveAll(tmp); err != nil {
		return nil, err
	}
	f, err := sys.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, errors.Join(err, sys.RemoveAll(tmp))
	}
	return &Pending{sys: sys, path: path, tmp: tmp, f: f, w: bufio.NewWriter(f)}, nil
}

// Write writes the next bytes.
func (p *Pending) Write(b []byte) (int, error) { return p.w.Write(b) }

// WriteAt writes over bytes that were written before.
func (p *Pending) WriteAt(b []byte, off int64) (int, error) {
	if err := p.w.Flush(); err != nil {
		return 0, err
	}
	return p.f.WriteAt(b, off)
}

// Open opens what was written so far for reading.
func (p *Pending) Open() (*os.File, error) {
	if err := p.w.Flush(); err != nil {
		return nil, err
	}
	return os.Open(p.tmp)
}

// Commit makes what was written the content of the file, and durable. After an error, path has
// either content, and no temporary file is left unless removing it failed too.
func (p *Pending) Commit() error {
	err := p.w.Flush()
	if err == nil {
		err = p.f.Sync()
	}
	err = errors.Join(err, p.f.Close())
	if err == nil {
		err = p.sys.Rename(p.tmp, p.path)
	}
	if err != nil {
		p.ended.Store(true)
		return errors.Join(err, p.sys.RemoveAll(p.tmp))
	}
	p.ended.Store(true)
	return p.sys.SyncDir(filepath.Dir(p.path))
}

// Abandon removes the temporary file; after Commit or another Abandon it does nothing. It may be
// called while another goroutine is writing, whose next operation then fails.
func (p *Pending) Abandon() error {
	if p.ended.Swap(true) {
		return nil
	}
	closed := p.f.Close()
	if errors.Is(closed, os.ErrClosed) {
		closed = nil // by a Commit in another goroutine
	}
	return errors.Join(closed, p.sys.RemoveAll(p.tmp))
}
