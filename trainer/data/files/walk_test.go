package files

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// barred is a tree with a folder that must not be listed.
type barred struct{}

func (barred) entries(path string) ([]entry, error) {
	if path == "" {
		return []entry{{name: "sub", kind: fs.ModeDir}}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: "/data/sub", Err: fs.ErrPermission}
}

func (barred) follow(string) (string, entry, error) { return "/", entry{kind: fs.ModeDir}, nil }

// A folder that cannot be listed is an error: its files would otherwise be missing silently.
func TestBarredFolder(t *testing.T) {
	_, err := list(t.Context(), barred{}, func(string, string) {})
	const want = `the folder "./sub" cannot be listed: permission denied; make it readable`
	if !errors.Is(err, fs.ErrPermission) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v; expected %s", err, want)
	}
}
