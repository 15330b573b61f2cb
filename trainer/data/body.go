package data

import (
	"io"

	"github.com/plume-ml/plume/trainer/memory"
)

// confirms reports whether the file's size agrees with a header that promises so many bytes.
func (s *source) confirms(bytes int64) bool { return s.claim >= 0 && s.claim == s.taken+bytes }

// growth is the memory that body takes to read so many bytes, beside theirs: none where the size of
// the file confirms them.
func (s *source) growth(bytes int64) int64 {
	if s.confirms(bytes) {
		return 0
	}
	return bytes
}

// firstRead bounds what is allocated on the word of a header alone.
const firstRead = 1 << 22

// body reads the n elements that a header has promised, by means of fill, which works like
// io.ReadFull, and checks that the file ends there. Unless the size of the file confirms them, memory
// grows with what is really read, so that a false header cannot exhaust it.
func body[T any](s *source, n int, fill func([]T) (int, error)) ([]T, error) {
	first := min(n, firstRead)
	if s.confirms(memory.Array[T](n)) {
		first = n
	}
	buf, done := make([]T, first), 0
	for {
		k, err := fill(buf[done:])
		done += k
		if isEnd(err) {
			return nil, s.truncated(done, n)
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
