package files_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
)

// member is a file with its content, or a link.
type member struct{ name, content, link string }

// listing is what a source holds: contents by name, "!" and the error for unreadable files, and
// the names of skipped entries by kind.
type listing struct {
	files map[string]string
	notes map[string][]string
}

func listOf(t *testing.T, path string) listing {
	t.Helper()
	s, err := files.Open(t.Context(), path)
	if err != nil || s == nil {
		t.Fatalf("%s: %v, %v", path, s, err)
	}
	defer s.Close()
	got := listing{map[string]string{}, map[string][]string{}}
	list, err := s.List(t.Context(), func(kind, name string) {
		got.notes[kind] = append(got.notes[kind], name)
	})
	if err != nil {
		t.Fatal(err)
	}
	byName := func(a, b files.File) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(list, byName) {
		t.Errorf("%s: not sorted", path)
	}
	var mu sync.Mutex
	err = s.Visit(t.Context(), list, func(i int, c raster.Content, err error) {
		text := "!"
		if err == nil {
			b := make([]byte, c.Size())
			if n, err := c.ReadAt(b, 0); n == len(b) && (err == nil || err == io.EOF) {
				text = string(b)
			} else {
				text = fmt.Sprintf("!%v", err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		got.files[list[i].Name] = text
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (l listing) want(
	t *testing.T, what string, contents map[string]string, notes map[string][]string,
) {
	t.Helper()
	if fmt.Sprint(l.files) != fmt.Sprint(contents) {
		t.Errorf("%s: files %q; expected %q", what, l.files, contents)
	}
	if fmt.Sprint(l.notes) != fmt.Sprint(notes) {
		t.Errorf("%s: skipped %q; expected %q", what, l.notes, notes)
	}
}

func write(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func unpack(t *testing.T, members []member) string {
	t.Helper()
	dir := t.TempDir()
	for _, m := range members {
		path := filepath.Join(dir, m.name)
		if m.link == "" {
			write(t, path, []byte(m.content))
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(m.link, path); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func packZip(t testing.TB, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: []uint16{zip.Deflate, zip.Store}[i%2]}
		h.SetMode(0o644)
		content := m.content
		if m.link != "" {
			h.SetMode(os.ModeSymlink | 0o777)
			content = m.link
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(content))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packTar(t testing.TB, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.content)),
			Typeflag: tar.TypeReg}
		if m.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(m.content))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// eachSource lists the same members in a folder and in each kind of archive.
func eachSource(t *testing.T, members []member, check func(t *testing.T, what string, l listing)) {
	t.Helper()
	check(t, "folder", listOf(t, unpack(t, members)))
	for name, b := range map[string][]byte{
		"zip": packZip(t, members), "tar": packTar(t, members),
		"tar.gz": zipped(packTar(t, members)),
	} {
		// The name "x" does not give the format away.
		check(t, name, listOf(t, write(t, filepath.Join(t.TempDir(), "x"), b)))
	}
}

// A folder and archives of it hold the same files. Links are followed, and system files are skipped
// and reported.
func TestSources(t *testing.T) {
	long := strings.Repeat("long ", 40_000)
	members := []member{
		{"b.png", "bee", ""}, {"a/1.png", "one", ""}, {"a/z/2", long, ""},
		{"\xff\xfe.png", "no UTF-8", ""}, {"empty", "", ""},
		{"link.png", "", "a/1.png"}, {"a/up.png", "", "../b.png"}, {"gone.png", "", "nowhere"},
		{".hidden", "x", ""}, {".cache/x.png", "x", ""}, {"@eaDir/b.png/t.jpg", "x", ""},
		{"__MACOSX/._b.png", "x", ""},
		{"a/._1.png", "x", ""}, {"a/Thumbs.db", "x", ""}, {".DS_Store", "x", ""},
		{"#recycle/y.png", "x", ""},
	}
	eachSource(t, members, func(t *testing.T, what string, l listing) {
		l.want(t, what, map[string]string{
			"b.png":        "bee",
			"a/1.png":      "one",
			"a/z/2":        long,
			"\xff\xfe.png": "no UTF-8",
			"empty":        "",
			"link.png":     "one",
			"a/up.png":     "bee",
			"gone.png":     "!",
		}, map[string][]string{
			"hidden files":      {".hidden"},
			"hidden folders":    {".cache/"},
			"thumbnail folders": {"@eaDir/"},
			"thumbnail files":   {"a/Thumbs.db"},
			"system folders":    {"__MACOSX/"},
			"system files":      {".DS_Store", "a/._1.png"},
			"recycle bins":      {"#recycle/"},
		})
	})
}

// Linked folders are walked, but each folder only once, by its real path if that is in the source.
// Loops end.
func TestLinkedFolders(t *testing.T) {
	members := []member{
		{"a/1.png", "one", ""}, {"first", "", "zoo"}, {"zoo/2.png", "two", ""},
		{"a/back", "", ".."}, {"a/self", "", "."},
		{"around", "", "around"}, {"@tmp", "", "zoo"},
	}
	eachSource(t, members, func(t *testing.T, what string, l listing) {
		l.want(t, what, map[string]string{"a/1.png": "one", "zoo/2.png": "two", "around": "!"},
			map[string][]string{
				"folders met a second time": {"first/"}, "link loops": {"a/back", "a/self"},
				"system folders": {"@tmp"},
			})
	})
	elsewhere := unpack(t,
		[]member{{"3.png", "three", ""}, {"deep/4.png", "four", ""}, {"deep/up", "", ".."}})
	dir := unpack(t, []member{
		{"a/1.png", "one", ""}, {"b", "", elsewhere}, {"c", "", elsewhere},
		{"d", "", filepath.Join(elsewhere, "deep")},
	})
	listOf(t, dir).want(t, "elsewhere",
		map[string]string{"a/1.png": "one", "b/3.png": "three", "b/deep/4.png": "four"},
		map[string][]string{"folders met a second time": {"c/", "d/"}, "link loops": {"b/deep/up"}})
}

// Hard links in an archive have the content of their targets.
func TestHardLinks(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Name: "a", Size: 3, Typeflag: tar.TypeReg})
	w.Write([]byte("one"))
	w.WriteHeader(&tar.Header{Name: "b/c", Linkname: "a", Typeflag: tar.TypeLink})
	w.WriteHeader(&tar.Header{Name: "d", Linkname: "gone", Typeflag: tar.TypeLink})
	w.Close()
	for _, file := range [][]byte{b.Bytes(), zipped(b.Bytes())} {
		l := listOf(t, write(t, filepath.Join(t.TempDir(), "x.tar"), file))
		l.want(t, "tar", map[string]string{"a": "one", "b/c": "one", "d": "!"},
			map[string][]string{})
	}
}

// Damaged archives, and those with false sizes, give errors that say so.
func TestArchiveErrors(t *testing.T) {
	members := []member{{"a.png", strings.Repeat("abc", 9999), ""}, {"b.png", "b", ""}}
	z, tr := packZip(t, members), packTar(t, members)
	huge := bytes.Clone(z) // the central directory claims a terabyte for the first member
	at := bytes.Index(huge, []byte("PK\x01\x02"))
	copy(huge[at+24:], "\xf0\xff\xff\xff")
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"cut zip":    {z[:len(z)-30], "damaged or truncated zip archive"},
		"cut tar":    {tr[:len(tr)-9000], "damaged or truncated tar archive"},
		"cut tar.gz": {zipped(tr)[:100], "damaged or truncated tar archive"},
		"bomb":       {huge, "zip bomb"},
		"bzip2":      {[]byte("BZh91AY&SY"), "unpack it"},
		"xz":         {[]byte("\xfd7zXZ\x00\x00"), ".tar.gz or .zip"},
		"7z":         {[]byte("7z\xbc\xaf\x27\x1c"), "7-Zip"},
		"rar":        {[]byte("Rar!\x1a\x07\x00"), "RAR"},
	} {
		path := write(t, filepath.Join(t.TempDir(), "x"), c.b)
		s, err := files.Open(t.Context(), path)
		if err == nil && s != nil {
			_, err = s.List(t.Context(), func(string, string) {})
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; expected %q", name, err, c.want)
		}
	}
	for _, b := range []string{"", "PK", "hello", string(zipped([]byte("hello")))} {
		path := write(t, filepath.Join(t.TempDir(), "x"), []byte(b))
		if s, err := files.Open(t.Context(), path); s != nil || err != nil {
			t.Errorf("%q: %v, %v; expected no archive", b, s, err)
		}
	}
}

// The checksum of a zip member is verified, whether it is stored or compressed.
func TestZipChecksum(t *testing.T) {
	for i, name := range []string{"a", "b"} {
		b := packZip(t, []member{{"a", "apple pie", ""}, {"b", "bread pudding", ""}})
		crc := bytes.LastIndex(b, []byte("PK\x01\x02"))
		if i == 0 {
			crc = bytes.Index(b, []byte("PK\x01\x02"))
		}
		b[crc+16]++
		l := listOf(t, write(t, filepath.Join(t.TempDir(), "x"), b))
		if got := l.files[name]; !strings.Contains(got, "checksum") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A member that has changed since it was listed is an error.
func TestZipChanged(t *testing.T) {
	open := func(content string) files.Source {
		path := write(t, filepath.Join(t.TempDir(), "x"), packZip(t, []member{{"a", content, ""}}))
		s, err := files.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	list, err := open("apple").List(t.Context(), func(string, string) {})
	if err != nil {
		t.Fatal(err)
	}
	var got error
	err = open("bread pudding").Visit(t.Context(), list, func(_ int, _ raster.Content, err error) {
		got = err
	})
	if err != nil || got == nil || !strings.Contains(got.Error(), "has changed since") {
		t.Errorf("%v, %v", err, got)
	}
}

// Links whose expansion grows exponentially are cut off.
func TestLinkBomb(t *testing.T) {
	members := []member{{"l00", "", "."}}
	for i := 1; i < 60; i++ {
		below := fmt.Sprintf("l%02d", i-1)
		members = append(members,
			member{fmt.Sprintf("l%02d", i), "", below + "/" + below + "/" + below})
	}
	members = append(members, member{"a", "a", ""})
	l := listOf(t, write(t, filepath.Join(t.TempDir(), "x"), packTar(t, members)))
	if l.files["a"] != "a" || l.files["l59"] != "!" {
		t.Errorf("%q", l.files)
	}
}

// Listing and visiting stop when the context ends.
func TestCancelled(t *testing.T) {
	members := []member{{"a", "a", ""}, {"b", "b", ""}}
	dir := unpack(t, members)
	paths := []string{dir}
	for _, b := range [][]byte{packZip(t, members), packTar(t, members),
		zipped(packTar(t, members))} {
		paths = append(paths, write(t, filepath.Join(t.TempDir(), "x"), b))
	}
	for _, path := range paths {
		s, err := files.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		list, err := s.List(t.Context(), func(string, string) {})
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.List(ended, func(string, string) {}); err == nil {
			t.Errorf("%s: List ignores the end of its context", s.Kind())
		}
		if err := s.Visit(ended, list, func(int, raster.Content, error) {}); err == nil {
			t.Errorf("%s: Visit ignores the end of its context", s.Kind())
		}
		// Visit returns although a visitor is still running.
		running, cancel := context.WithCancel(t.Context())
		stuck, released := make(chan struct{}), make(chan struct{})
		var once sync.Once
		err = s.Visit(running, list, func(int, raster.Content, error) {
			once.Do(func() { cancel(); close(stuck) })
			<-released
		})
		<-stuck
		close(released)
		if err == nil {
			t.Errorf("%s: no error of a cancelled Visit", s.Kind())
		}
	}
}
