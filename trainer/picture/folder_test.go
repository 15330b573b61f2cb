package picture_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
	"github.com/plume-ml/plume/trainer/picture"
)

var tiny = data.Shape{H: 1, W: 3, C: 1}

// fill writes n images into a folder and closes it.
func fill(sys file.System, path string, n int) error {
	f, err := picture.BeginFolder(sys, path, tiny)
	if err != nil {
		return err
	}
	defer f.Abandon()
	for i := range n {
		if err := f.Add(fmt.Sprint(i, ".png"), []float32{-1, 0, 2}); err != nil {
			return err
		}
	}
	return f.Close()
}

// names are the names in a directory; none if it is not there.
func names(path string) string {
	entries, _ := os.ReadDir(path)
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.Name()
	}
	return strings.Join(all, " ")
}

// A folder that was new or empty has a file for each image, of the image's own size.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "new") + "/"} {
		if err := fill(file.OS, path, 1); err != nil {
			t.Fatal(err)
		}
		if got := names(path); got != "0.png" {
			t.Errorf("%s holds %q", path, got)
		}
		f, err := os.Open(filepath.Join(path, "0.png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		img, err := png.Decode(f)
		if err != nil || img.Bounds() != image.Rect(0, 0, 3, 1) {
			t.Fatalf("%v, %v", img.Bounds(), err)
		}
		for x, level := range []uint8{0, 128, 255} { // of -1, 0, 2 by WriteGrid's rule
			if got := img.At(x, 0); got != (color.Gray{level}) {
				t.Errorf("pixel %d is %v; expected %d", x, got, level)
			}
		}
		if err := os.RemoveAll(filepath.Join(path, "0.png")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFolderRefused(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	if err := os.MkdirAll(filepath.Join(full, "7.png"), 0o777); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "file")
	if err := os.WriteFile(taken, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		full:                           "not empty (it holds 7.png)",
		filepath.Join(dir, "no", "no"): "create that first",
		taken:                          "expected a folder",
	} {
		_, err := picture.CreateFolder(path, tiny)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; expected %q", path, err, want)
		}
	}
}

// Each operation of the file system fails in turn. The images are there, all of them, or none.
func TestFolderFaults(t *testing.T) {
	for _, isThere := range []bool{false, true} {
		count := &faultfs.System{Cached: true}
		if err := fill(count, filepath.Join(t.TempDir(), "out"), 3); err != nil {
			t.Fatal(err)
		}
		for k := range count.Ops() {
			path := filepath.Join(t.TempDir(), "out")
			if isThere {
				if err := os.Mkdir(path, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			sys := &faultfs.System{Cached: true, Fault: faultfs.FailAt(k+1, syscall.ENOSPC)}
			err := fill(sys, path, 3)
			got := names(path)
			_, gone := os.Stat(path)
			switch {
			case err == nil && (got == "0.png 1.png 2.png" || k == count.Ops()-2): // removal
			case err != nil && k == count.Ops()-1: // the last one makes the names durable
			case err == nil || got != "" || isThere != (gone == nil):
				t.Errorf("operation %d: %v, and the folder holds %q", k+1, err, got)
			}
		}
	}
}

// An abandoned folder is as it was before.
func TestFolderAbandoned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	f, err := picture.CreateFolder(path, tiny)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Add("0.png", make([]float32, 3)); err != nil {
		t.Fatal(err)
	}
	f.Abandon()
	if _, err := os.Stat(path); err == nil {
		t.Error("the folder remains")
	}
	if f.Add("1.png", make([]float32, 3)) == nil || f.Close() == nil {
		t.Error("an abandoned folder takes images")
	}
}
