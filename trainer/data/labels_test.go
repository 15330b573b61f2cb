package data

import (
	"bytes"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pngFiles returns pictures with the given names.
func pngFiles(t *testing.T, names ...string) map[string][]byte {
	contents := map[string][]byte{}
	for i, name := range names {
		contents[name] = pngOf(t, flat(2, 2, color.NRGBA{uint8(i), 9, 250, 255}))
	}
	return contents
}

// Labels are read from a file beside the pictures, in the forms that common software writes.
func TestLabelFiles(t *testing.T) {
	names := []string{"00000/a.png", "00000/b.png", "00001/c.png"}
	for name, c := range labelFileCases {
		contents := pngFiles(t, names...)
		contents[c.file] = []byte(c.text)
		f, ds, warnings := found(t, folderOf(t, contents), Options{})
		if !slices.Equal(labelsOf(ds), c.labels) || !slices.Equal(classNames(ds), c.classes) {
			t.Errorf("%s: labels %v of %q; expected %v of %q",
				name, labelsOf(ds), classNames(ds), c.labels, c.classes)
		}
		for _, w := range strings.Split(c.warnings, "|") {
			if (w == "") != (len(warnings) == 0) ||
				!strings.Contains(strings.Join(warnings, "\n"), w) {
				t.Errorf("%s: warnings %q; expected %q", name, warnings, w)
			}
		}
		if c.classes == nil && (f.Summary.LabelsFrom != c.file || len(f.Summary.Skipped) > 0) {
			t.Errorf("%s: labels from %q, skipped %v",
				name, f.Summary.LabelsFrom, f.Summary.Skipped)
		}
	}
}

// Options.Labels takes precedence over other labels and works for every format.
func TestLabelsOption(t *testing.T) {
	pictures := folderOf(t, pngFiles(t, "x/a.png", "x/b.png", "y/c.png"))
	array := write(t, t.TempDir(), "x.npy", npy(npyDictOf("|u1", "3, 4, 4"), ramp(48)))
	labelled := folderOf(t, map[string][]byte{
		"images": idx([]uint32{3, 4, 4}, ramp(48)), "labels": idx([]uint32{3}, ramp(3)),
	})
	files := map[string]string{}
	for name, b := range map[string]string{
		"rows.csv": "7\n8\n7\n", "named.csv": "a.png,7\nc.png,7\nb.png,8\n",
		"list.json": "[7, 8, 7]", "numbers.csv": "index,label\n2,7\n0,7\n1,8\n",
		"idx":    string(idx([]uint32{3}, []byte{7, 8, 7})),
		"idx.gz": string(gz(idx([]uint32{3}, []byte{7, 8, 7}))),
		"l.npy":  string(npy(npyDictOf("|u1", "3,"), []byte{7, 8, 7})), "spaces.txt": "7\n8\n7",
	} {
		files[name] = write(t, t.TempDir(), name, []byte(b))
	}
	for name, file := range files {
		for _, path := range []string{pictures, array, labelled} {
			if name == "named.csv" && path != pictures ||
				name == "numbers.csv" && path == pictures {
				continue
			}
			f, ds, _ := found(t, path, Options{Labels: file})
			if !slices.Equal(labelsOf(ds), []int{7, 8, 7}) || classNames(ds) != nil ||
				f.Summary.LabelsFrom != file || f.Summary.Classes != 2 {
				t.Errorf("%s of %s: %v, %v", name, path, labelsOf(ds), f.Summary)
			}
		}
	}
	// The file of labels may label pictures that are skipped, too.
	contents := pngFiles(t, "a.png", "b.png", "c.png")
	contents["b.png"] = []byte("broken")
	for _, name := range []string{"rows.csv", "named.csv"} {
		opt := Options{Labels: files[name], SkipBroken: true}
		_, ds, warnings := found(t, folderOf(t, contents), opt)
		if !slices.Equal(labelsOf(ds), []int{7, 7}) || len(warnings) != 1 {
			t.Errorf("%s: %v, %q", name, labelsOf(ds), warnings)
		}
	}
}

// Labels that do not fit the images are errors, before the images are read.
func TestLabelErrors(t *testing.T) {
	pictures := folderOf(t, pngFiles(t, "x/a.png", "x/b.png", "y/a.png"))
	dir := t.TempDir()
	for text, want := range map[string]string{
		"1\n2\n":                           "holds 2 labels for 3 images",
		"a.png,1\nx/b.png,2\n":             "is the name of several pictures",
		"x/a.png,1\nx/a.png,2\n":           `has two labels for "x/a.png"`,
		"q.png,1\nr.png,2\n":               "none of its names (q.png, r.png) is that of an image",
		"0.5\n0.25\n1\n":                   "measurements, such as 0.5",
		"-7\n1\n2\n":                       "holds the label -7",
		"99999999999\n1\n2\n":              "from 0 to 2147483647",
		"a,b,c\n1,2,3\n":                   "has the columns a, b, c",
		"":                                 "is empty",
		"{\"labels\": [[1, 2]]}":           "expected [name, label]",
		"{\"x/a.png\": [0, 1]}":            "has the label [0, 1]",
		"{\"x/a.png\": 1, \"x/a.png\": 2}": `has two labels for "x/a.png"`,
		"file,label\nx/a.png,1\nx/b.png\n": "record 3 (counted from 1) has 1 field; " +
			"expected at least 2",
		"[1, [\"x/a.png\", 2]]":           "unlike those before it",
		"{\"a\": 1":                       "is not complete JSON",
		"\x00\x01\x02":                    "is not text",
		string(idx([]uint32{2}, ramp(2))): "holds 2 labels for 3 images",
		string(idx([]uint32{3}, ramp(2))): "truncated",
	} {
		path := write(t, dir, "labels", []byte(text))
		_, err := Open(t.Context(), pictures, Options{Labels: path})
		wantError(t, err, path, want)
	}
	_, err := Open(t.Context(), pictures, Options{Labels: filepath.Join(dir, "missing")})
	wantError(t, err, "--labels", "missing")
	_, err = Open(t.Context(), pictures, Options{Labels: os.TempDir()})
	wantError(t, err, "--labels", "is not a file")
}

// Composed and decomposed accents are equal: macOS decomposes those of file names.
func TestDecomposedNames(t *testing.T) {
	dir := folderOf(t, pngFiles(t, "a\u0308.png", "o\u0308.png"))
	labels := write(t, t.TempDir(), "l.csv", []byte("file,label\nx/\u00e4.jpg,4\n\u00f6.png,5\n"))
	_, ds, warnings := found(t, dir, Options{Labels: labels})
	if !slices.Equal(labelsOf(ds), []int{4, 5}) || len(warnings) > 0 {
		t.Errorf("%v, %q", labelsOf(ds), warnings)
	}
}

// The images of an array have no files and are labelled by number, also in JSON.
func TestLabelsByNumber(t *testing.T) {
	array := write(t, t.TempDir(), "x.npy", npy(npyDictOf("|u1", "2, 4, 4"), ramp(32)))
	labels := write(t, t.TempDir(), "l.json",
		[]byte(`[{"index": 1, "label": 4}, {"index": 0, "label": 5}]`))
	if _, ds, _ := found(t, array, Options{Labels: labels}); !slices.Equal(labelsOf(ds),
		[]int{5, 4}) {
		t.Errorf("%v", labelsOf(ds))
	}
	labels = write(t, t.TempDir(), "l.csv", []byte("a.png,1\nb.png,2\n"))
	_, err := Open(t.Context(), array, Options{Labels: labels})
	wantError(t, err, labels, "expected the numbers of the images, counted from 0")
}

// Folders are classes if there are several, in the deepest common folder, and all pictures are in
// them.
func TestFolderClasses(t *testing.T) {
	for _, c := range []struct {
		names  string
		labels []int
	}{
		{"b/1.png a/2.png b/c/3.png", []int{0, 1, 1}}, {"top/b/1.png top/a/2.png", []int{0, 1}},
		{"b/1.png a/2.png 3.png", []int{-1, -1, -1}}, {"b/1.png b/2.png", []int{-1, -1}},
		{"t/a/1.png t/2.png", []int{-1, -1}},
		{"1.png 2.png a/x.png b/x.png", []int{-1, -1, -1, -1}},
		{"1/x.png 10/x.png 2/x.png", []int{0, 1, 2}},
	} {
		dir := folderOf(t, pngFiles(t, strings.Fields(c.names)...))
		f, ds, warnings := found(t, dir, Options{})
		if !slices.Equal(labelsOf(ds), c.labels) {
			t.Errorf("%s: labels %v; expected %v", c.names, labelsOf(ds), c.labels)
		}
		want := ""
		switch {
		case strings.HasSuffix(c.names, " 3.png"):
			want = "the folders give no labels, because of 1 picture beside them (3.png)"
		}
		if said := strings.Join(warnings, "|"); !strings.Contains(said, want) ||
			(said == "") != (want == "") {
			t.Errorf("%s: warnings %q", c.names, warnings)
		}
		if (f.Summary.Classes > 0) != (classNames(ds) != nil) {
			t.Errorf("%s: %v, names %q", c.names, f.Summary, classNames(ds))
		}
	}
	dir := folderOf(t, pngFiles(t, "a/1.png", "a/2.png", "b/3.png", "b/4.png"))
	_, held, err := Split(mustOpen(t, dir, Options{}), 0.5, 1)
	if err != nil || !slices.Equal(classNames(held), []string{"a", "b"}) {
		t.Errorf("of a part: %q, %v", classNames(held), err)
	}
}

// FuzzLabels checks that there are no panics, that a table has either no names or one per label,
// and that an assigned label occurs in the file or is unknown.
func FuzzLabels(f *testing.F) {
	for _, s := range []string{
		"file,label\na.png,1\n", "1\n2\n3\n", "a;b\nc;d", "a 1\nb 2",
		`{"labels": [["a", 1], ["b", "x"]]}`, `{"a": 1, "b": null}`,
		`[1, 2, "x"]`, `{"file_name": "a", "label": 1}` + "\n" + `{"file_name": "b", "label": 2}`,
		"\ufeff\"a\",\"b\"", "[", "{}",
	} {
		f.Add([]byte(s))
	}
	files := []string{"a", "b/c.png", "b/d.png", "1.png"}
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := parseLabels("labels", b)
		if err != nil {
			return
		}
		if table.names != nil && len(table.names) != len(table.values) {
			t.Fatalf("%d names of %d labels", len(table.names), len(table.values))
		}
		for _, names := range [][]string{files, nil} {
			labels, classes, err := table.assign(names, len(files), func(string, ...any) {})
			if err != nil {
				continue
			}
			if len(labels) != len(files) {
				t.Fatalf("%d labels", len(labels))
			}
			for _, l := range labels {
				if l < -1 || classes != nil && int(l) >= len(classes) {
					t.Fatalf("label %d of %q", l, classes)
				}
				text := []byte(fmt.Sprint(l))
				if l >= 0 && classes == nil && !bytes.Contains(b, text) &&
					!bytes.ContainsAny(b, "eEtfxX_.pP+") {
					t.Fatalf("label %d is not in %q", l, b)
				}
			}
		}
	})
}
