// Package data reads image data sets and deals them out in minibatches.
//
// A data set is opened by name: one of the embedded samples ("fashion10k", "digits"), or a
// path. What a file holds is decided by its content, never by its name alone: IDX files (plain or
// gzip), NumPy arrays and archives of them, CIFAR's binary batches, directories of IDX files, and
// pictures (PNG, JPEG, GIF, BMP, TIFF, WebP) in a directory or in a .zip or .tar archive. Whatever
// does not hold what it claims is an error that names the file and says what was expected.
//
// Pixels reach the caller as float32 in [-1, 1], rows in H x W x C order. Which stored values stand
// for -1 and 1 is told by Options.Range, or else by their type: 0 and 255 of bytes and of integers
// that fit a byte, 0 and 65535 of other uint16, false and true; floats are pixels as they are.
// Values that are hardly pixels then are warned of.
package data

import (
	"context"
	"fmt"
	"path/filepath"
)

// Shape is the shape of one image: H rows of W pixels of C channels (1: gray, 3: RGB). Data
// without image structure, a row of D numbers, has the shape 1 x D x 1.
type Shape struct{ H, W, C int }

// Dim is the number of values in an image, D = H*W*C.
func (s Shape) Dim() int { return s.H * s.W * s.C }

// MaxDim bounds the values of one image: a decoder has an output for each.
const MaxDim = 1 << 24

// Validate reports what no image has: a side below 1, channels other than 1 or 3, or more
// values than MaxDim.
func (s Shape) Validate() error {
	switch {
	case s.H < 1:
		return fmt.Errorf("shape H = %d: expected 1 or more", s.H)
	case s.W < 1:
		return fmt.Errorf("shape W = %d: expected 1 or more", s.W)
	case s.C != 1 && s.C != 3:
		return fmt.Errorf("shape C = %d: expected 1 (gray) or 3 (RGB)", s.C)
	case s.H > MaxDim/s.C/s.W: // the product could overflow
		return fmt.Errorf("shape of H x W x C = %d x %d x %d: expected at most %d values", s.H, s.W,
			s.C, MaxDim)
	}
	return nil
}

func (s Shape) String() string {
	if s.C == 1 {
		return fmt.Sprintf("%d x %d", s.H, s.W)
	}
	return fmt.Sprintf("%d x %d x %d", s.H, s.W, s.C)
}

// Dims are the dimensions of an array of n images: n x H x W x C, or n x D without image structure.
func (s Shape) Dims(n int) []int {
	if s.H == 1 && s.C == 1 {
		return []int{n, s.W}
	}
	return []int{n, s.H, s.W, s.C}
}

// Dataset is a fixed list of M images of one shape, safe for concurrent use. Gather does not
// allocate, and gives pixels in [-1, 1].
type Dataset interface {
	Rows
	// Name is short, for the run directory: the embedded name, or the base name of the path.
	Name() string
	Shape() Shape
	// Label is the class of image i, or -1 where it is unknown.
	Label(i int) int
	// Origin is where image i comes from.
	Origin(i int) Origin
}

// Origin is where an image lies in the source that was named: by its number there (from 0, in the
// source's order, broken images that were skipped counted too) and, where the source has files or
// members of archives for images, by its name relative to the source, slashes between the parts.
type Origin struct {
	Row  int
	File string
}

// Options say how Open treats data that leaves a choice.
type Options struct {
	// Size is the side in pixels to which pictures are scaled after cutting out their central
	// square; 0 leaves them as they are.
	Size int
	// Gray converts pictures to one channel.
	Gray bool
	// Array is the member of an .npz archive that holds the images; "" where it has only one array.
	Array string
	// Range are the stored values that stand for -1 and 1, the first below the second; values
	// outside are taken beyond -1 and 1. nil: those that go with the type, as the package's comment
	// says.
	Range *[2]float64
	// Labels is a CSV or JSON file of labels, a .npy array or an IDX file of them; "" takes those
	// that come with the images, if any.
	Labels string
	// SkipBroken leaves out pictures that cannot be read, instead of refusing the data set.
	SkipBroken bool
	// Warn receives what the user should know but what does not stop the run; nil ignores it.
	Warn func(string)
}

// maxSize bounds Options.Size: a decoder has an output for every pixel.
const maxSize = 4096

func (o Options) warn(format string, args ...any) {
	if o.Warn != nil {
		o.Warn(fmt.Sprintf(format, args...))
	}
}

// refuse is the error of options that do not apply to the data set of that name and kind.
func (o Options) refuse(name, kind string) error {
	if o.Size == 0 && !o.Gray {
		return nil
	}
	return fmt.Errorf("data: %s: --size and --gray apply only to pictures in a directory or an "+
		"archive, and this is %s", name, kind)
}

// Open opens an embedded data set by name, or the file or directory at that path. An
// embedded name wins over a file of the same name, which "./name" reaches.
//
// It stops early, with ctx's error, when ctx ends.
func Open(ctx context.Context, name string, opt Options) (Dataset, error) {
	f, err := Find(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	return f.Read(ctx)
}

const accepted = "an IDX file, a .npy array, an .npz archive, binary batches of CIFAR, a " +
	"directory of IDX files, or pictures in a directory or in a .zip, .tar or .tar.gz archive"

// baseName is the last element of the path, also for "." and "..".
func baseName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return filepath.Base(path)
}
