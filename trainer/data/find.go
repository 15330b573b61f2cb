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

// Found describes a data set from its names and headers, which is enough to know its size.
type Found struct {
	Len     int
	Kind    Kind
	Shape   Shape // C = 3 if only the pixels tell whether pictures are gray
	Bytes   int64 // memory of the data set
	Loading int64 // additional memory while Read reads it
	// Likelihood describes what suits the numbers of a row, as the configuration key does; "" for
	// numbers that are nothing but real.
	Likelihood string

	Summary Summary // of what was found; after Read, of what was read

	name     string // as passed to Find
	opt      Options
	images   imageReader
	labels   []labelReader // read in this order; empty: images reads the labels, or there are none
	labelled bool          // Bytes includes labels
	npz      bool          // the images are in an .npz archive

	canStay, stays bool // in the file
	survey         func(context.Context, *Unsettled) (Survey, error)

	labelColumn bool // Options.Labels names a column, and no file
}

// imageReader reads the images whose headers Find has read.
type imageReader interface {
	readImages(ctx context.Context) (*array, error)
}

// labelReader reads the labels of the images of a.
type labelReader interface {
	readLabels(ctx context.Context, a *array) error
}

// Find finds the data set that Open opens, and reads its headers.
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
	if err != nil {
		return nil, err
	}
	f.name, f.opt = name, opt
	if f.Kind == "" {
		f.Kind = KindOfShape(f.Shape)
	}
	if opt.Labels != "" && !f.labelColumn {
		if err := f.findLabelFile(ctx); err != nil {
			return nil, err
		}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	if err := f.checkKind(); err != nil {
		return nil, err
	}
	return f, nil
}

// find detects the format and reads the headers.
func find(ctx context.Context, name string, opt Options) (*Found, error) {
	if findEmbedded, ok := embedded[name]; ok {
		if err := checkEmbedded(name, opt); err != nil {
			return nil, err
		}
		f, err := findEmbedded(ctx)
		if err != nil {
			return nil, err
		}
		f.Summary.Source, f.Summary.Format = name, "embedded"
		return f, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, unknownName(name)
	case err != nil:
		return nil, fmt.Errorf("data: %w", err)
	case !info.IsDir() && !info.Mode().IsRegular(): // opening it could block
		return nil, fmt.Errorf("data: %s: is %s; expected %s (what it gives can be written to a "+
			"file first)", name, special(info.Mode()), accepted)
	}
	var f *Found
	if info.IsDir() {
		f, err = findDir(ctx, name, opt)
	} else {
		f, err = findFile(ctx, name, info, opt)
	}
	if err != nil {
		return nil, err
	}
	if f.Summary.Source, err = filepath.Abs(name); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return f, nil
}

// addLabels makes Read read labels with r, which replace any earlier ones, and counts their memory.
func (f *Found) addLabels(r labelReader) {
	f.labels = append(f.labels, r)
	if !f.labelled {
		f.Bytes, f.labelled = f.Bytes+memory.Array[int32](f.Len), true
	}
}

// check refuses options that do not apply, and data sets that cannot be trained on.
func (f *Found) check() error {
	if f.opt.Array != "" && !f.npz {
		return fmt.Errorf("data: %s: --array %q applies only to .npz archives, and this is not one",
			f.name, f.opt.Array)
	}
	if f.Len < 2 {
		return fmt.Errorf("data: %s: holds %d %s; expected at least 2", f.name, f.Len, f.one())
	}
	if err := f.Shape.Validate(); err != nil {
		return fmt.Errorf("data: %s: one %s has %w", f.name, f.one(), err)
	}
	if f.opt.As == Columns && f.Kind != Columns {
		return fmt.Errorf("data: %s: --as %s is for tables of named columns: a CSV or Parquet file",
			f.name, Columns)
	}
	if f.opt.Schema != "" && f.Kind != Columns {
		return fmt.Errorf("data: %s: --schema describes tables of named columns: a CSV or Parquet "+
			"file", f.name)
	}
	return nil
}

// one is what a datapoint is called.
func (f *Found) one() string {
	if f.Kind == Columns {
		return "row"
	}
	return "image"
}

// Read reads the data set, and updates f to what was read. A file that does not match its header is
// an error.
//
// It stops early, with ctx's error, when ctx ends.
func (f *Found) Read(ctx context.Context) (Dataset, error) {
	a, err := f.read(ctx)
	if err != nil && err == ctx.Err() {
		err = fmt.Errorf("data: %s: reading was stopped: %w", f.name, err)
	}
	if err != nil {
		return nil, err
	}
	f.Len, f.Shape, f.Bytes = a.m, a.shape, a.bytes()
	f.Summary.summarise(a)
	return a, nil
}

// read reads the images, then their labels, and maps the stored values to pixels.
func (f *Found) read(ctx context.Context) (*array, error) {
	if f.stays {
		return f.leave(ctx)
	}
	a, err := f.images.readImages(ctx)
	if err != nil {
		return nil, err
	}
	a.name, a.kind = baseName(f.name), f.Kind
	if f.Kind == Signals {
		a.crop(f.opt.Length)
	}
	if err := f.readLabels(ctx, a); err != nil {
		return nil, err
	}
	if err := a.calibrate(ctx, f.name, f.opt); err != nil {
		return nil, err
	}
	return a, nil
}

// readLabels reads the labels of the images of a.
func (f *Found) readLabels(ctx context.Context, a *array) error {
	for _, l := range f.labels {
		if err := l.readLabels(ctx, a); err != nil {
			return err
		}
	}
	if a.labels != nil && len(a.labels) != a.m {
		return fmt.Errorf("data: %s: has %d labels for %d images", f.name, len(a.labels), a.m)
	}
	return nil
}
