package data

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestIDXFile(t *testing.T) {
	for _, tc := range []struct {
		name  string
		b     []byte
		shape Shape
	}{
		{"images.idx", idx([]uint32{3, 2, 4}, ramp(24)), Shape{2, 4, 1}},
		{"misnamed.npy", idx([]uint32{3, 2, 4}, ramp(24)), Shape{2, 4, 1}},
		{"color", gz(idx([]uint32{2, 2, 2, 3}, ramp(24))), Shape{2, 2, 3}},
		{"one channel.gz", idx([]uint32{3, 8, 1, 1}, ramp(24)), Shape{8, 1, 1}},
	} {
		ds := mustOpen(t, write(t, t.TempDir(), tc.name, tc.b), Options{})
		if ds.Name() != tc.name || ds.Shape() != tc.shape || ds.Len() != 24/tc.shape.Dim() ||
			ds.Label(1) != -1 {
			t.Errorf("%s: %d images of %v, label %d", ds.Name(), ds.Len(), ds.Shape(), ds.Label(1))
		}
		wantBytes(t, gather(ds), ramp(24))
	}
}

// The buffer grows more than once.
func TestIDXLarge(t *testing.T) {
	payload := ramp(3 * 2000 * 1501)
	if len(payload) < 2*initialRead {
		t.Fatal("the test is too small for its purpose")
	}
	ds := mustOpen(t, write(t, t.TempDir(), "f", idx([]uint32{3, 2000, 1501}, payload)), Options{})
	if a := ds.(*array); !bytes.Equal(a.u8, payload) {
		t.Error("pixels differ")
	}
}

func TestIDXDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a-test-images", idx([]uint32{2, 1, 2}, ramp(4)))
	write(t, dir, "a-test-labels", idx([]uint32{2}, []byte{8, 9}))
	write(t, dir, "b-train-images.gz", gz(idx([]uint32{3, 1, 2}, []byte{9, 8, 7, 6, 5, 4})))
	write(t, dir, "b-train-labels.gz", gz(idx([]uint32{3}, []byte{5, 3, 1})))
	write(t, dir, "c-train-images", idx([]uint32{3, 1, 2}, ramp(6))) // as many, but later by name
	write(t, dir, "README.txt", []byte("not data"))
	ds := mustOpen(t, dir, Options{})
	if ds.Name() != baseName(dir) || ds.Shape() != (Shape{1, 2, 1}) {
		t.Errorf("%s of %v", ds.Name(), ds.Shape())
	}
	wantBytes(t, gather(ds), []byte{9, 8, 7, 6, 5, 4})
	if got := []int{ds.Label(0), ds.Label(1), ds.Label(2)}; !slices.Equal(got, []int{5, 3, 1}) {
		t.Errorf("labels %v", got)
	}
	_, err := Open(t.Context(), dir, Options{Gray: true})
	wantError(t, err, dir, "--gray", "IDX")
}

func TestIDXLabelChoice(t *testing.T) {
	images := []idxFile{{"test-images", 5}, {"train-images", 5}, {"extra", 4}}
	labels := []idxFile{{"a", 5}, {"test-labels", 5}, {"train-labels", 5}}
	if image, label := chooseIDX(images[:2], labels); image.path != "test-images" ||
		label.path != "test-labels" {
		t.Errorf("chose %v and %v", image, label)
	}
	if image, label := chooseIDX(images[1:], labels); image.path != "train-images" ||
		label.path != "train-labels" {
		t.Errorf("chose %v and %v", image, label)
	}
	if _, label := chooseIDX(images[2:], labels); label != nil {
		t.Errorf("chose labels of another length: %v", label)
	}
}

func TestIDXLabelsUnpaired(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "images", idx([]uint32{2, 1, 2}, ramp(4)))
	write(t, dir, "labels", idx([]uint32{3}, ramp(3)))
	var warned string
	ds := mustOpen(t, dir, Options{Warn: func(s string) { warned += s }})
	if ds.Label(0) != -1 || !strings.Contains(warned, "no label file is as long as") {
		t.Errorf("label %d, warning %q", ds.Label(0), warned)
	}
}

func TestIDXErrors(t *testing.T) {
	good := idx([]uint32{3, 2, 2}, ramp(12))
	for name, tc := range map[string]struct {
		b    []byte
		want []string
	}{
		"empty":      {nil, []string{"is empty", "expected an IDX file"}},
		"empty gzip": {gz(nil), []string{"is empty"}},
		"text":       {[]byte("hello, world"), []string{"is text", "expected an IDX file"}},
		"binary": {[]byte{1, 2, 3, 4, 5, 6, 7, 8},
			[]string{"unknown format", "expected an IDX file"}},
		"two bytes":  {[]byte{0, 0}, []string{"unknown format"}},
		"header cut": {good[:10], []string{"ends within its header"}},
		"magic only": {good[:4], []string{"ends within its header"}},
		"pixels cut": {good[:20], []string{"truncated", "4 of the 12 values"}},
		"no pixels":  {good[:16], []string{"truncated", "0 of the 12 values"}},
		"too long": {append(bytes.Clone(good), 1),
			[]string{"continues after the 12 values"}},
		"gzip cut":         {gz(good)[:24], []string{"truncated"}},
		"gzip header cut":  {gz(good)[:5], []string{"damaged or truncated gzip"}},
		"gzip no checksum": {gz(good)[:len(gz(good))-4], []string{"damaged or truncated gzip"}},
		"gzip bad sum":     {flip(gz(good), -6), []string{"damaged or truncated gzip", "checksum"}},
		"float": {flip(good, 2, 0x0D),
			[]string{"IDX file of float32", "expected uint8",
				"numpy.frombuffer(open(f, 'rb').read(), '>f4', offset=16).reshape(3, 2, 2)"}},
		"little-endian": {slices.Concat(good[:4], []byte{3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0},
			good[16:]), []string{"(3 x 2 x 2) in little-endian order"}},
		"labels": {idx([]uint32{3}, ramp(3)), []string{"labels", "expected images"}},
		"matrix": {idx([]uint32{3, 4}, ramp(12)),
			[]string{"2 dimensions (3 x 4)", "M x H x W"}},
		"five dimensions": {idx([]uint32{1, 1, 1, 1, 1}, ramp(1)), []string{"5 dimensions"}},
		"channels": {idx([]uint32{2, 3, 4, 4}, ramp(96)),
			[]string{"2 x 3 x 4 x 4", "4 channels", "expected 1 (gray) or 3 (RGB)"}},
		"no images":  {idx([]uint32{0, 2, 2}, nil), []string{"0 x 2 x 2"}},
		"zero width": {idx([]uint32{2, 2, 0}, nil), []string{"2 x 2 x 0"}},
		"one image": {idx([]uint32{1, 2, 2}, ramp(4)),
			[]string{"holds 1 image", "at least 2"}},
		"gigantic": {idx([]uint32{1<<32 - 1, 1<<32 - 1, 3}, ramp(9)),
			[]string{"more elements than can be addressed"}},
		"four gigantic": {idx([]uint32{1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 3}, ramp(9)),
			[]string{"more elements than can be addressed"}},
		"false promise": {idx([]uint32{1 << 28, 1 << 11, 1 << 11}, ramp(9)),
			[]string{"truncated", "9 of the"}},
		"false gzip": {gz(idx([]uint32{1 << 28, 1 << 11, 1 << 11}, ramp(9))),
			[]string{"truncated", "9 of the"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "file", tc.b)
			_, err := Open(t.Context(), path, Options{})
			wantError(t, err, append(tc.want, path)...)
		})
	}
}

// flip returns a copy of b with byte i (from the end if negative) replaced by v, or inverted.
func flip(b []byte, i int, v ...byte) []byte {
	b = bytes.Clone(b)
	if i < 0 {
		i += len(b)
	}
	b[i] ^= 0xff
	if len(v) > 0 {
		b[i] = v[0]
	}
	return b
}

func TestIDXDirectoryErrors(t *testing.T) {
	good := idx([]uint32{3, 2, 2}, ramp(12))
	for name, files := range map[string]map[string][]byte{
		"damaged.gz": {"damaged.gz": gz(good)[:7], "good": good},
		"cut":        {"cut": good[:14], "other": idx([]uint32{2, 2, 2}, ramp(8))},
		"labels":     {"images": good, "labels": idx([]uint32{3}, ramp(2))},
	} {
		dir := t.TempDir()
		for f, b := range files {
			write(t, dir, f, b)
		}
		_, err := Open(t.Context(), dir, Options{})
		wantError(t, err, dir, name)
	}
}

func TestOptionsRefused(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "file", idx([]uint32{3, 2, 2}, ramp(12)))
	array := write(t, dir, "array", npy(npyDictOf("|u1", "2, 4"), ramp(8)))
	for _, name := range []string{file, array, "digits"} {
		_, err := Open(t.Context(), name, Options{Size: 16})
		wantError(t, err, name, "--size", "pictures in a directory or an archive")
		_, err = Open(t.Context(), name, Options{Gray: true})
		wantError(t, err, name, "--gray")
	}
	for _, size := range []int{-1, maxSize + 1} {
		_, err := Open(t.Context(), "digits", Options{Size: size})
		wantError(t, err, "--size", "expected 1 to 4096")
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(idx([]uint32{3, 2, 2}, ramp(12)))
	f.Add(gz(idx([]uint32{2, 2, 2, 3}, ramp(24))))
	f.Add(idx([]uint32{1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 3}, ramp(9)))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := newSource(t.Context(), "fuzz", bytes.NewReader(b))
		if err != nil {
			return
		}
		compressed := s.gzip
		a, err := readIDXImages(s)
		if err != nil {
			return
		}
		if len(a.u8) != a.m*a.shape.Dim() || a.m < 1 {
			t.Fatalf("%d pixels for %d images of %v", len(a.u8), a.m, a.shape)
		}
		if !compressed && !bytes.HasSuffix(b, a.u8) {
			t.Fatal("the pixels are not the end of the file")
		}
		gather(a)
	})
}
