package picture

import (
	"errors"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
)

// Folder writes one PNG file for each image into a folder of its own. They appear together, at
// Close.
type Folder struct {
	path, hidden string // hidden is the folder in it where the files are until Close
	sys          file.System
	shape        data.Shape
	made         bool // path was made, not only filled

	mu    sync.Mutex // held while the file system changes
	ended bool       // closed or abandoned
}

// CheckFolder returns the error of CreateFolder where that can be known before long work: the
// folder must be empty or new, and in a directory that exists. Files of different calls are never
// mixed, nor written over.
func CheckFolder(path string) error {
	entries, err := os.ReadDir(path)
	switch {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("picture: the folder %s is not empty (it holds %s): name a new one, or "+
			"empty it", path, entries[0].Name())
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("picture: %w; expected a folder", err)
	}
	if info, err := os.Stat(filepath.Dir(filepath.Clean(path))); err != nil || !info.IsDir() {
		return fmt.Errorf("picture: the folder %s would be in a directory that does not exist: "+
			"create that first", path)
	}
	return nil
}

// CreateFolder begins a folder of images of the given shape.
func CreateFolder(path string, shape data.Shape) (*Folder, error) {
	return createFolder(file.OS, path, shape)
}

func createFolder(sys file.System, path string, shape data.Shape) (*Folder, error) {
	if err := CheckFolder(path); err != nil {
		return nil, err
	}
	f := &Folder{
		path: path, hidden: filepath.Join(path, ".tmp-images"), sys: sys, shape: shape,
	}
	err := sys.Mkdir(path, 0o777)
	f.made = err == nil
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err == nil {
		err = sys.Mkdir(f.hidden, 0o777)
	}
	if err != nil {
		f.Abandon()
		return nil, fmt.Errorf("picture: %w", err)
	}
	return f, nil
}

// Add writes an image (H x W x C, in [-1, 1]) as a file of the given name, pixel by pixel: not
// enlarged, otherwise as in WriteGrid.
func (f *Folder) Add(name string, pixels []float32) error {
	canvas := newCanvas(f.shape.W, f.shape.H, f.shape.C)
	drawScaled(canvas, 0, 0, pixels, f.shape, 1, 1)
	return f.AddFile(name, func(w io.Writer) error { return png.Encode(w, canvas) })
}

// AddFile writes a file of the given name with what write writes.
func (f *Folder) AddFile(name string, write func(io.Writer) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return fmt.Errorf("picture: writing %s: %w", f.path, os.ErrClosed)
	}
	if err := f.write(filepath.Join(f.hidden, name), write); err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	return nil
}

// write writes a file. It is not synced: that would take longer than drawing the image, and after
// a crash of the machine all of them can be drawn again.
func (f *Folder) write(path string, write func(io.Writer) error) error {
	w, err := f.sys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(write(w), w.Close())
}

// Close makes the files appear, under their names. After an error there are none.
func (f *Folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return fmt.Errorf("picture: writing %s: %w", f.path, os.ErrClosed)
	}
	if err := f.reveal(); err != nil {
		f.remove()
		return fmt.Errorf("picture: %w", err)
	}
	f.ended = true
	return nil
}

func (f *Folder) reveal() error {
	hidden, err := os.Open(f.hidden)
	if err != nil {
		return err
	}
	names, err := hidden.Readdirnames(-1)
	if err = errors.Join(err, hidden.Close()); err != nil {
		return err
	}
	for i, name := range names {
		err := f.sys.Rename(filepath.Join(f.hidden, name), filepath.Join(f.path, name))
		if err != nil {
			for _, name := range names[:i] {
				_ = f.sys.RemoveAll(filepath.Join(f.path, name))
			}
			return err
		}
	}
	_ = f.sys.RemoveAll(f.hidden) // empty by now
	return f.sys.SyncDir(f.path)
}

// Abandon removes what was written, and the folder if it was made; after Close it does nothing. It
// may be called while another goroutine is in Add, which then fails, or in Close.
func (f *Folder) Abandon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.remove()
	}
}

func (f *Folder) remove() {
	f.ended = true
	_ = f.sys.RemoveAll(f.hidden)
	if f.made {
		_ = os.Remove(f.path) // unless it holds something
	}
}
