package data

import (
	"io"

	"github.com/plume-ml/plume/trainer/memory"
)

// confirms reports whether the file's size agrees with a header that promises so many bytes.
func (s *source) confirms(bytes int64) bool { return s.claim >= 0 && s.claim == s.taken+bytes }

// firstRead bounds what is allocated on the word of a header alone.
const firstRead = 1 << 22

// filler works like io.ReadFull and is told how many elements were read before.
type filler[T any] func(first int, dst []T) (int, error)

// body reads the n elements that a header has promised, each of width bytes in the file, and
// checks that the file ends there. Unless the size of the file confirms them, memory grows with
// what is really read, so that a false header cannot exhaust it.
func body[T any](s *source, n, width int, fill filler[T]) ([]T, error) {
	size := min(n, firstRead)
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

// broken is the error of a file that could not be read further than done of n elements.
func (s *source) broken(err error, done, n int) error {
	if isEnd(err) {
		return s.truncated(done, n)
	}
	return s.damaged(err)
}

// end checks that the file ends here; for compressed files, that also verifies their checksum.
func (s *source) end(n int) error {
	switch _, err := s.r.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return s.fail("goes on after the %d values that its header promises; expected the end "+
			"of the file", n)
	default:
		return s.damaged(err)
	}
}

// fillBytes fills dst with the next bytes.
func (s *source) fillBytes(_ int, dst []uint8) (int, error) { return io.ReadFull(s.r, dst) }

// bytes reads n bytes to the end of the file.
func (s *source) bytes(n int) ([]uint8, error) { return body(s, n, 1, s.fillBytes) }
