package table_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/table"
)

// array is a .npy file: its header, and its elements as bytes.
type array struct {
	npy.Header
	elements []byte
}

func readArray(t *testing.T, r io.Reader) (a array) {
	t.Helper()
	var err error
	a.Header, err = npy.ReadHeader(npy.Source{
		Fill: func(buf []byte) error { _, err := io.ReadFull(r, buf); return err },
		Fail: fmt.Errorf,
	})
	if err == nil {
		a.elements, err = io.ReadAll(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func numbers[T any](t *testing.T, a array, dtype string) []T {
	t.Helper()
	size := 1
	for _, d := range a.Dims {
		size *= d
	}
	x := make([]T, size)
	n, err := binary.Decode(a.elements, binary.LittleEndian, x)
	if err != nil || n != len(a.elements) || a.Dtype.Descr != dtype || a.Fortran {
		t.Errorf("%+v, %d of %d bytes, %v", a.Header, n, len(a.elements), err)
	}
	return x
}

// text returns the strings of an array of up to width characters.
func text(t *testing.T, a array, width int) (all []string) {
	t.Helper()
	codes := make([]uint32, len(a.elements)/4)
	if _, err := binary.Decode(a.elements, binary.LittleEndian, codes); err != nil {
		t.Error(err)
	}
	if want := fmt.Sprint("<U", width); a.Dtype.Descr != want {
		t.Errorf("type %q; expected %q", a.Dtype.Descr, want)
	}
	for part := range slices.Chunk(codes, width) {
		runes := []rune{}
		for _, code := range part {
			if code != 0 {
				runes = append(runes, rune(code))
			}
		}
		all = append(all, string(runes))
	}
	return all
}

// A .npz file has an array for each column, in their order, whatever the blocks were.
func TestArraysAreRead(t *testing.T) {
	const rowBytes = 8 + 12 + 8 + 24 + 10 // at least, in the spool
	for n, block := range map[int]int{0: 1, 1: 1, 50: 7, 2*table.SpoolBytes/rowBytes + 99: 4321} {
		c := example(n)
		archive, err := zip.OpenReader(c.write(t, ".npz", block))
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		all := map[string]array{}
		for i, f := range archive.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			all[f.Name] = readArray(t, r)
			if f.Name != columns[i].Name+".npy" || f.Method != zip.Store {
				t.Errorf("member %d is %s, method %d", i, f.Name, f.Method)
			}
			if dims := append([]int{n}, columns[i].Dims...); !slices.Equal(all[f.Name].Dims, dims) {
				t.Errorf("%s: dimensions %v; expected %v", f.Name, all[f.Name].Dims, dims)
			}
		}
		width := func(words []string) int {
			most := 1
			for _, w := range words {
				most = max(most, len([]rune(w)))
			}
			return most
		}
		compare(t, content{
			row:    numbers[int64](t, all["row.npy"], "<i8"),
			z:      numbers[float32](t, all["z.npy"], "<f4"),
			image:  numbers[float32](t, all["image.npy"], "<f4"),
			energy: numbers[float64](t, all["energy.npy"], "<f8"),
			class:  text(t, all["class.npy"], width(c.class)),
			pair:   text(t, all["a pair.npy"], width(c.pair)),
		}, c)
	}
}

// A .npy file is what npy.Write writes, and one of strings holds them all.
func TestArray(t *testing.T) {
	c, dir := example(1001), t.TempDir()
	path := filepath.Join(dir, "x.npy")
	for _, n := range []int{0, 1001} {
		for column, block := range map[int]any{1: c.z[:3*n], 3: c.class[:n]} {
			w, err := table.Create(path, columns[column])
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Append(block); err != nil {
				t.Error(err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			onlyFile(t, path)
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			a := readArray(t, bytes.NewReader(got))
			switch {
			case a.Dims[0] != n:
				t.Errorf("dimensions %v; expected %d", a.Dims, n)
			case n > 0 && column == 3 && !slices.Equal(text(t, a, 9), c.class):
				t.Errorf("%q", text(t, a, 9))
			case n > 0 && column == 1:
				var want bytes.Buffer
				if err := npy.Write(&want, c.z, n, 3); err != nil ||
					!bytes.Equal(got, want.Bytes()) {
					t.Errorf("%q, %v; expected %q", got, err, want.Bytes())
				}
			}
		}
	}
}
