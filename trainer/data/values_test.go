package data

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/internal/reference"
)

// encode returns an array of n numbers of a type, 2 x n/2.
func encode(dtype string, values ...float64) []byte {
	var payload []byte
	for _, v := range values {
		switch dtype {
		case "|u1", "|b1", "|i1":
			payload = append(payload, byte(int(v)))
		case "<u2", "<i2":
			payload = binary.LittleEndian.AppendUint16(payload, uint16(int(v)))
		case ">i4":
			payload = binary.BigEndian.AppendUint32(payload, uint32(int(v)))
		case "<i8":
			payload = binary.LittleEndian.AppendUint64(payload, uint64(int(v)))
		case "<f4":
			payload = binary.LittleEndian.AppendUint32(payload, math.Float32bits(float32(v)))
		case ">f8":
			payload = binary.BigEndian.AppendUint64(payload, math.Float64bits(v))
		default:
			panic(dtype)
		}
	}
	return npy(npyDictOf(dtype, "2, "+joinDims([]int{len(values) / 2})), payload)
}

// read reads a file with the given content. It also returns the warnings.
func read(t *testing.T, b []byte, opt Options) (*Found, Dataset, string, error) {
	t.Helper()
	var warned strings.Builder
	opt.Warn = func(s string) { warned.WriteString(s + "\n") }
	f, err := Find(t.Context(), write(t, t.TempDir(), "x.npy", b), opt)
	if err != nil {
		return nil, nil, warned.String(), err
	}
	ds, err := f.Read(t.Context())
	return f, ds, warned.String(), err
}

// Without Options.Range, suspicious values cause a warning that names a remedy.
func TestSuspectValues(t *testing.T) {
	for _, c := range []struct {
		dtype  string
		values []float64
		remedy string // the flag; none if empty
	}{
		{"|u1", []float64{0, 1, 1, 0}, "--range 0,1 "},
		{"|u1", []float64{0, 2, 1, 0}, "--range 0,3 "},
		{"|u1", []float64{0, 16, 1, 0}, "--range 0,16 "},
		{"|u1", []float64{0, 15, 1, 0}, "--range 0,15 "},
		{"|u1", []float64{0, 31, 1, 0}, "--range 0,31 "},
		{"|u1", []float64{0, 63, 1, 0}, "--range 0,63 "},
		{"|u1", []float64{0, 64, 1, 0}, ""}, // dark, but a quarter of the range
		{"|u1", []float64{0, 100, 1, 0}, "--range 0,100 "},
		{"|u1", []float64{0, 127, 1, 0}, "--range 0,127 "},
		{"|u1", []float64{0, 255, 1, 0}, ""},
		{"|u1", []float64{200, 231, 210, 215}, "--range 200,231 "},
		{"|u1", []float64{200, 232, 210, 215}, ""},
		{"|u1", []float64{1, 1, 1, 1}, "nothing to learn"},
		{"|b1", []float64{0, 1, 1, 0}, ""}, // black and white by type
		{"<i8", []float64{0, 255, 1, 0}, ""},
		{"<i8", []float64{0, 1, 1, 0}, "--range 0,1 "},
		{"|i1", []float64{0, 127, 1, 0}, "--range 0,127 "},
		{"<u2", []float64{0, 65535, 1, 0}, ""},
		{"<u2", []float64{0, 16384, 1, 0}, ""},
		{"<u2", []float64{0, 16383, 1, 0}, "--range 0,16383 "},
		{"<u2", []float64{0, 4000, 1, 0}, "--range 0,4095 "},
		{"<u2", []float64{0, 1000, 1, 0}, "--range 0,1023 "},
		{"<u2", []float64{0, 255, 1, 0}, ""}, // bytes
		{"<u2", []float64{0, 16, 1, 0}, "--range 0,16 "},
		{"<f4", []float64{0, 0.5, 1, 1}, "--range 0,1 "},
		{"<f4", []float64{0.1, 0.5, 0.8, 0.7}, "--range 0,1 "},
		{">f8", []float64{0, 0.5, 1.5, 1}, "--range 0,1.5 "},
		{"<f4", []float64{0, 16, 3, 1}, "--range 0,16 "},
		{"<f4", []float64{0, 255, 3, 1}, "--range 0,255 "},
		{"<f4", []float64{0, 60.5, 3, 1}, "--range 0,255 "},
		{"<f4", []float64{0, 100, 3, 1}, "--range 0,100 "},
		{"<f4", []float64{0, 256, 3, 1}, "--range 0,256 or --range 0,65535"},
		{"<f4", []float64{0, 4000, 3, 1}, "--range 0,4095 or --range 0,65535"},
		{"<f4", []float64{0, 255, -3, 1}, "--range -3,255 "},
		{"<f4", []float64{-2, 0.5, -1, 1}, "--range -2,1 "},
		{"<f4", []float64{-1.2345, 1.3454, -0.8, 0.7},
			"seem to be standardised; give --range -1.24,1.35 "},
		{"<f4", []float64{-0.5, 0.5, 0, 0.1}, "--range -0.5,0.5 "},
		{"<f4", []float64{-0.1, 0.12, 0, 0.1}, "--range -0.101,0.12 "},
		{"<f4", []float64{-1, 0.5, -1, 1}, ""},
		{"<f4", []float64{-0.1, 0.5, 0, 1}, ""},
		{"<f4", []float64{7, 7, 7, 7}, "nothing to learn"},
	} {
		_, _, warned, err := read(t, encode(c.dtype, c.values...), Options{})
		if err != nil || (c.remedy == "") != (warned == "") ||
			!strings.Contains(warned, c.remedy) ||
			c.remedy != "" && (!strings.Contains(warned, "values range from ") ||
				!strings.Contains(warned, "x.npy")) {
			t.Errorf("%s %v: warned of %q, %v; expected %q", c.dtype, c.values, warned,
				err, c.remedy)
		}
	}
}

// The remedy that a warning proposes silences it, and maps the values into [-1, 1].
func TestRemedyWorks(t *testing.T) {
	for _, c := range []struct {
		dtype  string
		ends   [2]float64
		values []float64
	}{
		{"|u1", [2]float64{0, 16}, []float64{0, 16, 1, 4}},
		{"<u2", [2]float64{0, 4095}, []float64{0, 4095, 1, 4}},
		{"<f4", [2]float64{0, 1}, []float64{0, 0.25, 1, 0.125}},
		{">f8", [2]float64{-1.24, 1.35}, []float64{-1.2345, 1.3454, -0.8, 0.7}},
		{">i4", [2]float64{-300, 1e9}, []float64{-300, 1e9, 7, 8}},
		{"|i1", [2]float64{-128, 127}, []float64{-128, 127, 7, 8}},
		{"|b1", [2]float64{0, 1}, []float64{0, 1, 1, 0}},
		// The value is mapped before it is rounded.
		{"<i8", [2]float64{1e9, 1e9 + 4}, []float64{1e9, 1e9 + 1, 1e9 + 2, 1e9 + 4}},
	} {
		f, ds, warned, err := read(t, encode(c.dtype, c.values...), Options{Range: &c.ends})
		if err != nil || warned != "" {
			t.Fatalf("%s %v: %v, warned of %q", c.dtype, c.ends, err, warned)
		}
		if f.Summary.Range != c.ends ||
			f.Summary.Values != [2]float64{slices.Min(c.values), slices.Max(c.values)} {
			t.Errorf("%s: summary of %v, %v", c.dtype, f.Summary.Values, f.Summary.Range)
		}
		for i, v := range gather(ds) {
			if want := float32((c.values[i]-c.ends[0])/(c.ends[1]-c.ends[0])*2 - 1); v != want ||
				v < -1 || v > 1 {
				t.Errorf("%s: value %d is %v; expected %v", c.dtype, i, v, want)
			}
		}
	}
}

// The default range depends on the type.
func TestRangesByType(t *testing.T) {
	for _, c := range []struct {
		dtype  string
		values []float64
		ends   [2]float64
	}{
		{"|u1", []float64{0, 255, 51, 100}, [2]float64{0, 255}},
		{"<i8", []float64{0, 255, 51, 100}, [2]float64{0, 255}},
		{">i4", []float64{0, 200, 51, 100}, [2]float64{0, 255}},
		{"<u2", []float64{0, 200, 51, 100}, [2]float64{0, 255}},
		{"<u2", []float64{0, 65535, 51, 256}, [2]float64{0, 65535}},
		{"|b1", []float64{0, 1, 9, 1}, [2]float64{0, 1}},
		{"<f4", []float64{-1, 1, 0.5, 0.3}, [2]float64{-1, 1}},
	} {
		f, ds, warned, err := read(t, encode(c.dtype, c.values...), Options{})
		if err != nil || warned != "" || f.Summary.Range != c.ends {
			t.Errorf("%s: range %v, %v, warned of %q", c.dtype, f.Summary.Range, err, warned)
			continue
		}
		for i, v := range gather(ds) {
			x := c.values[i]
			if c.dtype == "|b1" {
				x = min(x, 1)
			}
			if want := (x-c.ends[0])/(c.ends[1]-c.ends[0])*2 -
				1; math.Abs(float64(v)-want) > 2*ulp1 {
				t.Errorf("%s: value %d is %v; expected %v", c.dtype, i, v, want)
			}
		}
	}
	for dtype, values := range map[string][]float64{
		"<i2": {-5, 300, 7, 9}, ">i4": {0, 256, 7, 9}, "<i8": {0, 70000, 7, 9},
		"|i1": {-1, 100, 7, 9},
	} {
		_, _, _, err := read(t, encode(dtype, values...), Options{})
		wantError(t, err, "x.npy", "holds integers", "cannot be told", "--range ")
	}
}

// Find announces the exact memory of arrays of every type.
func TestFoundIsRead(t *testing.T) {
	for dtype, perNumber := range map[string]int64{
		"|u1": 1, "|b1": 1, "|i1": 4, "<u2": 4, "<i2": 4, ">i4": 4, "<i8": 4, "<f4": 4, ">f8": 4,
	} {
		b := encode(dtype, 0, 1, 0, 1, 1, 0)
		for name, b := range map[string][]byte{
			"C": b, "gzip": gz(b), "Fortran": bytes.Replace(b, []byte("False"), []byte("True "), 1),
		} {
			for _, r := range []*[2]float64{nil, {0, 1}} {
				opt := Options{Range: r}
				f, err := Find(t.Context(), write(t, t.TempDir(), "x.npy", b), opt)
				if err != nil {
					t.Fatal(err)
				}
				found := *f
				ds, err := f.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := reference.ArrayBytes(ds); got != 6*perNumber || found.Bytes != got ||
					f.Bytes != got {
					t.Errorf("%s, %s: %d bytes, found %d, then %d", dtype, name, got,
						found.Bytes, f.Bytes)
				}
			}
		}
	}
}

// Bytes stay bytes with Options.Range. A table of the default range has the bits of the kernel.
func TestByteTable(t *testing.T) {
	values := make([]float64, 256)
	for i := range values {
		values[i] = float64(i)
	}
	want := make([]float32, 256)
	kernel.U8ToF32(want, ramp(256))
	for _, r := range []*[2]float64{nil, {0, 255}} {
		_, ds, _, err := read(t, encode("|u1", values...), Options{Range: r})
		if err != nil || !slices.Equal(gather(ds), want) {
			t.Errorf("range %v: %v, bits differ from those of the kernel", r, err)
		}
	}
	_, ds, warned, err := read(t, encode("|u1", values...), Options{Range: &[2]float64{10, 20}})
	if err != nil || !bytes.Equal(ds.(*array).u8, ramp(256)) {
		t.Fatalf("%v, wrong bytes", err)
	}
	if !strings.Contains(warned,
		"245 of 256 values lie outside --range 10,20 (they range from 0 to 255)") {
		t.Errorf("warned of %q", warned)
	}
	for i, v := range gather(ds) {
		if w := float32(float64(i-10)/10*2 - 1); v != w {
			t.Errorf("byte %d is %v; expected %v", i, v, w)
		}
	}
}

// Options.Range and the warnings apply to pictures, too.
func TestRangeOfPictures(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.png", pngOf(t, grayOf(2, 2, []byte{0, 1, 1, 0})))
	write(t, dir, "b.png", pngOf(t, flat(2, 2, color.NRGBA{1, 1, 1, 255})))
	var warned string
	mustOpen(t, dir, Options{Warn: func(s string) { warned += s }})
	if !strings.Contains(warned, "values range from 0 to 1; ") ||
		!strings.Contains(warned, "--range 0,1 ") {
		t.Errorf("warned of %q", warned)
	}
	ds := mustOpen(t, dir, Options{Range: &[2]float64{0, 1}, Warn: func(s string) { t.Error(s) }})
	if got := gather(ds); !slices.Equal(got, []float32{-1, 1, 1, -1, 1, 1, 1, 1}) {
		t.Errorf("pixels %v", got)
	}
}

func TestRangeErrors(t *testing.T) {
	for _, r := range [][2]float64{{1, 1}, {2, 1}, {math.NaN(), 1}, {0, math.Inf(1)},
		{-math.MaxFloat64, math.MaxFloat64}} {
		_, _, _, err := read(t, encode("|u1", 0, 1), Options{Range: &r})
		wantError(t, err, "--range", "the first below the second")
	}
	_, err := Open(t.Context(), "digits", Options{Range: &[2]float64{0, 16}})
	wantError(t, err, "digits", "--range", "embedded")
	_, _, _, err = read(t, encode("|u1", 0, 255), Options{Range: &[2]float64{0, 5e-324}})
	wantError(t, err, "--range 0,5e-324", "float32 can hold")
	_, _, _, err = read(t, encode("<f4", 0, 3e38), Options{Range: &[2]float64{0, 1e-3}})
	wantError(t, err, "--range 0,0.001 maps", "row 1, column 0", "float32 can hold")
}

func FuzzRange(f *testing.F) {
	f.Add([]byte{0, 1, 16, 3}, byte('u'), 0.0, 16.0)
	f.Add([]byte{0, 0, 128, 63, 0, 0, 0, 0}, byte('f'), -1.0, 0.5)
	f.Add([]byte{9, 200, 7, 1}, byte('i'), -1e300, 1e300)
	f.Add([]byte{9, 200}, byte('b'), 1e300, 1.0000001e300)
	f.Fuzz(func(t *testing.T, b []byte, kind byte, lo, hi float64) {
		descr := map[byte]string{'u': "|u1", 'f': "<f4", 'i': ">i2", 'b': "|b1"}[kind]
		width := map[byte]int{'u': 1, 'f': 4, 'i': 2, 'b': 1}[kind]
		if width == 0 || len(b) < 2*width {
			return
		}
		n := len(b) / (2 * width)
		opt := Options{Range: &[2]float64{lo, hi}, Warn: func(string) {}}
		if opt.checkRange() != nil {
			return
		}
		file := npy(npyDictOf(descr, "2, "+joinDims([]int{n})), b[:2*n*width])
		s, err := newSource(t.Context(), "fuzz", bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		a, err := readNPY(s, opt)
		if err != nil {
			return
		}
		if err := a.calibrate(t.Context(), "fuzz", opt); err != nil {
			t.Fatal(err)
		}
		values := a.stored.values
		for _, v := range gather(a) {
			inside := values[0] >= lo && values[1] <= hi
			if v != v || inside && (v < -1 || v > 1) {
				t.Fatalf("%v of values %v with range %v to %v", v, values, lo, hi)
			}
		}
	})
}
