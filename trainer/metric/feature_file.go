package metric

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/npy"
)

// featureFile is a .npy file that is read sequentially.
type featureFile struct {
	path  string
	r     *bufio.Reader
	taken int64 // bytes of the header
}

// ReadFeatures reads features from a .npy file: an array of floats or integers of shape N x K, in C
// order, which is rounded to float32. Other types and shapes, files that are too short or too long,
// and numbers that are not finite are errors that name the file.
func ReadFeatures(path string) (*Features, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("metric: features: %w", err)
	}
	defer file.Close() // opened for reading: the error does not matter
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("metric: features: %w", err)
	}
	f := &featureFile{path: path, r: bufio.NewReaderSize(file, 1<<16)}
	if !info.Mode().IsRegular() {
		return nil, f.fail("is no regular file; expected a .npy array")
	}
	return f.read(info.Size())
}

func (f *featureFile) fail(format string, args ...any) error {
	return fmt.Errorf("metric: features: %s %w", f.path, fmt.Errorf(format, args...))
}

func (f *featureFile) header(buf []byte) error {
	n, err := io.ReadFull(f.r, buf)
	f.taken += int64(n)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return f.fail("ends within its header; expected a .npy array")
	case err != nil:
		return f.fail("cannot be read: %w", err)
	}
	return nil
}

// read reads a file of the given size. The size that the header promises is checked against it
// before memory is allocated.
func (f *featureFile) read(size int64) (*Features, error) {
	h, err := npy.ReadHeader(npy.Source{Fill: f.header, Fail: f.fail})
	if err == nil {
		err = f.check(h, size)
	}
	if err != nil {
		return nil, err
	}
	out := NewFeatures(make([]float32, h.Dims[0]*h.Dims[1]), h.Dims[0], h.Dims[1])
	if _, err := npy.ReadFloats(f.r, h.Dtype, out.X); err != nil {
		return nil, f.fail("cannot be read: %w", err)
	}
	if i := kernel.NotFinite(out.X); i >= 0 {
		return nil, f.fail("holds %v at row %d, column %d (counted from 0); expected finite "+
			"numbers that float32 can hold", out.X[i], i/out.K, i%out.K)
	}
	return out, nil
}

// check returns an error for arrays that are not features, and for a file whose size does not match
// its header.
func (f *featureFile) check(h npy.Header, size int64) error {
	if err := h.Dtype.Refusal(); err != nil {
		return f.fail("%w", err)
	}
	if h.Fortran {
		return f.fail("is in Fortran order; expected C order (save numpy.ascontiguousarray(x))")
	}
	if len(h.Dims) != 2 || h.Dims[0] < 1 || h.Dims[1] < 1 {
		return f.fail("is an array of %v and shape %v; expected two dimensions, features of N "+
			"images x K, both at least 1",
			h.Dtype, h.Dims)
	}
	if bytes := memory.Array[uint8](h.Dims[0], h.Dims[1], h.Dtype.Width); f.taken+bytes != size {
		return f.fail("holds %d bytes after its header; expected %d for %v and shape %v",
			size-f.taken, bytes, h.Dtype, h.Dims)
	}
	return nil
}
