package npy_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/npy"
)

func write(t *testing.T, x []float32, dims ...int) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := npy.Write(&file, x, dims...); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestWrittenIsRead(t *testing.T) {
	for _, dims := range [][]int{{24}, {4, 6}, {2, 3, 4}, {3, 2, 2, 2}, {24, 1}, {9, 1001}} {
		size := 1
		for _, d := range dims {
			size *= d
		}
		x := make([]float32, size)
		for i := range x {
			x[i] = float32(i)*0.3 - 2
		}
		x[5], x[6] = float32(math.Inf(-1)), math.SmallestNonzeroFloat32
		file := bytes.NewReader(write(t, x, dims...))
		h, err := npy.ReadHeader(source(file))
		if err != nil || h.Dtype.String() != "float32" || h.Fortran || !slices.Equal(h.Dims, dims) {
			t.Fatalf("%v: header %v, %v", dims, h, err)
		}
		values := make([]float32, size)
		n, err := npy.ReadFloats(file, h.Dtype, values)
		if n != size || err != nil || !slices.Equal(values, x) || file.Len() != 0 {
			t.Errorf("%v: read %d, %v: %v", dims, n, err, values)
		}
	}
}

// Write writes the bytes that NumPy writes.
func TestWriteAsNumPy(t *testing.T) {
	archive, err := zip.OpenReader("testdata/types.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	f, err := archive.Open("float32/little/C/1.npy")
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	r := record(t)
	var x []float32
	for _, text := range r.Values["float32"] {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		x = append(x, float32(v))
	}
	if got := write(t, x, 2, 3, 2); !bytes.Equal(got, want) {
		t.Errorf("%q; expected %q", got, want)
	}
}

// Headers of short and of long shapes have the bytes that NumPy writes.
func TestHeadersAsNumPy(t *testing.T) {
	headers := record(t).Headers
	for _, text := range headers {
		var want []byte
		for _, r := range text {
			want = append(want, byte(r))
		}
		h, err := npy.ReadHeader(source(bytes.NewReader(want)))
		if err != nil {
			t.Fatal(err)
		}
		size := 1
		for _, d := range h.Dims {
			size *= d
		}
		got := write(t, make([]float32, size), h.Dims...)
		if got = got[:len(got)-4*size]; !bytes.Equal(got, want) {
			t.Errorf("%v: %q; expected %q", h.Dims, got, want)
		}
	}
	if len(headers) != 10 {
		t.Errorf("%d shapes", len(headers))
	}
}

// failing is a writer that fails after this number of writes.
type failing int

func (f *failing) Write(b []byte) (int, error) {
	if *f--; *f < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestWriteErrors(t *testing.T) {
	for n := range failing(4) {
		w := n
		err := npy.Write(&w, make([]float32, 5000), 5000) // a header and two blocks
		if n < 3 && err != io.ErrClosedPipe || n == 3 && err != nil {
			t.Errorf("%v when write %d fails", err, n+1)
		}
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	x := []float32{1, 2, 3, 4, 5, 6}
	if err := npy.WriteFile(path, x, 2, 3); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, write(t, x, 2, 3)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	err := npy.WriteFile(filepath.Join(path, "none.npy"), x, 6)
	if err == nil || !strings.Contains(err.Error(), "none.npy") {
		t.Errorf("%v, expected one with the path", err)
	}
}

func TestWritePanics(t *testing.T) {
	for _, dims := range [][]int{{}, {3}, {0, 2}, {2, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic at dimensions %v", dims)
				}
			}()
			npy.Write(io.Discard, make([]float32, 2), dims...)
		}()
	}
	for name, call := range map[string]func(){
		"dimensions": func() { npy.NewHeader(npy.Int64, 2, -1) },
		"width":      func() { npy.Text(0) },
		"string":     func() { npy.AppendText(nil, "long", 3) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic: %s", name)
				}
			}()
			call()
		}()
	}
}

// Arrays of other types have the bytes that numpy.save writes, of numpy.array([1, -2]), [1, -2.5],
// ['a', 'bcd', 'é😀', ”], and an empty array of strings.
func TestTypesAsNumPy(t *testing.T) {
	head := func(descr, shape string) string {
		dict := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + ",), }"
		return npy.Magic + "\x01\x00v\x00" + dict + strings.Repeat(" ", 'v'-1-len(dict)) + "\n"
	}
	var text []byte
	for _, s := range []string{"a", "bcd", "é😀", ""} {
		text = npy.AppendText(text, s, 3)
	}
	for _, c := range []struct {
		header, elements []byte
		want             string
	}{
		{
			npy.NewHeader(npy.Int64, 2), little([]int64{1, -2}),
			head("<i8", "2") + "\x01\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff\xff\xff\xff\xff",
		},
		{
			npy.NewHeader(npy.Float64, 2), little([]float64{1, -2.5}),
			head("<f8", "2") + "\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x04\xc0",
		},
		{
			npy.NewHeader(npy.Text(3), 4), text,
			head("<U3", "4") + "a" + strings.Repeat("\x00", 11) + "b\x00\x00\x00c\x00\x00\x00" +
				"d\x00\x00\x00\xe9\x00\x00\x00\x00\xf6\x01\x00" + strings.Repeat("\x00", 16),
		},
		{npy.NewHeader(npy.Text(1), 0), nil, head("<U1", "0")},
	} {
		if got := string(c.header) + string(c.elements); got != c.want {
			t.Errorf("%q; expected %q", got, c.want)
		}
	}
}

// little encodes numbers in little-endian order.
func little(x any) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, x)
	if err != nil {
		panic(err)
	}
	return b
}

// The length of a header does not depend on the first dimension, so that it can be overwritten.
func TestHeaderLength(t *testing.T) {
	for _, rest := range [][]int{nil, {3}, {28, 28, 1}} {
		dims := append([]int{0}, rest...)
		short := npy.NewHeader(npy.Float32, dims...)
		dims[0] = math.MaxInt
		if long := npy.NewHeader(npy.Float32, dims...); len(long) != len(short) {
			t.Errorf("%v: %d and %d bytes", rest, len(short), len(long))
		}
	}
}
