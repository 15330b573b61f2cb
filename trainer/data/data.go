// Package data reads image data sets and divides them into minibatches.
//
// Open reads a data set by name: one of the embedded samples ("fashion10k", "digits"), or a path.
// Find only reads the headers, to learn the size first; Found.Read then reads the images. The
// result is a Dataset, which Split divides into training and held-out images, and Batches into
// minibatches. Fingerprint identifies its content.
//
// The format is detected from the content of a file, not from its name alone. These are read: IDX
// files (plain or gzipped) and directories of them, NumPy arrays (.npy, .npz), CIFAR's binary
// batches, and pictures (PNG, JPEG, GIF, BMP, TIFF, WebP) or sounds (WAV) in a directory or in a
// .zip or .tar archive. Errors name the file and say what was expected.
//
// Pixels are float32 in [-1, 1], in the order H x W x C. Options.Range gives the stored values that
// become -1 and 1. By default these depend on the type: 0 and 255 for bytes and for integers that
// fit a byte, 0 and 65535 for other uint16, false and true for booleans; floats are taken as
// pixels. Values that do not look like pixels in this range cause a warning. Signals have one
// default for all types: their mean less and plus two standard deviations, over all values.
package data

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/data/columns"
)

// Shape is the shape of one image: H rows of W pixels with C channels (1: gray, 3: RGB). A signal
// of T samples of C channels has the shape 1 x T x C, and a row of D numbers 1 x D x 1.
type Shape struct{ H, W, C int }

// Dim is the number of values in an image, D = H*W*C.
func (s Shape) Dim() int { return s.H * s.W * s.C }

// maxDim limits the values in an image, since a decoder has an output for each.
const maxDim = 1 << 24

// Validate returns an error for a side or channels below 1, for channels other than 1 or 3 of
// images of more than one row, and for more than 1<<24 values.
func (s Shape) Validate() error {
	switch {
	case s.H < 1:
		return fmt.Errorf("shape H = %d: expected 1 or more", s.H)
	case s.W < 1:
		return fmt.Errorf("shape W = %d: expected 1 or more", s.W)
	case s.C < 1:
		return fmt.Errorf("shape C = %d: expected 1 or more channels", s.C)
	case s.H > 1 && s.C != 1 && s.C != 3:
		return fmt.Errorf("shape C = %d: expected 1 (gray) or 3 (RGB)", s.C)
	case s.H > maxDim/s.C/s.W: // the product could overflow
		return fmt.Errorf("shape of H x W x C = %d x %d x %d: expected at most %d values", s.H, s.W,
			s.C, maxDim)
	}
	return nil
}

func (s Shape) String() string {
	if s.C == 1 {
		return fmt.Sprintf("%d x %d", s.H, s.W)
	}
	return fmt.Sprintf("%d x %d x %d", s.H, s.W, s.C)
}

// Dims returns the dimensions of an array of n images: n x H x W x C, or n x D for rows of numbers.
func (s Shape) Dims(n int) []int {
	if s.H == 1 && s.C == 1 {
		return []int{n, s.W}
	}
	return []int{n, s.H, s.W, s.C}
}

// Dataset is a fixed list of M images of one shape. It is safe for concurrent use. Gather returns
// pixels in [-1, 1] and does not allocate.
type Dataset interface {
	Rows
	// Name is a short name, used for run directories: the embedded name, or the base name of the
	// path.
	Name() string
	Shape() Shape
	// Label is the class of image i, or -1 if it is unknown.
	Label(i int) int
	// Origin tells where image i comes from.
	Origin(i int) Origin
}

// Origin tells where an image is in its source. Row is its number there, from 0 and in the order of
// the source, including skipped images. File is the path of its file relative to the source, with
// slashes; it is "" unless the source has one file for each image. Flipped is set for the mirror
// images of Flipped.
type Origin struct {
	Row     int
	File    string
	Flipped bool
}

// Options control how Open reads data. The zero value is ready to use.
type Options struct {
	// Size is the side in pixels to which the central square of pictures is scaled; 0 leaves them
	// as they are.
	Size int
	// Gray converts pictures to one channel.
	Gray bool
	// As says what the rows are; "" or Auto leaves that to the source.
	As Kind
	// Length is how many samples of signals are taken, from the first on; 0: all.
	Length int
	// SampleRate is how many samples of signals are a second, for arrays; 0 if unknown.
	SampleRate float64
	// Array names the array of images in an .npz archive; "" chooses it if there is no doubt.
	Array string
	// Range gives the stored values that become -1 and 1, the first below the second. Values
	// outside are not clipped. nil means the default of the type, see the package comment.
	Range *[2]float64
	// Labels is a file of labels: CSV, JSON, a .npy array or an IDX file; or the column of a table
	// that holds them. "" takes the labels stored with the images, if any.
	Labels string
	// Schema is a schema file, which says of a table's columns what cannot be found (package
	// columns). "": nothing.
	Schema string
	// TableSchema is the complete schema of a table. Other tables are read as rows of that one: the
	// columns are matched by name, and Schema does not count. nil: none.
	TableSchema *columns.Schema
	// SkipBroken skips pictures that cannot be read; otherwise they are an error.
	SkipBroken bool
	// Missing makes NaN in arrays of floats a missing value (MissingOf); otherwise it is an error.
	Missing bool
	// Warn receives warnings to the user; nil drops them.
	Warn func(string)
	// Progress receives, while pictures are read, how many have been: "300 of 1,000 pictures"; and
	// "" at the end. Several goroutines call it. nil drops it.
	Progress func(string)
}

// maxSize limits Options.Size, since a decoder has an output for every pixel.
const maxSize = 4096

func (o Options) warn(format string, args ...any) {
	if o.Warn != nil {
		o.Warn(fmt.Sprintf(format, args...))
	}
}

// refuse returns an error if options are set that only apply to pictures.
func (o Options) refuse(name, kind string) error {
	if o.Size == 0 && !o.Gray {
		return nil
	}
	return fmt.Errorf("data: %s: --size and --gray apply only to pictures in a directory or an "+
		"archive, and this is %s", name, kind)
}

// Open opens an embedded data set by name, or the file or directory at a path. An embedded name
// takes precedence over a file of the same name, which can be opened as "./name".
//
// It stops early, with ctx's error, when ctx ends.
func Open(ctx context.Context, name string, opt Options) (Dataset, error) {
	f, err := Find(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	return f.Read(ctx)
}

const accepted = "an IDX file, a .npy array, an .npz archive, a table (CSV or Parquet), binary " +
	"batches of CIFAR, a directory of IDX files, or pictures or WAV files in a directory or in a " +
	".zip, .tar or .tar.gz archive"

// baseName returns the last element of the absolute path, so that it is never "." or "..".
func baseName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return filepath.Base(path)
}
