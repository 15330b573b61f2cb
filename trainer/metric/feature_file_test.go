package metric

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/npy"
)

// The files of testdata were written by NumPy 1.24.
func TestReadFeatures(t *testing.T) {
	want := make([]float32, 12)
	for i := range want {
		want[i] = float32(i)/8 - 0.5
	}
	for _, name := range []string{"features_f32_4x3.npy", "features_f64_4x3.npy"} {
		f := must[*Features](t)(ReadFeatures(filepath.Join("testdata", name)))
		if f.N != 4 || f.K != 3 || !slices.Equal(f.X, want) {
			t.Errorf("%s holds %d x %d: %v", name, f.N, f.K, f.X)
		}
	}
}

// The same numbers as those of testdata, big-endian.
func TestFeatureTypes(t *testing.T) {
	b, err := os.ReadFile("testdata/features_f32_4x3.npy")
	if err != nil {
		t.Fatal(err)
	}
	want := must[*Features](t)(ReadFeatures("testdata/features_f32_4x3.npy"))
	at := len(b) - 48
	for i := at; i < len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	path := filepath.Join(t.TempDir(), "x.npy")
	b = []byte(strings.Replace(string(b), "<f4", ">f4", 1))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := must[*Features](t)(ReadFeatures(path)); !slices.Equal(f.X, want.X) {
		t.Errorf("big-endian: %v", f.X)
	}
}

// Files of package npy are read, also those longer than one block of conversion.
func TestFeaturesRoundTrip(t *testing.T) {
	want := standard(1500, 7, 1)
	path := filepath.Join(t.TempDir(), "features.npy")
	if err := npy.WriteFile(path, want.X, want.N, want.K); err != nil {
		t.Fatal(err)
	}
	if got := must[*Features](t)(ReadFeatures(path)); got.N != 1500 || got.K != 7 ||
		!slices.Equal(got.X, want.X) {
		t.Errorf("read %d x %d", got.N, got.K)
	}
}

func TestBadFeatureFiles(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	f32, f64 := read("features_f32_4x3.npy"), read("features_f64_4x3.npy")
	header := func(b []byte, old, new string) []byte { // of the same length
		if len(old) != len(new) || !strings.Contains(string(b), old) {
			t.Fatalf("%q for %q", new, old)
		}
		return []byte(strings.Replace(string(b), old, new, 1))
	}
	number := func(b []byte, at int, bits ...byte) []byte {
		out := slices.Clone(b)
		copy(out[len(out)-len(bits)*(12-at):], bits)
		return out
	}
	for name, c := range map[string]struct {
		file []byte
		want []string
	}{
		"empty":    {nil, []string{"ends within its header"}},
		"no array": {[]byte("not an array at all"), []string{"magic string"}},
		"complex": {header(f64, "<f8", "<c8"),
			[]string{"complex numbers (<c8)", "numpy.abs(x)"}},
		"fortran": {header(f32, "False", "True "), []string{"Fortran order"}},
		"vector": {header(f32, "(4, 3)", "(12,) "),
			[]string{"float32 and shape [12]", "two dimensions"}},
		"three": {header(f32, "(4, 3), }", "(2,2,3),}"),
			[]string{"float32 and shape [2 2 3]", "two dimensions"}},
		"no rows": {header(f32, "(4, 3)", "(0, 3)"), []string{"shape [0 3]", "at least 1"}},
		"too short": {f64[:len(f64)-1], []string{"95 bytes", "expected 96 for float64 and shape " +
			"[4 3]"}},
		"too long": {append(slices.Clone(f32), 0),
			[]string{"49 bytes", "expected 48 for float32 and shape [4 3]"}},
		"false claim": {header(f32, "(4, 3), }    ", "(4, 3000000)}"),
			[]string{"48 bytes", "expected 48000000"}},
		"NaN": {number(f32, 7, 0, 0, 0xc0, 0x7f), []string{"NaN at row 2, column 1"}},
		"Inf": {number(f64, 5, 0, 0, 0, 0, 0, 0, 0xf0, 0xff),
			[]string{"-Inf at row 1, column 2"}},
		"too large": {number(f64, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x7e),
			[]string{"+Inf at row 0, column 0", "float32 can hold"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.npy")
			if err := os.WriteFile(path, c.file, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := ReadFeatures(path)
			wantError(t, err, append(c.want, "metric: features: "+path)...)
		})
	}
	_, err := ReadFeatures("testdata")
	wantError(t, err, "testdata", "no regular file")
	_, err = ReadFeatures("testdata/none.npy")
	wantError(t, err, "metric: features: ", "none.npy")
}

// The numbers are NumPy's, in float64 (numpy.cov, numpy.linalg.eigvals of the covariances' product
// for the distance). The sets are exact there and in float32; products in float32 are off by 1e-7.
func TestAgainstNumPy(t *testing.T) {
	a, b := NewFeatures(make([]float32, 200), 40, 5), NewFeatures(make([]float32, 150), 30, 5)
	for i := range a.X {
		a.X[i] = float32(float64((i/5*7+i%5*13)%11)/11 - 0.3)
	}
	for i := range b.X {
		b.X[i] = float32(float64((i/5*5+i%5*3)%13)/13 - 0.5 + 0.1*float64(i%5))
	}
	wantClose(t, "FD", must[float64](t)(Frechet(t.Context(), a, b)), 0.137681393866804, 1e-9)
	wantClose(t, "KID", must[KIDResult](t)(KID(t.Context(), a, b, KIDOptions{Level: 0.95},
		nil)).Value, 0.0547216921267157, 1e-7)
}
