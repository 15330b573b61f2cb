package data

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// openStaying opens data whose rows stay in their file. parts is how many surveys are made of them.
func openStaying(t *testing.T, name string, opt Options, parts int) (*Found, Dataset, error) {
	t.Helper()
	f, err := Find(t.Context(), name, opt)
	if err != nil {
		t.Fatal(err)
	}
	if !f.CanStay() {
		t.Fatalf("%s cannot stay in its file", name)
	}
	f.Stay(inParts(t, parts))
	ds, err := f.Read(t.Context())
	if err == nil {
		t.Cleanup(func() { Close(ds) })
	}
	return f, ds, err
}

func mustStay(t *testing.T, name string, opt Options) Dataset {
	t.Helper()
	_, ds, err := openStaying(t, name, opt, 1)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// payloadOf returns numbers as a dtype stores them.
func payloadOf(t *testing.T, dtype string, values []float64) (b []byte) {
	t.Helper()
	var order binary.AppendByteOrder = binary.LittleEndian
	if dtype[0] == '>' {
		order = binary.BigEndian
	}
	for _, v := range values {
		switch dtype[1:] {
		case "b1", "u1":
			b = append(b, byte(v))
		case "i1":
			b = append(b, byte(int8(v)))
		case "i2", "u2":
			b = order.AppendUint16(b, uint16(int64(v)))
		case "i4", "u4":
			b = order.AppendUint32(b, uint32(int64(v)))
		case "i8", "u8":
			b = order.AppendUint64(b, uint64(int64(v)))
		case "f2": // whole numbers below 2048 are exact
			b = order.AppendUint16(b, half(v))
		case "f4":
			b = order.AppendUint32(b, math.Float32bits(float32(v)))
		case "f8":
			b = order.AppendUint64(b, math.Float64bits(v))
		default:
			t.Fatal(dtype)
		}
	}
	return b
}

// half is the binary16 of a normal number that it can hold, or nearly.
func half(v float64) uint16 {
	if v == 0 {
		return 0
	}
	fraction, exponent := math.Frexp(math.Abs(v))
	h := uint16(exponent+14)<<10 | uint16(math.Round((fraction*2-1)*1024))
	if v < 0 {
		h |= 1 << 15
	}
	return h
}

// sameData compares data in memory with those that stay in a file, and with views of these.
func sameData(t *testing.T, memory, file Dataset) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	idx := []int{0, 1, 2, memory.Len() - 2, memory.Len() - 1, 1, 1}
	for range 50 {
		idx = append(idx, r.IntN(memory.Len()))
	}
	if memory.Len() != file.Len() || memory.Shape() != file.Shape() ||
		memory.Name() != file.Name() || KindOf(memory) != KindOf(file) {
		t.Fatalf("%d of %v, %s; expected %d of %v, %s", file.Len(), file.Shape(), KindOf(file),
			memory.Len(), memory.Shape(), KindOf(memory))
	}
	views := map[string]func(Dataset) Dataset{
		"whole": func(ds Dataset) Dataset { return ds },
		"part":  func(ds Dataset) Dataset { return Subset(ds, idx) },
		"flipped": func(ds Dataset) Dataset {
			both, err := Flipped(ds)
			if err != nil {
				return ds
			}
			return both
		},
	}
	for name, view := range views {
		a, b := view(memory), view(file)
		if !slices.Equal(bits32(gather(a)), bits32(gather(b))) {
			t.Errorf("%s: other numbers", name)
		}
		for i := range a.Len() {
			if a.Label(i) != b.Label(i) || a.Origin(i) != b.Origin(i) {
				t.Fatalf("%s: row %d has another label or origin", name, i)
			}
		}
		if err := Err(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := make([]float32, len(idx)*memory.Shape().Dim())
	want := make([]float32, len(got))
	memory.Gather(want, idx)
	if file.Gather(got, idx); !slices.Equal(bits32(got), bits32(want)) {
		t.Error("rows in another order: other numbers")
	}
	if a, b := fingerprint(t, memory), fingerprint(t, file); a != b {
		t.Errorf("fingerprint %s in the file, %s in memory", b, a)
	}
	a, errA := FingerprintLike(t.Context(), memory, "0123456789abcdef")
	b, errB := FingerprintLike(t.Context(), file, "0123456789abcdef")
	if a != b || errA != nil || errB != nil {
		t.Errorf("earlier fingerprint %s in the file, %s in memory; %v, %v", b, a, errA, errB)
	}
}

// Rows that stay in their file are those in memory, to the bit, and what is said of them is the
// same: values, warnings and errors; whether they are surveyed as one or in parts.
func TestStaying(t *testing.T) {
	type kind struct {
		name, dtype, shape string
		d                  int
		lo, hi             float64
		opt                Options
	}
	var kinds []kind
	for _, dtype := range []string{"|b1", "|u1", "|i1", "<i2", ">i2", "<u2", ">u2", "<i4", ">u4",
		"<i8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"} {
		lo, hi := 0.0, 100.0
		if dtype[1] == 'i' {
			lo = -100
		}
		kinds = append(kinds,
			kind{"plain", dtype, "4500, 3, 2", 6, 0, hi, Options{}},
			kind{"range", dtype, "4500, 3, 2", 6, lo, hi, Options{Range: &[2]float64{-3, 90}}},
			kind{"rows", dtype, "4500, 5", 5, lo, hi, Options{As: Numbers}},
			kind{"signals", dtype, "4200, 4, 2", 8, lo, hi, Options{As: Signals}},
			kind{"cropped", dtype, "4200, 6, 2", 12, lo, hi, Options{As: Signals, Length: 5}},
			kind{"signals with a range", dtype, "50, 7", 7, lo, hi,
				Options{As: Signals, Range: &[2]float64{3, 50}}})
	}
	kinds = append(kinds,
		kind{"wide", "<u2", "9000, 2, 2", 4, 0, 50000, Options{}},
		kind{"refused", "<i4", "9000, 2, 2", 4, -70, 50000, Options{}},
		kind{"long rows", "<f4", "5, 40001", 40001, -1, 1, Options{}},
		kind{"long rows of bytes", "|u1", "5, 40001", 40001, 0, 255, Options{}},
		kind{"long signals", "<i2", "5, 13001, 3", 39003, -900, 900, Options{As: Signals}},
		kind{"cropped long signals", "<f4", "5, 13001, 3", 39003, -9, 9,
			Options{As: Signals, Length: 12000}},
		kind{"one value", "<f4", "5, 4, 4", 16, 3, 3, Options{}},
		kind{"standardised", "<f8", "900, 4, 4", 16, -1.7, 1.7, Options{}},
		kind{"too large", "<f8", "9000, 2, 2", 4, 0, 1e300, Options{}})
	for _, k := range kinds {
		t.Run(k.name+" "+k.dtype, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			var m int
			fmt.Sscan(k.shape, &m)
			values := make([]float64, m*k.d)
			for i := range values {
				values[i] = k.lo + (k.hi-k.lo)*r.Float64()
				if k.dtype[1] != 'f' {
					values[i] = math.Round(values[i])
				}
			}
			path := write(t, t.TempDir(), "x.npy",
				npy(npyDictOf(k.dtype, k.shape), payloadOf(t, k.dtype, values)))
			compareStaying(t, path, k.opt)
		})
	}
}

// compareStaying compares data in memory with the same in their file.
func compareStaying(t *testing.T, path string, opt Options) {
	t.Helper()
	warned := func(list *[]string) Options {
		o := opt
		o.Warn = func(s string) { *list = append(*list, s) }
		return o
	}
	var said, saidStaying []string
	f, err := Find(t.Context(), path, warned(&said))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := f.Read(t.Context())
	for _, parts := range []int{1, 2, 3, 7} {
		saidStaying = nil
		g, file, errFile := openStaying(t, path, warned(&saidStaying), parts)
		if fmt.Sprint(err) != fmt.Sprint(errFile) {
			t.Fatalf("error %v\nin memory %v", errFile, err)
		}
		if !slices.Equal(said, saidStaying) {
			t.Errorf("warnings %q\nin memory %q", saidStaying, said)
		}
		if err != nil {
			continue
		}
		if !reflect.DeepEqual(f.Summary, g.Summary) {
			t.Errorf("%+v\nin memory %+v", g.Summary, f.Summary)
		}
		if g.Bytes >= f.Bytes && f.Bytes > 1000 {
			t.Errorf("%d bytes, in memory %d", g.Bytes, f.Bytes)
		}
		sameData(t, memory, file)
	}
}

// inParts surveys rows in parts, by as many processes, which tell each other of theirs.
func inParts(
	t *testing.T, parts int,
) func(ctx context.Context, u *Unsettled) (Survey, error) {
	return func(ctx context.Context, u *Unsettled) (Survey, error) {
		var all []Survey
		for i := range parts {
			s, err := u.Survey(ctx, Range(u.Blocks()*i/parts, u.Blocks()*(i+1)/parts))
			if err != nil {
				return Survey{}, err
			}
			text, err := json.Marshal(s)
			if err != nil {
				t.Error(err)
			}
			var sent Survey
			if err := json.Unmarshal(text, &sent); err != nil {
				t.Error(err)
			}
			all = append(all, sent)
		}
		slices.Reverse(all) // the order does not matter
		return Merge(all...)
	}
}

// IDX files, alone and in a directory with labels.
func TestStayingIDX(t *testing.T) {
	const m = 5000
	dir := t.TempDir()
	path := write(t, dir, "train-images", idx([]uint32{m, 3, 4}, ramp(m*12)))
	write(t, dir, "train-labels", idx([]uint32{m}, ramp(m)))
	for _, opt := range []Options{{}, {Range: &[2]float64{0, 99}}} {
		compareStaying(t, path, opt)
		compareStaying(t, dir, opt)
	}
	if ds := mustStay(t, dir, Options{}); ds.Label(7) != 7 {
		t.Errorf("label %d", ds.Label(7))
	}
}

// Numbers that are not finite are refused with their place, the first of them.
func TestStayingRefusesNaN(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		values := make([]float64, 9000*4)
		values[5000*4+3], values[8999*4] = bad, math.NaN()
		path := write(t, t.TempDir(), "x.npy",
			npy(npyDictOf("<f4", "9000, 2, 2"), payloadOf(t, "<f4", values)))
		compareStaying(t, path, Options{})
		_, _, err := openStaying(t, path, Options{}, 3)
		wantError(t, err, path, "row 5000, column 3")
	}
}

// Other files are read into memory.
func TestCannotStay(t *testing.T) {
	plain := npy(npyDictOf("<f4", "4, 2, 2"), floats(make([]float32, 16)...))
	fortran := []byte(strings.Replace(string(plain), "False", "True ", 1))
	for name, c := range map[string]struct {
		file []byte
		opt  Options
	}{
		"gzip": {gz(plain), Options{}}, "Fortran": {fortran, Options{}},
		"missing": {plain, Options{Missing: true}}, "longer": {append(plain[:len(plain):len(plain)],
			0), Options{}}, "gzipped IDX": {gz(idx([]uint32{4, 2, 2}, ramp(16))), Options{}},
	} {
		f, err := Find(t.Context(), write(t, t.TempDir(), "x", c.file), c.opt)
		if err != nil {
			t.Fatal(err)
		}
		if f.Stay(nil); f.CanStay() || f.Stays() {
			t.Errorf("%s: can stay in its file", name)
		}
	}
	if f, err := Find(t.Context(), "digits", Options{}); err != nil || f.CanStay() {
		t.Error("embedded data stay in a file", err)
	}
}

// bits32 is the bits of numbers, so that NaN are equal.
func bits32(x []float32) []uint32 {
	bits := make([]uint32, len(x))
	for i, v := range x {
		bits[i] = math.Float32bits(v)
	}
	return bits
}
