package data

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image/color"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// npz returns an archive of members, given as name, bytes, name, bytes, ...
func npz(t testing.TB, method uint16, members ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		out, err := w.CreateHeader(&zip.FileHeader{Name: members[i].(string), Method: method})
		if err == nil {
			_, err = out.Write(members[i+1].([]byte))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func bytesOf(shape string, n int) []byte { return npy(npyDictOf("|u1", shape), ramp(n)) }

func intsOf(v ...byte) []byte {
	var payload []byte
	for _, x := range v {
		payload = binary.LittleEndian.AppendUint64(payload, uint64(x))
	}
	return npy(npyDictOf("<i8", fmt.Sprint(len(v))+","), payload)
}

// NumPy 2.4.6 wrote the archives in testdata: savez, savez_compressed, and zip64.
func TestNumPyArchives(t *testing.T) {
	for name, labels := range map[string]bool{"stored.npz": true, "deflated.npz": true,
		"zip64.npz": false} {
		ds := mustOpen(t, "testdata/"+name, Options{Warn: func(s string) { t.Error(s) }})
		if ds.Len() != 3 || ds.Shape() != (Shape{4, 2, 1}) || ds.Name() != name {
			t.Errorf("%s: %d images of %v", ds.Name(), ds.Len(), ds.Shape())
		}
		want := make([]byte, 24)
		for i := range want {
			want[i] = byte(10 * i)
		}
		wantBytes(t, gather(ds), want)
		got := []int{ds.Label(0), ds.Label(1), ds.Label(2)}
		if want := map[bool][]int{true: {5, 0, 7},
			false: {-1, -1, -1}}[labels]; !slices.Equal(got, want) {
			t.Errorf("%s: labels %v", name, got)
		}
	}
}

func TestNPZChoice(t *testing.T) {
	images, other, labels := bytesOf("3, 2, 4", 24), bytesOf("2, 2, 4", 16), intsOf(5, 6, 7)
	for name, c := range map[string]struct {
		members []any
		array   string
		pixels  int
		labels  []int
		says    string // in the summary's line
	}{
		"alone": {[]any{"arr_0.npy", images}, "", 24, nil,
			"array arr_0 of uint8 of an .npz archive"},
		"by name": {[]any{"a.npy", images, "b.npy", other}, "b", 16, nil,
			"passed over 1 other array (a (3 x 2 x 4, uint8))"},
		"by file name": {[]any{"a.npy", images, "b.npy", other}, "b.npy", 16, nil,
			"array b of uint8"},
		"keras": {[]any{"x_test.npy", other, "x_train.npy", images, "y_train.npy", labels,
			"y_test.npy", intsOf(1, 2)}, "", 24, []int{5, 6, 7}, "labels of its array y_train: "},
		"keras's test": {[]any{"x_test.npy", other, "x_train.npy", images, "y_train.npy", labels,
			"y_test.npy", intsOf(1, 2)}, "x_test", 16, []int{1, 2}, "labels of its array y_test: "},
		"medmnist": {[]any{"train_images.npy", images, "val_images.npy", other,
			"test_images.npy", other, "train_labels.npy", labels}, "", 24, []int{5, 6, 7}, ""},
		"samples": {[]any{"arr_0.npy", images, "arr_1.npy", labels}, "", 24,
			[]int{5, 6, 7}, ""},
		"other labels": {[]any{"images.npy", images, "labels.npy", intsOf(1, 2)}, "", 24, nil,
			"passed over 1 other array (labels (2, int64))"},
		"no labels": {[]any{"images.npy", images, "size.npy", labels}, "", 24, nil, ""},
		"column": {[]any{"images.npy", images, "labels.npy",
			npy(npyDictOf("|u1", "3, 1"), []byte{5, 6, 7})}, "", 24, []int{5, 6, 7}, ""},
		"not an array": {[]any{"images.npy", images, "README.txt", []byte("hello")}, "", 24, nil,
			"passed over 1 other member (README.txt)"},
		"other split": {[]any{"x_train.npy", images, "y_test.npy", labels}, "", 24, nil,
			"passed over 1 other array (y_test (3, int64))"},
		"one unknown": {[]any{"x.npy", images, "y.npy",
			npy(npyDictOf("|i1", "3,"), []byte{1, 255, 2})}, "", 24, []int{1, -1, 2},
			"2 of them labelled"},
		"only labels": {[]any{"labels.npy", images}, "", 24, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []uint16{zip.Store, zip.Deflate} {
				path := write(t, t.TempDir(), "x.npz", npz(t, method, c.members...))
				f, err := Find(t.Context(), path, Options{Array: c.array})
				if err != nil {
					t.Fatal(err)
				}
				found := *f
				ds, err := f.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				wantBytes(t, gather(ds), ramp(c.pixels))
				for i := range ds.Len() {
					want := -1
					if c.labels != nil {
						want = c.labels[i]
					}
					if ds.Label(i) != want {
						t.Errorf("label %d is %d; expected %d", i, ds.Label(i), want)
					}
				}
				if f.Bytes != found.Bytes || found.Loading != 0 || found.Len != ds.Len() ||
					ds.Name() != "x.npz" {
					t.Errorf("found %+v, read %d bytes as %s", found, f.Bytes, ds.Name())
				}
				if !strings.Contains(f.Summary.String(), c.says) {
					t.Errorf("summary %q; expected %q", f.Summary, c.says)
				}
			}
		})
	}
}

// If two arrays can be the labels, neither is used, with a warning.
func TestNPZTwoLabels(t *testing.T) {
	b := npz(t, zip.Store, "data.npy", bytesOf("3, 2, 4", 24),
		"fine.npy", intsOf(1, 2, 3), "coarse.npy", intsOf(3, 4, 5))
	_, ds, warned, err := read(t, b, Options{})
	if err != nil || ds.Label(0) != -1 ||
		!strings.Contains(warned,
			"no labels, since several arrays can be them: fine (3, int64), coarse (3, int64)") {
		t.Errorf("%v, warned of %q", err, warned)
	}
}

// An array that has the name of labels but cannot be them causes a warning.
func TestNPZUnfitLabels(t *testing.T) {
	images := bytesOf("3, 2, 4", 24)
	for says, members := range map[string][]any{
		"y_train (2, int64) is not one whole number for each": {"y_train.npy", intsOf(1, 2)},
		"y_train (3, float32) is not one whole number for each": {"y_train.npy",
			npy(npyDictOf("<f4", "3,"), ramp(12))},
		"": {"y_test.npy", intsOf(1, 2)}, // of other images
	} {
		b := npz(t, zip.Store, append([]any{"x_train.npy", images}, members...)...)
		_, ds, warned, err := read(t, b, Options{})
		if err != nil || ds.Label(0) != -1 || !strings.Contains(warned, says) ||
			strings.Contains(warned, "no labels") != (says != "") {
			t.Errorf("%v, warned of %q; expected %q", err, warned, says)
		}
	}
}

// An array among pictures, such as their features, is only used if Options.Array names it.
func TestZipOfPicturesAndArray(t *testing.T) {
	picture := pngOf(t, flat(2, 2, color.NRGBA{1, 2, 3, 255}))
	b := npz(t, zip.Store, "a.png", picture, "b.png", picture, "features.npy",
		bytesOf("3, 2, 4", 24))
	f, ds, _, err := read(t, b, Options{})
	if err != nil || ds.Len() != 2 || ds.Shape() != (Shape{2, 2, 3}) ||
		!strings.Contains(f.Summary.String(), "passed over 1 NumPy array (features.npy)") {
		t.Errorf("%v, %v", f.Summary, err)
	}
	_, ds, _, err = read(t, b, Options{Array: "features"})
	if err != nil || ds.Shape() != (Shape{2, 4, 1}) {
		t.Error(err)
	}
}

func TestNPZErrors(t *testing.T) {
	images := bytesOf("3, 2, 4", 24)
	good := npz(t, zip.Store, "a.npy", images)
	for name, c := range map[string]struct {
		b    []byte
		opt  Options
		want []string
	}{
		"several": {npz(t, zip.Store, "a.npy", images, "b.npy",
			npy(npyDictOf("<f4", "2, 6"), ramp(48))), Options{},
			[]string{"a (3 x 2 x 4, uint8), b (2 x 6, float32)", "--array NAME"}},
		"no such": {npz(t, zip.Store, "images.npy", images), Options{Array: "image"},
			[]string{`no array "image" (did you mean "images"?)`, "images (3 x 2 x 4, uint8)"}},
		"no images": {npz(t, zip.Store, "a.npy", intsOf(1, 2), "b.npy",
			npy(npyDictOf("|O", "2, 2"), nil)), Options{},
			[]string{"a (2, int64), b (2 x 2, Python objects (|O))", "no array of images"}},
		"no dtype": {npz(t, zip.Store, "a.npy", npy(npyDictOf("|O", "2, 2"), nil)), Options{},
			[]string{"Python objects", "numpy.stack"}},
		"that dtype": {npz(t, zip.Store, "a.npy", images, "c.npy",
			npy(npyDictOf("<c8", "2, 2"), nil)), Options{Array: "c"},
			[]string{"c is an array of complex numbers"}},
		"twice": {npz(t, zip.Store, "a.npy", images, "a.npy", images), Options{},
			[]string{"two members named a.npy"}},
		"one image": {npz(t, zip.Store, "a.npy", bytesOf("1, 2, 4", 8)), Options{},
			[]string{"holds 1 image"}},
		"member cut": {npz(t, zip.Store, "a.npy", images[:len(images)-3]), Options{},
			[]string{"x.npy: a.npy: truncated", "21 of the 24 values"}},
		"deflated cut": {npz(t, zip.Deflate, "a.npy", images[:len(images)-3]), Options{},
			[]string{"truncated", "21 of the 24 values"}},
		"member long": {npz(t, zip.Deflate, "a.npy", append(bytes.Clone(images), 7)), Options{},
			[]string{"continues after the 24 values"}},
		"header cut": {npz(t, zip.Store, "a.npy", images[:9]), Options{},
			[]string{"a.npy: ends within its header"}},
		"no array": {npz(t, zip.Store, "a.npy", []byte("hello, world")), Options{},
			[]string{"magic string"}},
		"archive cut": {good[:len(good)-9], Options{},
			[]string{"damaged or truncated zip archive"}},
		"bad checksum": {flip(good, bytes.Index(good, ramp(24)[:9])+3), Options{},
			[]string{"damaged or truncated zip archive", "checksum"}},
		"no member": {npz(t, zip.Store), Options{}, []string{"zip archive"}},
		"torch": {npz(t, zip.Store, "model/data.pkl", []byte("\x80\x02")), Options{},
			[]string{"PyTorch", "numpy.save"}},
		"encrypted": {encrypted(good), Options{}, []string{"a.npy is encrypted"}},
		"labels": {npz(t, zip.Store, "x.npy", images, "y.npy",
			npy(npyDictOf("<i8", "3,"),
				slices.Concat(make([]byte, 15), []byte{1}, make([]byte, 8)))), Options{},
			[]string{"label 7.205759403792794e+16 at place 1"}},
		"label -2": {npz(t, zip.Store, "x.npy", images, "y.npy",
			npy(npyDictOf("|i1", "3,"), []byte{1, 254, 2})), Options{},
			[]string{"label -2 at place 1", "-1 for unknown"}},
		"size": {good, Options{Size: 3}, []string{"--size", ".npz"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, err := read(t, c.b, c.opt)
			wantError(t, err, append(c.want, "x.npy")...)
		})
	}
	_, err := Open(t.Context(), write(t, t.TempDir(), "x", images), Options{Array: "a"})
	wantError(t, err, `--array "a"`, ".npz")
	_, err = Open(t.Context(), "digits", Options{Array: "a"})
	wantError(t, err, `--array "a"`, ".npz")
}

// encrypted sets the encryption flag in both headers of the only member.
func encrypted(b []byte) []byte {
	b = bytes.Clone(b)
	b[6] |= 1
	b[bytes.Index(b, []byte("PK\x01\x02"))+8] |= 1
	return b
}

// relabelled changes the uncompressed size of the only member in the central directory.
func relabelled(b []byte, size uint32) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint32(b[bytes.Index(b, []byte("PK\x01\x02"))+24:], size)
	return b
}

// Members that announce a wrong or an impossible size are errors, and take no more memory than
// their real content.
func TestNPZLies(t *testing.T) {
	const promised = 1 << 31
	header := npy(npyDictOf("|u1", fmt.Sprintf("%d, 1024, 1024", promised>>20)), nil)
	for name, b := range map[string][]byte{
		"stored, claims more": relabelled(npz(t, zip.Store, "a.npy",
			append(bytes.Clone(header), ramp(99)...)), uint32(len(header)+promised)),
		"deflated, claims more": relabelled(npz(t, zip.Deflate, "a.npy",
			append(bytes.Clone(header), ramp(99)...)), uint32(len(header)+promised)),
		"deflated, claims impossible": relabelled(npz(t, zip.Deflate, "a.npy",
			append(bytes.Clone(header), make([]byte, 1<<16)...)), uint32(len(header)+promised)),
		"deflated, claims less": relabelled(npz(t, zip.Deflate, "a.npy",
			append(bytes.Clone(header), make([]byte, 1<<16)...)), uint32(len(header)+9)),
		"honest": npz(t, zip.Deflate, "a.npy",
			append(bytes.Clone(header), ramp(99)...)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, _, err := read(t, b, Options{})
		runtime.ReadMemStats(&after)
		wantError(t, err, "x.npy")
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 4*initialRead {
			t.Errorf("%s: takes %d bytes: %v", name, taken, err)
		}
	}
}

// A zip bomb with a true header is refused by its size before anything is decompressed.
func TestNPZBomb(t *testing.T) {
	const side = 1 << 12
	b := npz(t, zip.Deflate, "a.npy",
		npy(npyDictOf("|u1", "8, 4096, 4096"), make([]byte, 8*side*side)))
	f, err := Find(t.Context(), write(t, t.TempDir(), "x.npz", b), Options{})
	if err != nil || f.Bytes != 8*side*side || len(b) > 1<<18 {
		t.Errorf("found %d bytes in %d, %v", f.Bytes, len(b), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func FuzzNPZ(f *testing.F) {
	for _, name := range []string{"stored", "deflated", "zip64"} {
		b, err := os.ReadFile("testdata/" + name + ".npz")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "")
	}
	f.Add(npz(f, zip.Deflate, "x_train.npy", bytesOf("3, 2, 4", 24),
		"y_train.npy", intsOf(1, 2, 3), "x_test.npy", bytesOf("2, 2, 4", 16)), "")
	f.Add(encrypted(npz(f, zip.Store, "a.npy", bytesOf("3, 2, 4", 24))), "a")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		a := &archive{ctx: t.Context(), path: "fuzz"}
		var err error
		if a.zip, err = zip.NewReader(bytes.NewReader(b), int64(len(b))); err != nil {
			return
		}
		found, err := a.findNPZ(Options{Array: name})
		if err != nil {
			return
		}
		if found.Len < 1 || found.Shape.Dim() < 1 || found.Bytes < 1 {
			t.Fatalf("%+v", found)
		}
		members, _, err := a.members()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			checkMember(t, a, m)
		}
	})
}

// FuzzMembers makes intact archives of damaged members, and archives with false sizes.
func FuzzMembers(f *testing.F) {
	f.Add("x_train", "y_train", bytesOf("3, 2, 4", 24), intsOf(1, 2, 3), false, uint32(0))
	f.Add("arr_0", "arr_1", bytesOf("3, 2, 4", 24), bytesOf("3, 2, 4", 24), true, uint32(9))
	doubles := npy("{'descr': '>f8', 'fortran_order': True, 'shape': (2, 2)}", make([]byte, 32))
	f.Add("x", "labels", doubles, intsOf(1), true, uint32(1<<30))
	f.Fuzz(func(t *testing.T, first, second string, one, two []byte, deflate bool, claim uint32) {
		method := map[bool]uint16{false: zip.Store, true: zip.Deflate}[deflate]
		b := npz(t, method, first+".npy", one, second+".npy", two)
		at := bytes.Index(b, []byte("PK\x01\x02"))
		if claim != 0 && bytes.LastIndex(b[:at+1], []byte("PK\x01\x02")) == at {
			binary.LittleEndian.PutUint32(b[at+24:], claim)
		}
		a := &archive{ctx: t.Context(), path: "fuzz"}
		var err error
		if a.zip, err = zip.NewReader(bytes.NewReader(b), int64(len(b))); err != nil {
			return
		}
		found, err := a.findNPZ(Options{})
		if err == nil && (found.Len < 1 || found.Shape.Dim() < 1 || found.Bytes < 1) {
			t.Fatalf("%+v", found)
		}
		members, _, err := a.members()
		for _, m := range members {
			if err == nil {
				checkMember(t, a, m)
			}
		}
	})
}

// checkMember reads a member and compares it with the checksum in the archive.
func checkMember(t *testing.T, a *archive, m member) {
	s, err := a.open(m.file, bufferBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	x, err := readNPY(s, Options{})
	if err != nil || x.u8 == nil || m.header.Fortran || m.file.CRC32 == 0 ||
		m.header.Dtype.Kind != 'u' {
		return
	}
	var whole bytes.Buffer
	r, err := m.file.Open()
	if err == nil {
		_, err = whole.ReadFrom(r)
	}
	if err != nil || !bytes.HasSuffix(whole.Bytes(), x.u8) ||
		crc32.ChecksumIEEE(whole.Bytes()) != m.file.CRC32 {
		t.Fatalf("%s: wrong bytes, %v", m.name, err)
	}
}
