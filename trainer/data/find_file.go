package data

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/plume-ml/plume/trainer/memory"
)

// findFile looks at the header of a regular file.
func findFile(ctx context.Context, path string, info fs.FileInfo, opt Options) (*Found, error) {
	if f, err := findCIFARFile(ctx, path, info.Size(), opt); f != nil || err != nil {
		return f, err
	}
	s, err := openSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.close()
	switch k := s.kind(); {
	case k == kindIDX || k == kindNPY:
		return findArray(s, k, opt)
	case k == kindZip && s.gzip:
		return nil, fmt.Errorf("data: %s: is a zip archive within a gzip file; unpack the latter "+
			"with gunzip", path)
	case k == kindZip:
		return findZip(ctx, path, opt)
	case k == kindPicture:
		return nil, fmt.Errorf("data: %s: is %s; expected a directory or an archive of pictures, "+
			"not one picture", path, k)
	default:
		if f, err := findArchive(ctx, path, opt); f != nil || err != nil {
			return f, err
		}
		return nil, fmt.Errorf("data: %s: is %s", path, s.foreign(k))
	}
}

// findArray looks at the header of an IDX file or .npy array.
func findArray(s *source, k kind, opt Options) (*Found, error) {
	if err := opt.refuse(s.path, k.String()); err != nil {
		return nil, err
	}
	path := s.path
	var f *Found
	var err error
	if k == kindIDX {
		f, err = findIDX(s, idxFile{path: path}, nil)
	} else {
		open := func(ctx context.Context) (*source, error) { return openSource(ctx, path) }
		f, err = findNPY(s, opt, open)
	}
	if err != nil {
		return nil, err
	}
	f.Summary.Format = join(k.String(), f.Summary.Format)
	if s.gzip {
		f.Summary.Format += ", gzipped"
	}
	return f, nil
}

// join puts a space between two parts of which the second may be empty.
func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + " " + b
}

// special names what is neither a file nor a directory.
func special(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

// header is what the header of an array of images says.
type header struct {
	m      int
	shape  Shape
	width  int // bytes of a number in memory
	stored int // and in the file
}

// bytes is the memory of the numbers.
func (h header) bytes() int64 { return memory.Array[uint8](h.m, h.shape.Dim(), h.width) }

// fileBytes is the length of the numbers in the file.
func (h header) fileBytes() int64 { return memory.Array[uint8](h.m, h.shape.Dim(), h.stored) }

// numbers is how many of them the array has.
func (h header) numbers() int { return h.m * h.shape.Dim() }

// found is the data set that follows a header in s. A file that is too small for it is an error
// now, before anybody asks for the memory that it promises to fill.
func (h header) found(s *source, read func(context.Context) (*array, error)) (*Found, error) {
	if rest := s.claim - s.taken; s.claim >= 0 && !s.gzip && rest < h.fileBytes() {
		return nil, s.truncated(int(rest)/h.stored, h.numbers())
	}
	f := &Found{Len: h.m, Shape: h.shape, Bytes: h.bytes(), read: read}
	if !s.confirms(h.fileBytes()) {
		f.Loading = h.bytes() // memory grows by copying
	}
	return f, nil
}
