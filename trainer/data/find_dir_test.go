package data

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// IDX files are found in folders below the given one, such as torchvision's MNIST/raw.
func TestFoldersBelow(t *testing.T) {
	images, labels := idx([]uint32{3, 2, 2}, ramp(12)), idx([]uint32{3}, []byte{5, 6, 7})
	for name, c := range map[string]struct {
		files []string // images; with the ending .labels, labels
		says  string   // in the summary
		want  []string // errors
	}{
		"one below": {[]string{"raw/images", "raw/images.labels"}, "in its folder raw", nil},
		"two below": {[]string{"MNIST/raw/images", "MNIST/raw/images.labels",
			"MNIST/processed/note.txt"}, "in its folder " + filepath.Join("MNIST", "raw"), nil},
		"three below": {[]string{"a/b/c/images"}, "", []string{"holds no images"}},
		"several": {[]string{"MNIST/raw/images", "KMNIST/raw/images"}, "",
			[]string{"several folders",
				filepath.Join("KMNIST", "raw") + ", " + filepath.Join("MNIST", "raw"),
				"give the path of one"}},
		"labels only":     {[]string{"raw/images.labels"}, "", []string{"holds no images"}},
		"hidden":          {[]string{".cache/images"}, "", []string{"holds no images"}},
		"a picture":       {[]string{"raw/images", "raw/a.png"}, "", []string{"a.png"}},
		"a picture above": {[]string{"raw/images", "a.png"}, "", []string{"a.png"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "README", []byte("hello"))
			for _, f := range c.files {
				b := images
				if strings.HasSuffix(f, "labels") {
					b = labels
				} else if strings.HasSuffix(f, ".png") || strings.HasSuffix(f, ".txt") {
					b = []byte("broken")
				}
				write(t, dir, f, b)
			}
			f, err := Find(t.Context(), dir, Options{})
			if c.want != nil {
				wantError(t, err, append(c.want, dir)...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			ds, err := f.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wantBytes(t, gather(ds), ramp(12))
			if ds.Label(2) != 7 || ds.Name() != filepath.Base(dir) ||
				!strings.Contains(f.Summary.String(), c.says) {
				t.Errorf("%s, label %d: %v", ds.Name(), ds.Label(2), f.Summary)
			}
		})
	}
}

// Links to folders are followed, and loops end.
func TestFoldersBelowLinks(t *testing.T) {
	dir, store := t.TempDir(), t.TempDir()
	write(t, store, "images", idx([]uint32{3, 2, 2}, ramp(12)))
	if err := os.Symlink(store, filepath.Join(dir, "raw")); err != nil {
		t.Fatal(err)
	}
	wantBytes(t, gather(mustOpen(t, dir, Options{})), ramp(12))
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), dir, Options{})
	wantError(t, err, "several folders", filepath.Join("loop", "raw"))
}

// A damaged IDX file is ignored beside pictures. It is an error otherwise, also beside intact IDX
// files.
func TestUnclearFiles(t *testing.T) {
	for name, b := range map[string][]byte{
		"x.gz": []byte("\x1f\x8bgarbage"), "x.bin": {0, 0, 8, 3, 0},
	} {
		contents := pngFiles(t, "a.png", "b.png")
		contents[name] = b
		f, ds, _ := found(t, folderOf(t, contents), Options{})
		if passed := f.Summary.Skipped; ds.Len() != 2 || len(passed) != 1 ||
			passed[0].First[0] != name {
			t.Errorf("%s: %v", name, f.Summary)
		}
		dir := folderOf(t, map[string][]byte{name: b})
		_, err := Open(t.Context(), dir, Options{})
		wantError(t, err, filepath.Join(dir, name))
		write(t, dir, "images", idx([]uint32{3, 2, 2}, ramp(12)))
		_, err = Open(t.Context(), dir, Options{})
		wantError(t, err, filepath.Join(dir, name))
	}
}

// Searching very many files for IDX files takes little memory and stops with the context.
func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 1000 {
		write(t, dir, fmt.Sprint(i), []byte("hello"))
	}
	l, err := listed(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	list := func() {
		if images, labels, err := l.idx(t.Context()); len(images)+len(labels) > 0 || err != nil {
			t.Fatal(images, labels, err)
		}
	}
	list()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list()
	runtime.ReadMemStats(&after)
	if perFile := (after.TotalAlloc - before.TotalAlloc) / 1000; perFile > 4096 {
		t.Errorf("%d bytes per file", perFile) // as with a buffer of 64 KiB for each
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.idx(ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := listed(ended, dir); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestForeignFormats(t *testing.T) {
	for name, c := range map[string]struct{ head, want string }{
		"pickle":  {"\x80\x04\x95\x00", "numpy.save"},
		"MATLAB":  {"MATLAB 5.0 MAT-file, Platform: GLNXA64", "scipy.io.loadmat"},
		"HDF5":    {"\x89HDF\r\n\x1a\n\x00\x00", "h5py"},
		"Parquet": {"PAR1\x15\x04\x15", "Parquet"},
		"xz":      {"\xfd7zXZ\x00\x00\x04", "unpack it"},
		"zip.gz":  {string(gz(npz(t, zip.Store, "a", []byte("b")))), "gunzip"},
		"tar":     {"a.npy" + strings.Repeat("\x00", 252) + "ustar\x0000", "damaged tar archive"},
		"LFS":     {"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "git lfs pull"},
		"page":    {"<!DOCTYPE html>\n<html>", "fetch the file again"},
		"table":   {"0,1,2,3\n4,5,6,7\n", "line 1 looks like a row"},
		"text":    {"größer als\n", "is text"},
		"nothing": {"\x01\x02\x03\x04\xff\xfe\x00\x00",
			"of an unknown format; expected an IDX file"},
		"empty": {"", "is empty; expected an IDX file"},
	} {
		_, err := Open(t.Context(), write(t, t.TempDir(), "x", []byte(c.head)), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; expected %q", name, err, c.want)
		}
	}
}

// An embedded data set takes precedence over a folder of the same name, with a warning.
func TestEmbeddedNameOfAFolder(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	mustOpen(t, "digits", Options{Warn: func(s string) { t.Error(s) }})
	write(t, dir, "digits/images", idx([]uint32{3, 2, 2}, ramp(12)))
	var warned string
	opt := Options{Warn: func(s string) { warned += s }}
	if ds := mustOpen(t, "digits", opt); ds.Len() != 1797 ||
		!strings.Contains(warned, "embedded data set") ||
		!strings.Contains(warned, "./digits") {
		t.Errorf("%d images, warned of %q", ds.Len(), warned)
	}
	if ds := mustOpen(t, "./digits", Options{Warn: func(string) {}}); ds.Len() != 3 {
		t.Errorf("%d images", ds.Len())
	}
}
