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

// source is a file, or a member of an archive, to be parsed. Gzip is already decompressed.
type source struct {
	ctx         context.Context // reading fails when it ends
	path        string          // of the file, for messages; with the name of a member
	r           *bufio.Reader
	gzip        bool      // the file was compressed
	zip         bool      // it is a member of a zip archive
	closer      io.Closer // nil: nothing to close
	headerBytes int64     // bytes of headers read so far
	size        int64     // bytes that the file claims to hold, uncompressed; -1: it does not say
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

// stoppable is a reader that fails once ctx has ended.
type stoppable struct {
	ctx context.Context
	io.Reader
}

// maxRead is the most that is read between two checks of ctx.
const maxRead = 1 << 20

func (s stoppable) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.Reader.Read(b[:min(len(b), maxRead)])
}

// bufferBytes is the size of a source's buffer.
const bufferBytes = 1 << 16

// buffered returns a buffered reader that fails once ctx has ended.
func buffered(ctx context.Context, r io.Reader, size int) *bufio.Reader {
	return bufio.NewReaderSize(stoppable{ctx, r}, size)
}

func newSource(ctx context.Context, path string, r io.Reader) (*source, error) {
	s := &source{ctx: ctx, path: path, r: buffered(ctx, r, bufferBytes), size: size(r)}
	head, err := s.r.Peek(2)
	if err != nil && err != io.EOF {
		return nil, s.fail("%w", err)
	}
	if isGzip(head) {
		s.gzip = true
		s.size = gzipSize(r, s.size)
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

// size returns the size of a regular file or of bytes in memory, otherwise -1.
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

// gzipSize returns the uncompressed size that a gzip file of size bytes has in its last four bytes,
// modulo 2^32. It returns -1 if this cannot be read or is impossible. In a file of several gzip
// members it is the size of the last one only.
func gzipSize(r io.Reader, size int64) int64 {
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
		s.closer.Close() // errors do not matter after reading
	}
}

func (s *source) fail(format string, args ...any) error {
	return fmt.Errorf("data: %s: %w", s.path, fmt.Errorf(format, args...))
}

// damaged returns the error of a read that failed for another reason than the end of a plain file.
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
	s.headerBytes += int64(len(buf))
	return nil
}
