package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

// sample returns a picture from the tests of package raster.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("raster", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// folderOf writes files and returns their folder.
func folderOf(t *testing.T, contents map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range contents {
		write(t, dir, name, b)
	}
	return dir
}

// archives packs files into archives of each format and returns their paths.
func archives(t *testing.T, contents map[string][]byte) map[string]string {
	t.Helper()
	var z, tr bytes.Buffer
	zw, tw := zip.NewWriter(&z), tar.NewWriter(&tr)
	for name, b := range contents {
		f, err := zw.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(b)
		if err := tw.WriteHeader(&tar.Header{Name: name, Size: int64(len(b)),
			Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		tw.Write(b)
	}
	zw.Close()
	tw.Close()
	dir := t.TempDir()
	return map[string]string{
		"zip": write(t, dir, "x.zip", z.Bytes()), "tar": write(t, dir, "x.tar", tr.Bytes()),
		"tar.gz": write(t, dir, "x.tgz", gz(tr.Bytes())),
	}
}

func origins(ds Dataset) (o []Origin) {
	for i := range ds.Len() {
		o = append(o, ds.Origin(i))
	}
	return o
}

func labelsOf(ds Dataset) (l []int) {
	for i := range ds.Len() {
		l = append(l, ds.Label(i))
	}
	return l
}

// found returns the results of Find and Read, and the warnings.
func found(t *testing.T, path string, opt Options) (*Found, Dataset, []string) {
	t.Helper()
	var warnings []string
	opt.Warn = func(s string) { warnings = append(warnings, s) }
	f, err := Find(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	before := *f
	ds, err := f.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known := !opt.SkipBroken && before.Shape == ds.Shape()
	if got := reference.ArrayBytes(ds); got != f.Bytes || known && before.Bytes != got {
		t.Errorf("%s: %d bytes, found %d, then %d", path, got, before.Bytes, f.Bytes)
	}
	return f, ds, warnings
}

// A folder holds pictures of all formats and other files. The summary mentions all of them.
func TestEveryFormat(t *testing.T) {
	contents := map[string][]byte{
		"a.png": sample(t, "rgb.png"), "b.jpg": sample(t, "plain.jpg"),
		"c.gif": sample(t, "animated.gif"),
		"d.bmp": sample(t, "rgb.bmp"), "e.tif": sample(t, "tiff_lzw.tiff"),
		"f.webp": sample(t, "lossy.webp"),
		"g.jpg":  sample(t, "lossy.webp"), "h": sample(t, "rgb.png"), "notes.txt": []byte("x"),
		"x.heic": []byte("\x00\x00\x00\x18ftypheic"),
		"y.svg":  []byte("<svg/>"), "photo.dng": sample(t, "tiff_lzw.tiff"), "nothing": nil,
		"z.bin": {1, 2, 3},
		"ref":   []byte("../elsewhere"), ".hidden.png": []byte("x"), "Thumbs.db": []byte("x"),
	}
	f, ds, warnings := found(t, folderOf(t, contents), Options{})
	if len(warnings) > 0 || ds.Len() != 8 || ds.Shape() != (Shape{9, 14, 3}) {
		t.Errorf("%d of %v, %q", ds.Len(), ds.Shape(), warnings)
	}
	if want := "pictures (2 PNG, 1 JPEG, 1 GIF, 1 BMP, 1 TIFF, 2 WebP)"; f.Summary.Format != want {
		t.Errorf("%s; expected %s", f.Summary.Format, want)
	}
	wantSame(t, "notes", f.Summary.Notes, []string{
		"the first picture of 1 that are animated or have several pages (c.gif)",
		"1 named as another format (g.jpg is WebP)",
	})
	var passed []string
	for _, p := range f.Summary.Skipped {
		passed = append(passed, fmt.Sprintf("%d %s %v", p.Count, p.Kind, p.First))
	}
	slices.Sort(passed)
	wantSame(t, "passed over", passed, []string{
		"1 HEIC pictures [x.heic]", "1 SVG drawings [y.svg]", "1 empty files [nothing]",
		"1 hidden files [.hidden.png]",
		"1 links stored as text [ref]", "1 other files [z.bin]", "1 raw camera files [photo.dng]",
		"1 text files [notes.txt]",
		"1 thumbnail files [Thumbs.db]",
	})
	s := f.Summary.String()
	if !strings.Contains(s, "1 text file (notes.txt)") ||
		!strings.Contains(s, "1 link stored as text (ref)") || strings.Contains(s, "\n") {
		t.Error(s)
	}
}

func wantSame(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q; expected %q", what, got, want)
	}
}

// An archive is read like the folder that it was made from, and Find announces its memory.
func TestArchives(t *testing.T) {
	contents := map[string][]byte{
		"cats/b.png": sample(t, "rgb.png"), "cats/a.webp": sample(t, "lossless_alpha.webp"),
		"dogs/c.jpg":    sample(t, "turn1.jpg"),
		"dogs/\xff.png": sample(t, "trns.png"), "__MACOSX/cats/._b.png": []byte("x"),
		"readme.txt": []byte("x"),
	}
	want := mustOpen(t, folderOf(t, contents), Options{})
	names := []string{"cats/a.webp", "cats/b.png", "dogs/c.jpg", "dogs/\xff.png"}
	for kind, path := range archives(t, contents) {
		f, ds, _ := found(t, path, Options{})
		if fingerprint(t, ds) != fingerprint(t, want) || ds.Name() != filepath.Base(path) {
			t.Errorf("%s: %s is not the folder", kind, ds.Name())
		}
		for i, o := range origins(ds) {
			if o != (Origin{Row: i, File: names[i]}) || want.Origin(i) != o {
				t.Errorf("%s: image %d is %v, of the folder %v", kind, i, o, want.Origin(i))
			}
		}
		if !slices.Equal(labelsOf(ds), []int{0, 0, 1, 1}) ||
			!slices.Equal(classNames(ds), []string{"cats", "dogs"}) {
			t.Errorf("%s: labels %v of %q", kind, labelsOf(ds), classNames(ds))
		}
		if f.Summary.LabelsFrom != "folders" || f.Summary.Classes != 2 ||
			len(f.Summary.Skipped) != 2 {
			t.Errorf("%s: %v", kind, f.Summary)
		}
		if scaled := mustOpen(t, path,
			Options{Size: 5, Gray: true}); scaled.Shape() != (Shape{5, 5, 1}) {
			t.Errorf("%s: scaled to %v", kind, scaled.Shape())
		}
	}
}

// One error names all broken pictures, whether the header or only the pixels are damaged. If they
// are skipped, the other images keep their numbers and labels.
func TestBroken(t *testing.T) {
	whole := sample(t, "rgb.png")
	contents := map[string][]byte{
		"a/0.png": whole, "a/1.png": []byte("<html>"), "a/2.png": whole,
		"b/3.png": flip(whole, -20), "b/4.jpg": nil,
		"b/5.png": whole, "b/6.heic.jpg": []byte("\x00\x00\x00\x18ftypheic\x00\x00"),
		"b/7.png": sample(t, "surplus_pixels.png"),
	}
	dir := folderOf(t, contents)
	paths := archives(t, contents)
	paths["folder"] = dir
	for kind, path := range paths {
		_, err := Open(t.Context(), path, Options{})
		wantError(t, err, path, "4 of 8 pictures are broken: a/1.png (is an HTML page), b/3.png "+
			"(", "b/4.jpg (is empty), b/6.heic.jpg (is a HEIC picture)", "--skip-broken")
		f, ds, warnings := found(t, path, Options{SkipBroken: true})
		want := []Origin{{Row: 0, File: "a/0.png"}, {Row: 2, File: "a/2.png"},
			{Row: 5, File: "b/5.png"}, {Row: 7, File: "b/7.png"}}
		if got := origins(ds); !slices.Equal(got, want) ||
			!slices.Equal(labelsOf(ds), []int{0, 0, 1, 1}) {
			t.Errorf("%s: %v, labels %v", kind, got, labelsOf(ds))
		}
		if s := f.Summary.Skipped; len(s) != 1 || s[0].Kind != "broken pictures" ||
			s[0].Count != 4 {
			t.Errorf("%s: %v", kind, s)
		}
		if len(warnings) != 1 || !strings.Contains(warnings[0], "left out") ||
			f.Summary.Format != "pictures (4 PNG)" {
			t.Errorf("%s: warnings %q, %s", kind, warnings, f.Summary.Format)
		}
		only := map[string][]byte{"0.png": whole, "1.png": whole, "2.png": whole, "3.png": whole}
		if fingerprint(t, ds) != fingerprint(t, mustOpen(t, folderOf(t, only), Options{})) {
			t.Errorf("%s: wrong pixels", kind)
		}
	}
	one := folderOf(t, map[string][]byte{"a.png": whole, "b.png": flip(whole, -20)})
	_, err := Open(t.Context(), one, Options{SkipBroken: true})
	wantError(t, err, one, "b.png", "1 is left, expected at least 2")
	none := folderOf(t, map[string][]byte{"a.png": []byte("x"), "b.png": nil})
	_, err = Open(t.Context(), none, Options{SkipBroken: true})
	wantError(t, err, none, "2 of 2 pictures are broken")
}

// Sizes are those of the upright pictures, also in the headers.
func TestOrientedSizes(t *testing.T) {
	contents := map[string][]byte{}
	for o := 1; o <= 8; o++ {
		if o <= 4 {
			contents[fmt.Sprintf("lying/%d.png", o)] = sample(t, fmt.Sprintf("turn%d.png", o))
		} else {
			contents[fmt.Sprintf("standing/%d.png", o)] = sample(t, fmt.Sprintf("turn%d.png", o))
		}
	}
	dir := folderOf(t, contents)
	for sub, want := range map[string]Shape{"lying": {9, 14, 3}, "standing": {14, 9, 3}} {
		f, ds, _ := found(t, filepath.Join(dir, sub), Options{})
		if ds.Shape() != want {
			t.Errorf("%s: %v", sub, ds.Shape())
		}
		if note := strings.Join(f.Summary.Notes, ""); !strings.Contains(note, "turned upright") {
			t.Errorf("%s: %q", sub, note)
		}
	}
	_, err := Open(t.Context(), dir, Options{})
	wantError(t, err, "4 have 9 x 14 pixels (standing/5.png), 4 have 14 x 9 pixels "+
		"(lying/1.png)", "--size")
}

// Names that would garble a line of output are quoted.
func TestOddNames(t *testing.T) {
	contents := pngFiles(t, "a.png", "b.png")
	contents["new\nline.txt"], contents["\x1b[2Jclear.md"] = []byte("x"), []byte("x")
	contents["latin\xe4.png"] = []byte("broken")
	dir := folderOf(t, contents)
	_, err := Open(t.Context(), dir, Options{})
	wantError(t, err, `"latin\xe4.png" (is text)`)
	f, _, _ := found(t, dir, Options{SkipBroken: true})
	line := f.Summary.String()
	for _, name := range []string{`"\x1b[2Jclear.md"`, `"new\nline.txt"`, `"latin\xe4.png"`} {
		if !strings.Contains(line, name) {
			t.Errorf("%q does not show %s", line, name)
		}
	}
}

func TestNoPictures(t *testing.T) {
	heic := []byte("\x00\x00\x00\x18ftypheic")
	dir := folderOf(t, map[string][]byte{"a.heic": heic, "b.heic": heic})
	_, err := Open(t.Context(), dir, Options{})
	wantError(t, err, dir, "holds no images; passed over 2 HEIC pictures (a.heic, b.heic); "+
		"expected PNG, JPEG")
}

// Reading stops with the context, even while a picture is being decoded.
func TestPicturesCancelled(t *testing.T) {
	contents := map[string][]byte{}
	for i := range 40 {
		contents[fmt.Sprintf("%02d.png", i)] =
			pngOf(t, flat(64, 64, color.NRGBA{uint8(i), 2, 3, 255}))
	}
	paths := archives(t, contents)
	paths["folder"] = folderOf(t, contents)
	for kind, path := range paths {
		ended, cancel := context.WithCancel(t.Context())
		f, err := Find(ended, path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := f.Read(ended); !strings.Contains(fmt.Sprint(err), context.Canceled.Error()) {
			t.Errorf("%s: Read: %v", kind, err)
		}
		if _, err := Find(ended, path, Options{}); !strings.Contains(fmt.Sprint(err),
			context.Canceled.Error()) {
			t.Errorf("%s: Find: %v", kind, err)
		}
	}
}
