package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/memory"
)

// Found is a data set of which only names and headers have been read: enough to know its size.
type Found struct {
	Len     int
	Shape   Shape // C = 3 for pictures of which only the pixels tell whether they are gray
	Bytes   int64 // memory of the data set
	Loading int64 // memory that reading it takes beside that

	Summary Summary // of what was found; after Read, of what was read

	name     string
	opt      Options
	npz      bool // Options.Array was heeded
	labelled bool // Bytes has labels
	read     func(context.Context) (*array, error)
}

// Find looks for what Open opens, and at its headers.
func Find(ctx context.Context, name string, opt Options) (*Found, error) {
	if opt.Size < 0 || opt.Size > maxSize {
		return nil, fmt.Errorf(
			"data: --size is %d; expected 1 to %d, or 0 to keep the images' own "+
				"size", opt.Size, maxSize)
	}
	if err := opt.checkRange(); err != nil {
		return nil, err
	}
	f, err := find(ctx, name, opt)
	if err == nil && opt.Labels != "" {
		err = f.withLabels(ctx, opt)
	}
	if err != nil {
		return nil, err
	}
	f.name, f.opt = name, opt
	if opt.Array != "" && !f.npz {
		return nil, fmt.Errorf("data: %s: --array %q names an array of an .npz archive, and this "+
			"is none", name, opt.Array)
	}
	if _, isEmbedded := embedded[name]; isEmbedded {
		f.Summary.Source, f.Summary.Format = name, "embedded"
	} else if f.Summary.Source, err = filepath.Abs(name); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if f.Len < 2 {
		return nil, fmt.Errorf("data: %s: holds %d image; expected at least 2", name, f.Len)
	}
	if err := f.Shape.Validate(); err != nil {
		return nil, fmt.Errorf("data: %s: one image has %w", name, err)
	}
	return f, nil
}

// Read reads the data set; Shape and Bytes are then what they turned out to be. A file that is not
// what its header promised is an error here.
//
// It stops early, with ctx's error, when ctx ends.
func (f *Found) Read(ctx context.Context) (Dataset, error) {
	a, err := f.read(ctx)
	if err == nil && a.labels != nil && len(a.labels) != a.m {
		err = fmt.Errorf("data: %s: has %d labels for %d images", f.name, len(a.labels), a.m)
	}
	if err == nil {
		err = a.calibrate(ctx, f.name, f.opt)
	}
	if err != nil && err == ctx.Err() {
		err = fmt.Errorf("data: %s: reading was stopped: %w", f.name, err)
	}
	if err != nil {
		return nil, err
	}
	f.Len, f.Shape = a.m, a.shape
	f.Bytes = int64(len(a.u8)) + memory.Array[float32](len(a.f32)) +
		memory.Array[int32](len(a.labels)) + memory.Array[int](len(a.rows))
	f.Summary.summarise(a)
	return a, nil
}

func find(ctx context.Context, name string, opt Options) (*Found, error) {
	if set, ok := embedded[name]; ok {
		if err := opt.refuse(name, "an embedded data set"); err != nil {
			return nil, err
		}
		if opt.Range != nil {
			return nil, fmt.Errorf("data: %s: --range applies only to files and directories, and "+
				"this is an embedded data set", name)
		}
		if _, err := os.Lstat(name); err == nil {
			opt.warn("data: %s: is taken as the embedded data set of that name; what lies here "+
				"under the same name is .%c%s", name, filepath.Separator, name)
		}
		return set(ctx)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, unknownName(name)
	case err != nil:
		return nil, fmt.Errorf("data: %w", err)
	case info.IsDir():
		return findDir(ctx, name, opt)
	case !info.Mode().IsRegular(): // to open it could wait for ever
		return nil, fmt.Errorf("data: %s: is %s; expected %s (what it gives can be written to a "+
			"file first)", name, special(info.Mode()), accepted)
	}
	return findFile(ctx, name, info, opt)
}

// reopen reads the whole of a file whose header was looked at.
func reopen(
	ctx context.Context, path string, read func(s *source) (*array, error),
) (*array, error) {
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return read(s)
}

// named makes the data set carry another name than that of its file.
func (f *Found) named(name string) *Found {
	read := f.read
	f.read = func(ctx context.Context) (*array, error) {
		a, err := read(ctx)
		if a != nil {
			a.name = name
		}
		return a, err
	}
	return f
}
