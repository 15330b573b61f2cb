package data

import (
	"bytes"
	"image/color"
	"runtime"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

// cases returns the paths of data sets of every format.
func cases(t *testing.T) map[string]string {
	t.Helper()
	labelled, gray, colored, mixed := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	write(t, labelled, "images", idx([]uint32{5, 3, 4}, ramp(60)))
	write(t, labelled, "labels", idx([]uint32{5}, ramp(5)))
	for _, name := range []string{"a.png", "b.png"} {
		write(t, gray, name, pngOf(t, grayOf(5, 4, ramp(20))))
		write(t, colored, name, pngOf(t, flat(5, 4, color.NRGBA{1, 2, 3, 255})))
		write(t, mixed, name, pngOf(t, grayOf(5, 4, ramp(20))))
	}
	write(t, mixed, "c.png", pngOf(t, flat(5, 4, color.NRGBA{1, 2, 3, 255})))
	file := func(name string, b []byte) string { return write(t, t.TempDir(), name, b) }
	return map[string]string{
		"fashion10k": "fashion10k", "digits": "digits",
		"labelled IDX": labelled, "gray pictures": gray, "colored pictures": colored,
		"mixed pictures": mixed,
		"IDX":            file("x", idx([]uint32{5, 3, 4}, ramp(60))),
		"IDX, gzip":      file("x", gz(idx([]uint32{5, 3, 4}, ramp(60)))),
		"bytes":          file("x", npy(npyDictOf("|u1", "3, 2, 4"), ramp(24))),
		"floats":         file("x", npy(npyDictOf("<f4", "2, 3"), floats(0, 1, -1, 0, 1, 0))),
		"floats, gzip":   file("x", gz(npy(npyDictOf("<f4", "2, 3"), floats(0, 1, -1, 0, 1, 0)))),
	}
}

// Find announces the exact size of the data that Read returns.
func TestFind(t *testing.T) {
	for name, path := range cases(t) {
		f, err := Find(t.Context(), path, Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := *f
		ds, err := f.Read(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if ds.Len() != found.Len || ds.Shape() != found.Shape || f.Shape != found.Shape {
			t.Errorf("%s: %d images of %v, found %d of %v", name, ds.Len(), ds.Shape(), found.Len,
				found.Shape)
		}
		if got := reference.ArrayBytes(ds); got != found.Bytes || got != f.Bytes {
			t.Errorf("%s: %d bytes, found %d, then %d", name, got, found.Bytes, f.Bytes)
		}
		if opened := mustOpen(t, path, Options{}); opened.Name() != ds.Name() ||
			fingerprint(t, opened) != fingerprint(t, ds) {
			t.Errorf("%s: Open gives %s, Find and Read %s", name, opened.Name(), ds.Name())
		}
	}
}

// Find refuses a file that is too small for its header.
func TestFindTruncated(t *testing.T) {
	for _, b := range [][]byte{
		idx([]uint32{1 << 28, 1 << 11, 1 << 11}, ramp(9)),
		npy(npyDictOf("<f4", "4194304, 1048576"), ramp(39)),
	} {
		path := write(t, t.TempDir(), "x", b)
		_, err := Find(t.Context(), path, Options{})
		wantError(t, err, path, "truncated: ends after 9 of the")
	}
}

// Pictures that turn out to be gray take a third of the announced memory, and are copied once.
func TestFindHiddenGray(t *testing.T) {
	dir := t.TempDir()
	const n, side = 6, 40
	for i := range n {
		write(t, dir, string(rune('a'+i))+".png",
			pngOf(t, flat(side, side, color.NRGBA{9, 9, 9, 255})))
	}
	f, err := Find(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := *f
	ds, err := f.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := reference.ArrayBytes(ds); found.Shape.C != 3 || ds.Shape().C != 1 ||
		3*got != found.Bytes || found.Loading < got {
		t.Errorf("found %v of %d bytes and %d to load, read %v of %d", found.Shape, found.Bytes,
			found.Loading, ds.Shape(), got)
	}
	if got := reference.ArrayBytes(ds); f.Shape != ds.Shape() || f.Bytes != got {
		t.Errorf("after reading: %v of %d bytes, expected %v of %d", f.Shape, f.Bytes,
			ds.Shape(), got)
	}
}

// Read allocates what Find announces and buffers of 64 KiB. A file whose size confirms its header
// is read into place; otherwise the array is copied as it grows.
func TestLoadingBytes(t *testing.T) {
	const n = 5 * initialRead / 4
	payload := ramp(n)
	file := idx([]uint32{n / 4096, 64, 64}, payload)
	// The end of the file gives the size of the second member only.
	members := append(gz(file[:n/2]), gz(file[n/2:])...)
	for name, c := range map[string]struct {
		b     []byte
		grows bool
	}{"plain": {file, false}, "gzip": {gz(file), false}, "two members": {members, true}} {
		f, err := Find(t.Context(), write(t, t.TempDir(), "x", c.b), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Bytes != n || (f.Loading > 0) != c.grows {
			t.Errorf("%s: found %d bytes and %d to load", name, f.Bytes, f.Loading)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ds, err := f.Read(t.Context())
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ds.(*array).u8, payload) {
			t.Errorf("%s: wrong pixels", name)
		}
		const buffers = 300 << 10
		total := int64(after.TotalAlloc - before.TotalAlloc)
		if most := f.Bytes + 2*f.Loading + buffers; total > most ||
			c.grows && total < f.Bytes+f.Loading/2 {
			t.Errorf("%s: reading allocates %d bytes for %d, and %d to load", name, total,
				f.Bytes, f.Loading)
		}
	}
}
