package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/plume-ml/plume/trainer/data/raster"
)

// folder is the path of a directory.
type folder string

func (folder) Kind() string { return Folder }
func (folder) Close() error { return nil }

func (f folder) List(ctx context.Context, note Note) ([]File, error) { return list(ctx, f, note) }

func (f folder) path(name string) string {
	return filepath.Join(string(f), filepath.FromSlash(name))
}

func (f folder) entries(path string) ([]entry, error) {
	found, err := os.ReadDir(f.path(path))
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(found))
	for _, e := range found {
		entries = append(entries, entry{name: e.Name(), kind: e.Type()})
	}
	return entries, nil
}

func (f folder) follow(path string) (real string, e entry, err error) {
	if real, err = filepath.EvalSymlinks(f.path(path)); err != nil {
		return "", entry{}, plain(err)
	}
	if real, err = filepath.Abs(real); err != nil {
		return "", entry{}, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", entry{}, plain(err)
	}
	return filepath.ToSlash(real), entry{kind: info.Mode().Type()}, nil
}

// plain strips the path from an error of the operating system; the caller adds its own.
func plain(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func (f folder) Visit(ctx context.Context, files []File, see Visitor) error {
	return visit(ctx, files, see, func(file File) (raster.Content, io.Closer, error) {
		opened, size, err := openRegular(f.path(file.Name))
		if err != nil {
			return nil, nil, err
		}
		return section(ctx, opened, 0, size), opened, nil
	})
}

// openRegular opens a regular file. It does not block if a FIFO has taken the place of the file
// since it was listed.
func openRegular(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, plain(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("is not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// section returns the n bytes of r at an offset as a content whose reads fail once ctx has ended.
func section(ctx context.Context, r io.ReaderAt, offset, n int64) raster.Content {
	return io.NewSectionReader(stoppable{ctx, r}, offset, n)
}

type stoppable struct {
	ctx context.Context
	r   io.ReaderAt
}

func (s stoppable) ReadAt(b []byte, at int64) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.ReadAt(b, at)
}
