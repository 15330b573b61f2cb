package data

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/plume-ml/plume/trainer/memory"
)

// findFile describes the data set in a regular file.
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
		if f := s.columnFile(k, opt); f != nil {
			return f.find(ctx)
		}
		return nil, fmt.Errorf("data: %s: is %s", path, s.foreign(k))
	}
}

// findArray describes the images of an IDX file or a .npy array, which s has just opened.
func findArray(s *source, k kind, opt Options) (*Found, error) {
	if err := opt.refuse(s.path, k.String()); err != nil {
		return nil, err
	}
	var f *Found
	var err error
	if k == kindIDX {
		f, err = findIDX(s, location{path: s.path})
	} else {
		f, err = findNPY(s, location{path: s.path}, opt)
	}
	if err != nil {
		return nil, err
	}
	f.Summary.Format = join(k.String(), f.Summary.Format)
	if s.gzip {
		f.Summary.Format += gzipped
	}
	return f, nil
}

// join joins two parts by a space unless the second is empty.
func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + " " + b
}

// special names the kind of a special file.
func special(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "not a regular file"
}

// header is the content of the header of an array of images.
type header struct {
	m      int
	shape  Shape
	width  int // bytes per number in memory
	stored int // bytes per number in the file
}

// bytes is the size of the array in memory.
func (h header) bytes() int64 { return memory.Array[uint8](h.m, h.shape.Dim(), h.width) }

// fileBytes is the size of the array in the file.
func (h header) fileBytes() int64 { return memory.Array[uint8](h.m, h.shape.Dim(), h.stored) }

// numbers is the number of elements of the array.
func (h header) numbers() int { return h.m * h.shape.Dim() }

// found describes the array that follows its header in s and is read by images. A file that is too
// small for its header is an error now, before memory is reserved for it.
func (h header) found(s *source, images imageReader) (*Found, error) {
	if rest := s.size - s.headerBytes; s.size >= 0 && !s.gzip && rest < h.fileBytes() {
		return nil, s.truncated(int(rest)/h.stored, h.numbers())
	}
	f := &Found{Len: h.m, Shape: h.shape, Bytes: h.bytes(), images: images}
	if r, ok := images.(staying); ok && !s.gzip {
		f.canStay = r.where() != "" && s.confirms(h.fileBytes())
	}
	if !s.confirms(h.fileBytes()) {
		f.Loading = h.bytes() // body copies the array as it grows
	}
	return f, nil
}
