package files_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
)

// FuzzArchive lists and reads whatever opens as an archive. There must be no panic, and no name
// that leads out of the source.
func FuzzArchive(f *testing.F) {
	members := []member{{"a.png", "one", ""}, {"b/c", "two", ""}, {"l", "", "b"}, {"m", "", "b/c"},
		{".x", "x", ""}}
	for _, b := range [][]byte{packZip(f, members), packTar(f, members),
		zipped(packTar(f, members))} {
		f.Add(b)
	}
	path := filepath.Join(f.TempDir(), "x")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := files.Open(t.Context(), path)
		if s == nil || err != nil {
			return
		}
		defer s.Close()
		list, err := s.List(t.Context(), func(string, string) {})
		if err != nil {
			return
		}
		for _, l := range list {
			if l.Name == "" || strings.HasPrefix(l.Name, "/") || strings.HasPrefix(l.Name, "../") {
				t.Errorf("the name %q", l.Name)
			}
		}
		s.Visit(t.Context(), list, func(i int, c raster.Content, err error) {
			if err == nil {
				c.ReadAt(make([]byte, min(c.Size(), 1<<16)), 0)
				c.ReadAt(make([]byte, 1), c.Size())
			}
		})
	})
}
