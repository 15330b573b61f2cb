package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// idx returns an IDX file of bytes.
func idx(dims []uint32, payload []byte) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, payload...)
}

const npyMagic = "\x93NUMPY"

// npy returns a .npy file of format version 1.
func npy(dict string, payload []byte) []byte {
	dict += "\n"
	b := append([]byte(npyMagic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	return append(append(b, dict...), payload...)
}

func npyDictOf(dtype, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, shape)
}

func floats(v ...float32) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// ramp returns 0, 1, 2, ..., n-1 modulo 256.
func ramp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// write writes a file below dir, creating directories, and returns its path.
func write(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustOpen(t testing.TB, name string, opt Options) Dataset {
	t.Helper()
	ds, err := Open(t.Context(), name, opt)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// wantError fails the test unless the text of err contains all of the parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; expected one with %q", parts)
	}
	if !strings.HasPrefix(err.Error(), "data: ") {
		t.Errorf("error without the prefix of the package: %v", err)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

// gather returns all pixels of a data set.
func gather(ds Dataset) []float32 {
	dst := make([]float32, ds.Len()*ds.Shape().Dim())
	ds.Gather(dst, Range(0, ds.Len()))
	return dst
}

// ulp1 is the spacing of float32 between 1 and 2. Scaling a byte rounds values up to 2 twice.
const ulp1 = 0x1p-23

// wantBytes fails the test unless the pixels are v/127.5 - 1 for the bytes v.
func wantBytes(t *testing.T, got []float32, want []byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d pixels; expected %d", len(got), len(want))
	}
	for i, v := range want {
		if exact := float64(v)/127.5 - 1; math.Abs(float64(got[i])-exact) > 2*ulp1 || got[i] > 1 ||
			got[i] < -1 {
			t.Fatalf("pixel %d is %v; expected %v for byte %d", i, got[i], exact, v)
		}
	}
}

func fingerprint(t testing.TB, ds Dataset) string {
	t.Helper()
	f, err := Fingerprint(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
