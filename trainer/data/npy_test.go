package data

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"testing"

	npyfile "github.com/plume-ml/plume/trainer/npy"
)

// NumPy 1.24 wrote the files in testdata.
func TestNumPyFiles(t *testing.T) {
	ds := mustOpen(t, "testdata/u8_3x4x2.npy", Options{})
	if ds.Name() != "u8_3x4x2.npy" || ds.Len() != 3 || ds.Shape() != (Shape{4, 2, 1}) ||
		ds.Label(2) != -1 {
		t.Errorf("%s: %d images of %v, label %d", ds.Name(), ds.Len(), ds.Shape(), ds.Label(2))
	}
	want := make([]byte, 24)
	for i := range want {
		want[i] = byte(10 * i)
	}
	wantBytes(t, gather(ds), want)

	ds = mustOpen(t, "testdata/u8_v2_2x9.npy", Options{})
	if ds.Len() != 2 || ds.Shape() != (Shape{3, 3, 1}) {
		t.Errorf("%d images of %v; expected 2 of 3 x 3, from rows of 9", ds.Len(), ds.Shape())
	}
	wantBytes(t, gather(ds), ramp(18))

	ds = mustOpen(t, "testdata/f32_2x5.npy", Options{Warn: func(s string) { t.Error(s) }})
	if ds.Len() != 2 || ds.Shape() != (Shape{1, 5, 1}) {
		t.Errorf("%d rows of %v; expected 2 of 1 x 5", ds.Len(), ds.Shape())
	}
	for i, v := range gather(ds) {
		if want := float32(i)/8 - 0.5; v != want {
			t.Errorf("value %d is %v; expected %v", i, v, want)
		}
	}

	fortran := mustOpen(t, "testdata/f32_fortran_2x5.npy", Options{})
	for i, v := range gather(fortran) {
		if want := float32(i) / 8; v != want {
			t.Errorf("Fortran order: value %d is %v; expected %v", i, v, want)
		}
	}
}

func TestNPYVariants(t *testing.T) {
	rgb := npy(npyDictOf("|u1", "2, 2, 2, 3"), ramp(24))
	v3 := flip(rgb, 6, 3)
	v3 = slices.Concat(v3[:10], []byte{0, 0}, v3[10:])
	for name, tc := range map[string]struct {
		b     []byte
		shape Shape
	}{
		"rgb":          {rgb, Shape{2, 2, 3}},
		"gzip":         {gz(rgb), Shape{2, 2, 3}},
		"version 3":    {v3, Shape{2, 2, 3}},
		"one channel":  {npy(npyDictOf("|u1", "3, 4, 2, 1"), ramp(24)), Shape{4, 2, 1}},
		"rows":         {npy(npyDictOf("|u1", "2, 12"), ramp(24)), Shape{1, 12, 1}},
		"square rows":  {npy(npyDictOf("<u1", "6, 4"), ramp(24)), Shape{2, 2, 1}},
		"single pixel": {npy(npyDictOf("|u1", "24, 1"), ramp(24)), Shape{1, 1, 1}},
		"other order": {npy(`{"shape":(2,3,4),"fortran_order":False,"descr":"|u1"}`, ramp(24)),
			Shape{3, 4, 1}},
	} {
		ds := mustOpen(t, write(t, t.TempDir(), "x.bin", tc.b), Options{})
		if ds.Shape() != tc.shape || ds.Len()*tc.shape.Dim() != 24 {
			t.Errorf("%s: %d images of %v; expected %v", name, ds.Len(), ds.Shape(), tc.shape)
		}
		wantBytes(t, gather(ds), ramp(24))
	}
}

// More floats than fit the conversion buffer and the first allocation.
func TestNPYLarge(t *testing.T) {
	n := initialRead + 3*5000 + 1
	values := make([]float32, 2*n)
	for i := range values {
		values[i] = float32(i%1000) / 1000
	}
	dict := npyDictOf("<f4", "2, "+joinDims([]int{n}))
	ds := mustOpen(t, write(t, t.TempDir(), "x", npy(dict, floats(values...))), Options{})
	if !slices.Equal(gather(ds), values) {
		t.Error("values differ")
	}
}

func TestNPYErrors(t *testing.T) {
	good := npy(npyDictOf("|u1", "2, 6"), ramp(12))
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for name, tc := range map[string]struct {
		b    []byte
		want []string
	}{
		"magic only":  {good[:6], []string{"ends within its header"}},
		"version cut": {good[:8], []string{"ends within its header"}},
		"header cut":  {good[:30], []string{"ends within its header"}},
		"version 9":   {flip(good, 6, 9), []string{"format version 9"}},
		"long header": {flip(flip(good, 6, 2), 11, 0x7f),
			[]string{"header of", "at most 65536"}},
		"no dictionary": {npy("[1, 2]", nil),
			[]string{`"[1, 2]"`, "descr, fortran_order and shape"}},
		"no header": {append([]byte(npyMagic), 1, 0, 0, 0),
			[]string{"descr, fortran_order and shape"}},
		"negative": {npy(npyDictOf("|u1", "-2, 6"), ramp(12)),
			[]string{"descr, fortran_order and shape"}},
		"complex": {npy(npyDictOf("<c8", "2, 6"), ramp(96)),
			[]string{"complex numbers (<c8)", "numpy.abs(x)"}},
		"objects": {npy(npyDictOf("|O", "2, 6"), ramp(96)),
			[]string{"Python objects", "numpy.stack"}},
		"records": {npy(
			"{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 6), }", nil),
			[]string{"structured dtype, [('x', '<f4')]", "x['NAME']"}},
		"fortran cut": {npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 6), }",
			ramp(11)), []string{"truncated", "11 of the 12 values"}},
		"fortran long": {npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 6), }",
			ramp(13)), []string{"continues after the 12 values"}},
		"fortran sum": {flip(
			gz(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 6), }", ramp(12))), -6),
			[]string{"damaged or truncated gzip file", "checksum"}},
		"fortran NaN": {npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
			floats(0, 0, 0, nan, 0, 0)), []string{"NaN", "row 1, column 1"}},
		"too large": {npy(npyDictOf(">f8", "2, 1"),
			[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0x7e, 0xf0, 0, 0, 0, 0, 0, 0}),
			[]string{"row 1, column 0", "float32 can hold"}},
		"scalar": {npy(npyDictOf("|u1", ""), ramp(1)), []string{"0 dimensions", "M x D"}},
		"vector": {npy(npyDictOf("|u1", "12,"), ramp(12)),
			[]string{"1 dimension (12)", "M x D", "x.reshape(M, D)"}},
		"five": {npy(npyDictOf("|u1", "1, 2, 2, 3, 1"), ramp(12)),
			[]string{"5 dimensions"}},
		"channels first": {npy(npyDictOf("|u1", "2, 3, 8, 8"), ramp(384)),
			[]string{"8 channels", "in the last dimension",
				"x.transpose(0, 2, 3, 1), 2 x 8 x 8 x 3"}},
		"no rows":    {npy(npyDictOf("|u1", "0, 6"), nil), []string{"0 x 6"}},
		"no columns": {npy(npyDictOf("|u1", "6, 0"), nil), []string{"6 x 0"}},
		"one row":    {npy(npyDictOf("|u1", "1, 6"), ramp(6)), []string{"holds 1 image"}},
		"gigantic": {npy(npyDictOf("<f4", "4294967296, 4294967296"), ramp(6)),
			[]string{"more elements than can be addressed"}},
		"unparsable": {npy(npyDictOf("<f4", "99999999999999999999, 2"), ramp(6)),
			[]string{"out of range"}},
		"false promise": {npy(npyDictOf("<f4", "1048576, 1048576"), ramp(6)),
			[]string{"truncated", "1 of the"}},
		"bytes cut": {good[:len(good)-5], []string{"truncated", "7 of the 12 values"}},
		"too long":  {append(bytes.Clone(good), 0), []string{"continues after the 12 values"}},
		"floats cut": {npy(npyDictOf("<f4", "2, 2"), floats(1, 2, 3)),
			[]string{"truncated", "3 of the 4 values"}},
		"NaN": {npy(npyDictOf("<f4", "2, 3"), floats(0, 0, 0, 0, nan, inf)),
			[]string{"NaN", "row 1, column 1"}},
		"Inf": {npy(npyDictOf("<f4", "2, 3"), floats(0, 0, inf, 0, nan, 0)),
			[]string{"-Inf", "row 0, column 2"}},
		"wide": {npy(npyDictOf("|u1", "2, 16777217"), make([]byte, 2*16777217)),
			[]string{"shape of H x W x C = 1 x 16777217 x 1"}},
		"zip": {[]byte("PK\x03\x04abcdefgh"),
			[]string{"damaged or truncated zip archive"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "x.npy", tc.b)
			_, err := Open(t.Context(), path, Options{})
			wantError(t, err, append(tc.want, path)...)
		})
	}
}

func FuzzNPY(f *testing.F) {
	for _, name := range []string{"u8_3x4x2", "f32_2x5", "f32_fortran_2x5", "u8_v2_2x9"} {
		b, err := os.ReadFile("testdata/" + name + ".npy")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(gz(b))
	}
	f.Add(npy(npyDictOf("<f4", "4294967296, 4294967296"), ramp(6)))
	f.Add(npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 1, 3, 1)}", ramp(12)))
	f.Add(npy(npyDictOf("|b1", "3, 4"), ramp(12)))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := newSource(t.Context(), "fuzz", bytes.NewReader(b))
		if err != nil {
			return
		}
		compressed := s.gzip
		a, err := readNPY(s, Options{Warn: func(string) {}})
		if err != nil {
			return
		}
		if len(a.u8)+len(a.f32) != a.m*a.shape.Dim() || a.m < 1 {
			t.Fatalf("%d pixels for %d images of %v", len(a.u8)+len(a.f32), a.m, a.shape)
		}
		if !compressed {
			checkAgainstStrides(t, a, b)
		}
		if a.calibrate(t.Context(), "fuzz", Options{Warn: func(string) {}}) != nil {
			return // integers without a range
		}
		for _, v := range gather(a) {
			if v != v {
				t.Fatal("NaN was let through")
			}
		}
	})
}

// checkAgainstStrides looks up every value in the file by the strides of the array's order.
func checkAgainstStrides(t *testing.T, a *array, b []byte) {
	t.Helper()
	r := bytes.NewReader(b)
	h, err := npyfile.ReadHeader(npyfile.Source{
		Fill: func(buf []byte) error { _, err := io.ReadFull(r, buf); return err },
		Fail: fmt.Errorf,
	})
	if err != nil {
		t.Fatal(err)
	}
	payload := b[len(b)-r.Len():]
	strides := make([]int, len(h.Dims))
	step := h.Dtype.Width
	for k := range strides {
		if !h.Fortran {
			k = len(strides) - 1 - k
		}
		strides[k] = step
		step *= h.Dims[k]
	}
	for i := range a.m * a.shape.Dim() {
		at, rest := 0, i
		for k := len(h.Dims) - 1; k >= 0; k-- {
			at += rest % h.Dims[k] * strides[k]
			rest /= h.Dims[k]
		}
		var want [1]float64
		h.Dtype.Decode(want[:], payload[at:at+h.Dtype.Width])
		if a.u8 != nil && float64(a.u8[i]) != want[0] ||
			a.u8 == nil && a.f32[i] != float32(want[0]) {
			t.Fatalf("value %d is not %v", i, want[0])
		}
	}
}
