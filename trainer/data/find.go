package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/plume-ml/plume/trainer/memory"
)

// Found is a data set of which only names and headers have been read: enough to know its size.
type Found struct {
	Len     int
	Shape   Shape // C = 3 for pictures of which only the pixels tell whether they are gray
	Bytes   int64 // memory of the data set
	Loading int64 // memory that reading it takes beside that

	read func() (*array, error)
}

// Find looks for what Open opens, and at its headers.
func Find(name string, opt Options) (*Found, error) {
	if opt.Size < 0 || opt.Size > maxSize {
		return nil, fmt.Errorf("data: --size is %d; expected 1 to %d, or 0 to keep the images' own size", opt.Size, maxSize)
	}
	f, err := find(name, opt)
	if err != nil {
		return nil, err
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
func (f *Found) Read() (Dataset, error) {
	a, err := f.read()
	if err != nil {
		return nil, err
	}
	f.Shape = a.shape
	f.Bytes = int64(len(a.u8)) + memory.Array[float32](len(a.f32)) + int64(len(a.labels))
	return a, nil
}

func find(name string, opt Options) (*Found, error) {
	if set, ok := embedded[name]; ok {
		if err := opt.refuse(name, "an embedded data set"); err != nil {
			return nil, err
		}
		return set()
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, unknownName(name)
	case err != nil:
		return nil, fmt.Errorf("data: %w", err)
	case info.IsDir():
		return findDir(name, opt)
	}
	return findFile(name, opt)
}

// findFile looks at the header of an IDX or .npy file.
func findFile(path string, opt Options) (*Found, error) {
	s, err := openSource(path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	switch k := s.kind(); k {
	case kindIDX, kindNPY:
		if err := opt.refuse(path, k.String()); err != nil {
			return nil, err
		}
		if k == kindIDX {
			return findIDX(s, idxFile{path: path}, nil)
		}
		return findNPY(s, opt)
	case kindPNG, kindJPEG:
		return nil, fmt.Errorf("data: %s: is %s; expected a directory of images, not one image", path, k)
	case kindZip:
		return nil, fmt.Errorf("data: %s: is %s; expected %s (unpack an .npz file and give one of its arrays)", path, k, accepted)
	default:
		return nil, fmt.Errorf("data: %s: is %s; expected %s", path, k, accepted)
	}
}

// reopen reads the whole of a file whose header was looked at.
func reopen(path string, read func(s *source) (*array, error)) (*array, error) {
	s, err := openSource(path)
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
func (h header) found(s *source, read func() (*array, error)) (*Found, error) {
	if rest := s.claim - s.taken; s.claim >= 0 && !s.gzip && rest < h.bytes() {
		return nil, s.truncated(int(rest)/h.width, h.numbers())
	}
	return &Found{Len: h.m, Shape: h.shape, Bytes: h.bytes(), Loading: s.growth(h.bytes()), read: read}, nil
}
