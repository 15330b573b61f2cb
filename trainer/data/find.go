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

	read func(context.Context) (*array, error)
}

// Find looks for what Open opens, and at its headers.
func Find(ctx context.Context, name string, opt Options) (*Found, error) {
	if opt.Size < 0 || opt.Size > maxSize {
		return nil, fmt.Errorf("data: --size is %d; expected 1 to %d, or 0 to keep the images' own size", opt.Size, maxSize)
	}
	f, err := find(ctx, name, opt)
	if err != nil {
		return nil, err
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
	if err != nil {
		return nil, err
	}
	f.Len, f.Shape = a.m, a.shape
	f.Bytes = int64(len(a.u8)) + memory.Array[float32](len(a.f32)) + memory.Array[int32](len(a.labels))
	f.Summary.summarise(a)
	return a, nil
}

func find(ctx context.Context, name string, opt Options) (*Found, error) {
	if set, ok := embedded[name]; ok {
		if err := opt.refuse(name, "an embedded data set"); err != nil {
			return nil, err
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
	}
	return findFile(ctx, name, opt)
}

// findFile looks at the header of an IDX or .npy file.
func findFile(ctx context.Context, path string, opt Options) (*Found, error) {
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	switch k := s.kind(); k {
	case kindIDX, kindNPY:
		if err := opt.refuse(path, k.String()); err != nil {
			return nil, err
		}
		find := findNPY
		if k == kindIDX {
			find = func(s *source, _ Options) (*Found, error) { return findIDX(s, idxFile{path: path}, nil) }
		}
		f, err := find(s, opt)
		if err == nil {
			f.Summary.Format = k.String()
		}
		return f, err
	case kindPNG, kindJPEG:
		return nil, fmt.Errorf("data: %s: is %s; expected a directory of images, not one image", path, k)
	case kindZip:
		return nil, fmt.Errorf("data: %s: is %s; expected %s (unpack an .npz file and give one of its arrays)", path, k, accepted)
	default:
		return nil, fmt.Errorf("data: %s: is %s; expected %s", path, k, accepted)
	}
}

// reopen reads the whole of a file whose header was looked at.
func reopen(ctx context.Context, path string, read func(s *source) (*array, error)) (*array, error) {
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return read(s)
}

// header is what the header of an array of images says.
type header struct {
	m     int
	shape Shape
	width int // bytes of a number
}

func (h header) bytes() int64 { return int64(h.width) * memory.Array[uint8](h.m, h.shape.Dim()) }

// numbers is how many of them the array has.
func (h header) numbers() int { return h.m * h.shape.Dim() }

// found is the data set that follows a header in s. A file that is too small for it is an error now,
// before anybody asks for the memory that it promises to fill.
func (h header) found(s *source, read func(context.Context) (*array, error)) (*Found, error) {
	if rest := s.claim - s.taken; s.claim >= 0 && !s.gzip && rest < h.bytes() {
		return nil, s.truncated(int(rest)/h.width, h.numbers())
	}
	return &Found{Len: h.m, Shape: h.shape, Bytes: h.bytes(), Loading: s.growth(h.bytes()), read: read}, nil
}
