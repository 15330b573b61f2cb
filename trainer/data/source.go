package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// source is an input to be parsed, gzip already taken off.
type source struct {
	path   string
	r      *bufio.Reader
	gzip   bool      // the file was compressed
	closer io.Closer // nil: nothing to close
}

func openSource(path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	s, err := newSource(path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	s.closer = f
	return s, nil
}

func newSource(path string, r io.Reader) (*source, error) {
	s := &source{path: path, r: bufio.NewReaderSize(r, 1<<16)}
	head, err := s.r.Peek(2)
	if err != nil && err != io.EOF {
		return nil, s.fail("%w", err)
	}
	if bytes.Equal(head, []byte{0x1f, 0x8b}) {
		s.gzip = true
		z, err := gzip.NewReader(s.r)
		if err != nil {
			return nil, s.damaged(err)
		}
		s.r = bufio.NewReaderSize(z, 1<<16)
		if _, err := s.r.Peek(headLen); err != nil && err != io.EOF {
			return nil, s.damaged(err)
		}
	}
	return s, nil
}

func (s *source) close() {
	if s.closer != nil {
		s.closer.Close() // only read from: nothing can be lost
	}
}

func (s *source) fail(format string, args ...any) error {
	return fmt.Errorf("data: %s: %w", s.path, fmt.Errorf(format, args...))
}

// damaged is the error of a read that failed otherwise than by a plain file's end.
func (s *source) damaged(err error) error {
	if s.gzip {
		return s.fail("truncated or damaged gzip file: %w", err)
	}
	return s.fail("%w", err)
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// kind is what the first bytes say a file is.
type kind int

const (
	kindOther kind = iota
	kindEmpty
	kindIDX
	kindNPY
	kindPNG
	kindJPEG
	kindZip
)

func (k kind) String() string {
	return [...]string{"of an unknown format", "empty", "an IDX file", "a .npy array",
		"a PNG image", "a JPEG image", "a zip archive"}[k]
}

// headLen is the number of bytes that tell the kind.
const headLen = 8

// kind looks at the first bytes and leaves them in place.
func (s *source) kind() kind {
	head, _ := s.r.Peek(headLen) // shorter at the end of a short file
	return kindOf(head)
}

func kindOf(head []byte) kind {
	switch {
	case len(head) == 0:
		return kindEmpty
	case isIDXMagic(head):
		return kindIDX
	case bytes.HasPrefix(head, []byte(npyMagic)):
		return kindNPY
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return kindPNG
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return kindJPEG
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return kindZip
	}
	return kindOther
}

// header fills buf with the next bytes of the file's header.
func (s *source) header(buf []byte) error {
	if _, err := io.ReadFull(s.r, buf); err != nil {
		if isEnd(err) {
			return s.fail("ends within its header")
		}
		return s.damaged(err)
	}
	return nil
}

// firstRead bounds what is allocated on the word of a header alone.
const firstRead = 1 << 22

// body reads the n elements that a header has promised, by means of fill, which works like
// io.ReadFull, and checks that the file ends there. Memory grows with what is really read, so
// that a false header cannot exhaust it.
func body[T any](s *source, n int, fill func([]T) (int, error)) ([]T, error) {
	buf, done := make([]T, min(n, firstRead)), 0
	for {
		k, err := fill(buf[done:])
		done += k
		if isEnd(err) {
			return nil, s.fail("truncated: ends after %d of the %d values that its header promises", done, n)
		}
		if err != nil {
			return nil, s.damaged(err)
		}
		if done == n {
			return buf, s.end(n)
		}
		next := make([]T, min(2*len(buf), n))
		copy(next, buf)
		buf = next
	}
}

// end checks that the file ends here; for gzip, that also verifies its checksum.
func (s *source) end(n int) error {
	switch _, err := s.r.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return s.fail("goes on after the %d values that its header promises", n)
	default:
		return s.damaged(err)
	}
}

// bytes reads n bytes to the end of the file.
func (s *source) bytes(n int) ([]uint8, error) {
	return body(s, n, func(dst []uint8) (int, error) { return io.ReadFull(s.r, dst) })
}
