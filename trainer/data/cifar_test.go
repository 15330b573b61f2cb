package data

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cifarRecords returns n records with the given labels, of pictures whose value at row y, column x,
// channel c is 7*record + 3y + 5x + 80c modulo 256.
func cifarRecords(first, n int, labels func(i int) []byte) (b []byte) {
	for i := first; i < first+n; i++ {
		b = append(b, labels(i)...)
		for c := range 3 {
			for y := range 32 {
				for x := range 32 {
					b = append(b, byte(7*i+3*y+5*x+80*c))
				}
			}
		}
	}
	return b
}

// oneLabel and twoLabels are the labels of record i in CIFAR-10 and CIFAR-100.
func oneLabel(i int) []byte  { return []byte{byte(i % 10)} }
func twoLabels(i int) []byte { return []byte{byte(i % 20), byte(i * 9 % 100)} }

func checkCIFAR(t *testing.T, ds Dataset, first, n int, label func(i int) int) {
	t.Helper()
	if ds.Len() != n || ds.Shape() != (Shape{32, 32, 3}) {
		t.Fatalf("%d images of %v", ds.Len(), ds.Shape())
	}
	var want []byte
	for i := first; i < first+n; i++ {
		if got := ds.Label(i - first); got != label(i) {
			t.Errorf("label of record %d is %d", i, got)
		}
		for y := range 32 {
			for x := range 32 {
				for c := range 3 {
					want = append(want, byte(7*i+3*y+5*x+80*c))
				}
			}
		}
	}
	wantBytes(t, gather(ds), want)
}

func cifar10Dir(t *testing.T) string {
	dir := t.TempDir()
	// data_batch_10 comes last although it is not the last by name.
	for k, name := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_10.bin"} {
		write(t, dir, name, cifarRecords(4*k, 4, oneLabel))
	}
	write(t, dir, "test_batch.bin", cifarRecords(50, 3, oneLabel))
	const classes = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"
	write(t, dir, "batches.meta.txt", []byte(classes))
	write(t, dir, "readme.html", []byte("<html>"))
	return dir
}

func TestCIFAR10(t *testing.T) {
	dir := cifar10Dir(t)
	label := func(i int) int { return i % 10 }
	f, err := Find(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := f.Bytes
	ds, err := f.Read(t.Context())
	if err != nil || found != f.Bytes {
		t.Fatalf("%v, found %d bytes, read %d", err, found, f.Bytes)
	}
	checkCIFAR(t, ds, 0, 12, label)
	if s := f.Summary.String(); !strings.Contains(s, "3 binary batches of CIFAR-10") ||
		!strings.Contains(s, "passed over 1 test batch (test_batch.bin)") {
		t.Error(s)
	}
	if n := f.Summary.ClassNames; len(n) != 10 || n[9] != "truck" {
		t.Errorf("classes %v", n)
	}
	checkCIFAR(t, mustOpen(t, filepath.Join(dir, "test_batch.bin"), Options{}), 50, 3, label)
	above := filepath.Dir(dir)
	checkCIFAR(t, mustOpen(t, above, Options{}), 0, 12, label)
}

func TestCIFAR100(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "train.bin", cifarRecords(0, 5, twoLabels))
	write(t, dir, "test.bin", cifarRecords(30, 2, twoLabels))
	label := func(i int) int { return i * 9 % 100 }
	f, err := Find(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := f.Summary.Format; !strings.Contains(s,
		"CIFAR-100 with its fine labels, not the 20 coarse ones") {
		t.Error(s)
	}
	checkCIFAR(t, mustOpen(t, dir, Options{}), 0, 5, label)
	checkCIFAR(t, mustOpen(t, filepath.Join(dir, "test.bin"), Options{}), 30, 2, label)
}

// A directory with only test batches is read. One with missing training batches causes a warning.
func TestCIFARPart(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "test_batch.bin", cifarRecords(0, 3, oneLabel))
	ds := mustOpen(t, dir, Options{Warn: func(s string) { t.Error(s) }})
	checkCIFAR(t, ds, 0, 3, func(i int) int { return i })
	var warned string
	mustOpen(t, cifar10Dir(t), Options{Warn: func(s string) { warned += s }})
	if !strings.Contains(warned, "3 of the 5 training batches") {
		t.Errorf("warned of %q", warned)
	}
}

// Files that have the name, the size or the labels of a batch, but not all of them.
func TestNotCIFAR(t *testing.T) {
	batch := cifarRecords(0, 3, oneLabel)
	late := cifarRecords(0, 100, oneLabel)
	late[99*3073] = 10
	for name, c := range map[string]struct {
		file string
		b    []byte
		want []string
	}{
		"cut": {"data_batch_1.bin", batch[:len(batch)-1],
			[]string{"name of a batch of CIFAR-10", "9218 bytes", "3073 bytes each"}},
		"labels":       {"data_batch_1.bin", flip(batch, 3073, 10), []string{"labels", "0 to 9"}},
		"late label":   {"data_batch_1.bin", late, []string{"label 10 in record 99", "0 to 9"}},
		"empty":        {"test_batch.bin", nil, []string{"name of a batch"}},
		"another name": {"pictures.bin", batch, []string{"unknown format"}},
		"train.bin":    {"train.bin", batch, []string{"unknown format"}},
		"train.bin 100": {"train.bin", flip(cifarRecords(0, 3, twoLabels), 0, 20),
			[]string{"unknown format"}},
		"one record": {"train.bin", cifarRecords(0, 1, twoLabels), []string{"holds 1 image"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, c.file, c.b)
			_, err := Open(t.Context(), path, Options{})
			wantError(t, err, append(c.want, path)...)
			if strings.HasPrefix(c.file, "data") {
				_, err := Open(t.Context(), dir, Options{})
				wantError(t, err, append(c.want, path)...)
			}
		})
	}
	// A file with a general name may have another format.
	path := write(t, t.TempDir(), "train.bin", idx([]uint32{2, 2, 2}, ramp(8)))
	wantBytes(t, gather(mustOpen(t, path, Options{})), ramp(8))
	black := make([]byte, 2*3074-16) // a length and labels that CIFAR-100 has too
	path = write(t, t.TempDir(), "train.bin", idx([]uint32{4, 1533, 1}, black))
	if ds := mustOpen(t, path, Options{}); ds.Len() != 4 || ds.Shape() != (Shape{1533, 1, 1}) {
		t.Errorf("an IDX file is read as %d images of %v", ds.Len(), ds.Shape())
	}
}

// A batch that begins like an IDX file is recognised by its name.
func TestCIFARLikeIDX(t *testing.T) {
	b := cifarRecords(0, 2, oneLabel)
	copy(b, []byte{0, 0, 8, 3})
	ds := mustOpen(t, write(t, t.TempDir(), "data_batch_1.bin", b), Options{})
	if ds.Len() != 2 || ds.Shape().C != 3 {
		t.Errorf("%d images of %v", ds.Len(), ds.Shape())
	}
}

func TestCIFARErrors(t *testing.T) {
	dir := cifar10Dir(t)
	write(t, dir, "train.bin", cifarRecords(0, 3, twoLabels))
	_, err := Open(t.Context(), dir, Options{})
	wantError(t, err, "CIFAR-10 and of CIFAR-100", "give the path of one")
	_, err = Open(t.Context(), cifar10Dir(t), Options{Size: 8})
	wantError(t, err, "--size", "CIFAR")
	python := t.TempDir()
	path := write(t, python, "data_batch_1", []byte("\x80\x02}q\x01"))
	for _, name := range []string{python, path} {
		_, err = Open(t.Context(), name, Options{})
		wantError(t, err, path, "is a Python pickle", "CIFAR take the binary version", "numpy.save")
	}
}

func FuzzCIFAR(f *testing.F) {
	f.Add(cifarRecords(0, 2, oneLabel), 0)
	f.Add(cifarRecords(0, 2, twoLabels), 2)
	f.Add(cifarRecords(0, 1, oneLabel)[:3000], 1)
	names := []string{"data_batch_1.bin", "test_batch.bin", "train.bin"}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte, name int) {
		if name < 0 || name >= len(names) {
			return
		}
		path := filepath.Join(dir, names[name])
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := findCIFARFile(t.Context(), path, int64(len(b)), Options{})
		if err != nil || found == nil {
			return
		}
		a, err := found.images.readImages(t.Context())
		if err != nil {
			return
		}
		width := len(b) / a.m
		for i := range a.m {
			planes, pixels := b[i*width:][width-3072:width], a.u8[i*3072:][:3072]
			if int(a.labels[i]) != int(b[i*width+width-3073]) {
				t.Fatalf("label %d", a.labels[i])
			}
			for k, v := range planes {
				if pixels[k%1024*3+k/1024] != v {
					t.Fatalf("value %d of record %d", k, i)
				}
			}
		}
		if slices.Max(a.labels) > 99 || bytes.Equal(a.u8, nil) {
			t.Fatal("labels or pixels that cannot be")
		}
	})
}
