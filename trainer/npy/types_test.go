package npy_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/npy"
)

// recorded is the content of types.json, written by testdata/make.py.
type recorded struct {
	Values  map[string][]string `json:"values"`
	Halfs   string              `json:"finite_halfs_sha256"`
	Headers []string            `json:"float32_headers"` // a rune for each byte
}

func record(t *testing.T) (r recorded) {
	t.Helper()
	b, err := os.ReadFile("testdata/types.json")
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every type that is read, in both byte orders, both layouts and all format versions, as written by
// NumPy.
func TestTypesOfNumPy(t *testing.T) {
	want := record(t).Values
	archive, err := zip.OpenReader("testdata/types.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		h, err := npy.ReadHeader(source(r))
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		parts := strings.Split(path.Dir(f.Name), "/") // type, byte order, layout
		wide := h.Dtype.Width > 1
		if h.Dtype.Name() != parts[0] || h.Fortran != (parts[2] == "F") ||
			h.Dtype.Big != (wide && parts[1] == "big") ||
			!slices.Equal(h.Dims, []int{2, 3, 2}) || h.Dtype.Refusal() != nil {
			t.Errorf("%s: header %+v", f.Name, h)
		}
		got := make([]float64, 12)
		n, err := h.Dtype.Blocks(r, 12, func(first int, values []float64) {
			copy(got[first:], values)
		})
		if n != 12 || err != nil {
			t.Fatalf("%s: read %d, %v", f.Name, n, err)
		}
		for i, text := range want[parts[0]] {
			at := i
			if h.Fortran { // the last index of 2 x 3 x 2 varies slowest
				at = i/6 + i/2%3*2 + i%2*6
			}
			if v, err := strconv.ParseFloat(text, 64); err != nil ||
				math.Float64bits(v) != math.Float64bits(got[at]) {
				t.Errorf("%s: value %d is %v; expected %v", f.Name, i, got[at], v)
			}
		}
	}
	if len(archive.File) != (9*2+3)*2*3 {
		t.Errorf("%d files", len(archive.File))
	}
}

// All finite half-precision numbers, compared with NumPy's by a hash.
func TestHalfs(t *testing.T) {
	half := npy.Dtype{Kind: npy.Float, Width: 2}
	v := make([]float64, 1)
	var all []byte
	for bits := range 1 << 16 {
		half.Decode(v, binary.LittleEndian.AppendUint16(nil, uint16(bits)))
		special := bits&0x7c00 == 0x7c00
		switch {
		case special && bits&0x3ff != 0 && !math.IsNaN(v[0]),
			special && bits&0x3ff == 0 && !math.IsInf(v[0], 1-bits>>15*2):
			t.Errorf("%04x is %v", bits, v[0])
		case !special:
			all = binary.LittleEndian.AppendUint32(all, math.Float32bits(float32(v[0])))
		}
	}
	if sum := sha256.Sum256(all); hex.EncodeToString(sum[:]) != record(t).Halfs {
		t.Error("not NumPy's numbers")
	}
}

// Every byte except 0 is true, as in NumPy.
func TestTruth(t *testing.T) {
	v := make([]float64, 4)
	npy.Dtype{Kind: npy.Bool, Width: 1}.Decode(v, []byte{0, 1, 7, 255})
	if !slices.Equal(v, []float64{0, 1, 1, 1}) {
		t.Errorf("%v", v)
	}
}

// header1 returns a .npy header of version 1 with the dictionary.
func header1(dict string) []byte {
	head := []byte(npy.Magic + "\x01\x00")
	head = binary.LittleEndian.AppendUint16(head, uint16(len(dict)))
	return append(head, dict...)
}

// Headers as various programs write them.
func TestHeaders(t *testing.T) {
	for _, dict := range []string{
		"{'descr': '<f4', 'fortran_order': False, 'shape': (24, 8, 8), }                      \n",
		// Python 2 on Windows
		"{'descr': '<f4', 'fortran_order': False, 'shape': (24L, 8L, 8L), }\n",
		"{'shape': (24, 8, 8), 'fortran_order': False, 'descr': '<f4'}",
		`{"descr":"<f4","fortran_order":False,"shape":(24,8,8)}`,
		"{\"descr\"\t:\"<f4\" ,'fortran_order':False,\n'shape':( 24 , 8,8 ,)}",
		"{u'descr': u'<f4', u'fortran_order': False, u'shape': [24, 8, 8]}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (24, 8, 8), 'more': [('x', (1, 2))]}",
	} {
		h, err := npy.ReadHeader(source(bytes.NewReader(header1(dict))))
		if err != nil || !slices.Equal(h.Dims, []int{24, 8, 8}) || h.Fortran ||
			h.Dtype.String() != "float32" {
			t.Errorf("%q: %+v, %v", dict, h, err)
		}
	}
}

func TestBadHeaders(t *testing.T) {
	for dict, want := range map[string]string{
		"":          "ends too soon",
		"[1, 2]":    "no dictionary",
		"{'descr'}": "no value follows",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)":    "no comma follows",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4":     "no comma stands",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3, -4)}":  "not negative",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3, '4')}": "not negative",
		"{'descr': '<f4', 'fortran_order': False, 'shape': 3}":        "shape is missing",
		"{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4)}":       "neither True nor False",
		"{'fortran_order': False, 'shape': (3, 4)}":                   "descr is missing",
		"{'descr': '<f4', 'descr': '<f8'}":                            "twice",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} +": "follows the dictionary",

		"{'descr': '<f4', 'fortran_order': False, 'shape': (9" + nines + ")}": "out of range",
		"{'descr': '<f4":                       "no end",
		"{'descr': " + strings.Repeat("(", 99): "nested too deeply",
		"{'descr': -}":                         "invalid syntax",
	} {
		_, err := npy.ReadHeader(source(bytes.NewReader(header1(dict))))
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "descr, fortran_order and shape") {
			t.Errorf("%q: %v; expected %q", dict, err, want)
		}
	}
	long := append([]byte(npy.Magic+"\x02\x00"), 0, 0, 1, 1)
	if _, err := npy.ReadHeader(source(bytes.NewReader(long))); err == nil ||
		!strings.Contains(err.Error(), "at most 65536") {
		t.Errorf("a header of 16 MiB: %v", err)
	}
}

var nines = strings.Repeat("9", 30)

// The errors of types that are not read contain a line of NumPy that converts them.
func TestRefusals(t *testing.T) {
	for descr, want := range map[string]string{
		"'<c8'": "numpy.abs(x)", "'|O'": "numpy.stack", "'<U7'": "strings", "'|S3'": "strings",
		"'<M8[ns]'": "dates", "'|V2'": "bfloat16",
		"[('x', '<f4'), ('y', '<i2', (2,))]": "x['NAME']", "('<f4', (3,))": "x['NAME']",
		"'<f16'": "long double", "''": "dtype",
		"'f4'": `dtype "f4"`, "'=i4'": "astype", "'|f8'": "astype", "'<f3'": "dtype",
		"'<b2'": "dtype", "None": "descr", "7": "astype",
	} {
		dict := "{'descr': " + descr + ", 'fortran_order': False, 'shape': (3, 4)}"
		h, err := npy.ReadHeader(source(bytes.NewReader(header1(dict))))
		if err == nil {
			err = h.Dtype.Refusal()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; expected %q", descr, err, want)
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, dict := range []string{
		"{'descr': '<f4', 'fortran_order': False, 'shape': (24, 8, 8), }",
		"{'descr': [('x', '<f4')], 'fortran_order': True, 'shape': (24L,)}",
		`{"descr":"|O","fortran_order":False,"shape":()}`,
		"{'a': {'b': -1}}",
		"((((",
		"{'descr': u'>i8'",
	} {
		f.Add(header1(dict))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := npy.ReadHeader(source(bytes.NewReader(b)))
		if err != nil {
			return
		}
		if (h.Dtype.Width == 0) != (h.Dtype.Refusal() != nil) || h.Dtype.Width > 8 ||
			h.Dtype.Name() == "" {
			t.Errorf("%+v", h)
		}
		for _, d := range h.Dims {
			if d < 0 {
				t.Errorf("dimensions %v", h.Dims)
			}
		}
	})
}
