package data

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// kind is the format of a file, detected from its first bytes.
type kind int

const (
	kindOther kind = iota
	kindEmpty
	kindIDX
	kindNPY
	kindPicture
	kindZip
)

func (k kind) String() string {
	return [...]string{"of an unknown format", "empty", "an IDX file", "a .npy array",
		"a picture", "a zip archive"}[k]
}

// headLen is the number of bytes that kindOf needs.
const headLen = raster.HeadLen

// kind detects the format without consuming any bytes.
func (s *source) kind() kind {
	head, _ := s.r.Peek(headLen) // less if the file is shorter
	return kindOf(head)
}

func kindOf(head []byte) kind {
	switch {
	case len(head) == 0:
		return kindEmpty
	case isIDXMagic(head):
		return kindIDX
	case bytes.HasPrefix(head, []byte(npyfile.Magic)):
		return kindNPY
	case raster.Sniff(head) != raster.None:
		return kindPicture
	case files.IsZip(head):
		return kindZip
	}
	return kindOther
}

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte("\x1f\x8b")) }

// headOf reads the first headLen bytes of a regular file, or all if it is shorter. It avoids the
// buffer of a source, since a folder may have very many files.
func headOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	defer f.Close()
	head := make([]byte, headLen)
	n, err := io.ReadFull(f, head)
	if err != nil && !isEnd(err) {
		return nil, fmt.Errorf("data: %w", err)
	}
	return head[:n], nil
}
