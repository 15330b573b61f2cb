package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/plume-ml/plume/trainer/data/files"
)

// source is an input to be parsed, gzip already taken off.
type source struct {
	ctx    context.Context // ends reading
	path   string          // of the file, and the member's name in an archive
	r      *bufio.Reader
	gzip   bool      // the file was compressed
	zip    bool      // it is a member of a zip archive
	closer io.Closer // nil: nothing to close
	taken  int64     // bytes of headers read so far
	claim  int64     // bytes that the file claims to hold, uncompressed; -1: it does not say
}

func openSource(ctx context.Context, path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	s, err := newSource(ctx, path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	s.closer = f
	return s, nil
}

// stoppable is a reader that gives ctx's error once ctx has ended.
type stoppable struct {
	ctx context.Context
	io.Reader
}

// mostAtOnce is read between two looks at ctx.
const mostAtOnce = 1 << 20

func (s stoppable) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.Reader.Read(b[:min(len(b), mostAtOnce)])
}

// bufferBytes is the size of a source's buffer.
const bufferBytes = 1 << 16

// buffered is the reader of a source.
func buffered(ctx context.Context, r io.Reader, size int) *bufio.Reader {
	return bufio.NewReaderSize(stoppable{ctx, r}, size)
}

func newSource(ctx context.Context, path string, r io.Reader) (*source, error) {
	s := &source{ctx: ctx, path: path, r: buffered(ctx, r, bufferBytes), claim: size(r)}
	head, err := s.r.Peek(2)
	if err != nil && err != io.EOF {
		return nil, s.fail("%w", err)
	}
	if isGzip(head) {
		s.gzip = true
		s.claim = gzipClaim(r, s.claim)
		z, err := gzip.NewReader(s.r)
		if err != nil {
			return nil, s.damaged(err)
		}
		s.r = buffered(ctx, z, bufferBytes)
		if _, err := s.r.Peek(headLen); err != nil && err != io.EOF {
			return nil, s.damaged(err)
		}
	}
	return s, nil
}

// size is the size of a file, or of bytes in memory; -1 where there is none.
func size(r io.Reader) int64 {
	switch r := r.(type) {
	case *os.File:
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	case *bytes.Reader:
		return r.Size()
	}
	return -1
}

// gzipClaim is the length of the uncompressed text as a gzip file of size bytes gives it in its
// last four, modulo 2^32; -1 where it cannot be read, or cannot be true. A file of several members
// gives that of the last one only.
func gzipClaim(r io.Reader, size int64) int64 {
	at, ok := r.(io.ReaderAt)
	if !ok || size < 4 {
		return -1
	}
	var last [4]byte
	if _, err := at.ReadAt(last[:], size-4); err != nil {
		return -1
	}
	claim := int64(binary.LittleEndian.Uint32(last[:]))
	if claim > files.MaxDeflate*size {
		return -1
	}
	return claim
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
	switch {
	case s.ctx.Err() != nil:
		return s.fail("reading was stopped: %w", err)
	case s.gzip:
		return s.fail("is a damaged or truncated gzip file: %w", err)
	case s.zip:
		return s.fail("is a damaged or truncated zip archive: %w", err)
	}
	return s.fail("%w", err)
}

func (s *source) truncated(values, promised int) error {
	return s.fail("truncated: ends after %d of the %d values that its header promises", values,
		promised)
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// header fills buf with the next bytes of the file's header.
func (s *source) header(buf []byte) error {
	if _, err := io.ReadFull(s.r, buf); err != nil {
		if isEnd(err) {
			return s.fail("ends within its header")
		}
		return s.damaged(err)
	}
	s.taken += int64(len(buf))
	return nil
}
