package data

import (
	"io"

	"github.com/plume-ml/plume/trainer/memory"
)

// confirms reports whether the size of the file agrees with a header that announces n bytes of
// data.
func (s *source) confirms(n int64) bool { return s.size >= 0 && s.size == s.headerBytes+n }

// initialRead limits the elements allocated for a header that the size of the file does not
// confirm.
const initialRead = 1 << 22

// filler fills dst as io.ReadFull does. The first element of dst is number first of the file.
type filler[T any] func(first int, dst []T) (int, error)

// body reads the n elements that a header announces, each of width bytes in the file, and checks
// that the file ends there. Unless the size of the file confirms n, memory grows with the data
// read, so that a false header cannot exhaust it.
func body[T any](s *source, n, width int, fill filler[T]) ([]T, error) {
	size := min(n, initialRead)
	if s.confirms(memory.Array[uint8](n, width)) {
		size = n
	}
	buf, done := make([]T, size), 0
	for {
		k, err := fill(done, buf[done:])
		done += k
		if err != nil {
			return nil, s.broken(err, done, n)
		}
		if done == n {
			return buf, s.end(n)
		}
		next := make([]T, min(2*len(buf), n))
		copy(next, buf)
		buf = next
	}
}

// broken returns the error of reading that failed after done of n elements.
func (s *source) broken(err error, done, n int) error {
	if isEnd(err) {
		return s.truncated(done, n)
	}
	return s.damaged(err)
}

// end checks that the file ends here. In compressed files this also verifies the checksum.
func (s *source) end(n int) error {
	switch _, err := s.r.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return s.fail("continues after the %d values that its header promises; expected the end "+
			"of the file", n)
	default:
		return s.damaged(err)
	}
}

// fillBytes is a filler of bytes.
func (s *source) fillBytes(_ int, dst []uint8) (int, error) { return io.ReadFull(s.r, dst) }

// bytes reads the n bytes that remain of the file.
func (s *source) bytes(n int) ([]uint8, error) { return body(s, n, 1, s.fillBytes) }
