package reference

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// Recorded is a file of numbers that another implementation computed, as recorded.py writes it. The
// numbers are given as float64, whatever the file holds.
type Recorded struct {
	Metadata map[string]string

	file    string
	tensors map[string]*tensor
}

type tensor struct {
	shape  []int
	values []float64
	read   bool
}

// ReadRecorded reads a file.
func ReadRecorded(t testing.TB, file string) *Recorded {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &Recorded{file: file, tensors: map[string]*tensor{}}
	size := binary.LittleEndian.Uint64(raw)
	header, body := map[string]json.RawMessage{}, raw[8+size:]
	r.decode(t, raw[8:8+size], &header)
	r.decode(t, header["__metadata__"], &r.Metadata)
	delete(header, "__metadata__")
	for name, text := range header {
		var e struct {
			Dtype   string
			Shape   []int
			Offsets [2]int `json:"data_offsets"`
		}
		r.decode(t, text, &e)
		values := r.convert(t, e.Dtype, body[e.Offsets[0]:e.Offsets[1]])
		r.tensors[name] = &tensor{shape: e.Shape, values: values}
	}
	return r
}

func (r *Recorded) decode(t testing.TB, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", r.file, err)
	}
}

// Decode sets into to the JSON that the metadata hold under a name.
func (r *Recorded) Decode(t testing.TB, name string, into any) {
	t.Helper()
	r.decode(t, []byte(r.Metadata[name]), into)
}

// convert converts the bytes of a tensor.
func (r *Recorded) convert(t testing.TB, dtype string, raw []byte) (out []float64) {
	t.Helper()
	switch dtype {
	case "F64":
		for ; len(raw) > 0; raw = raw[8:] {
			out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
		}
	case "F32":
		for ; len(raw) > 0; raw = raw[4:] {
			out = append(out, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
		}
	case "U32":
		for ; len(raw) > 0; raw = raw[4:] {
			out = append(out, float64(binary.LittleEndian.Uint32(raw)))
		}
	default:
		t.Fatalf("%s: dtype %q", r.file, dtype)
	}
	return out
}

// Has reports whether a tensor was recorded.
func (r *Recorded) Has(name string) bool { return r.tensors[name] != nil }

// Shape returns the shape of a tensor, which must exist.
func (r *Recorded) Shape(t testing.TB, name string) []int {
	t.Helper()
	return r.tensor(t, name).shape
}

// Take returns the numbers of a tensor, which must exist, and marks it as read.
func (r *Recorded) Take(t testing.TB, name string) []float64 {
	t.Helper()
	x := r.tensor(t, name)
	x.read = true
	return x.values
}

func (r *Recorded) tensor(t testing.TB, name string) *tensor {
	t.Helper()
	x := r.tensors[name]
	if x == nil {
		t.Fatalf("%s: no tensor %q", r.file, name)
	}
	return x
}

// AllRead fails the test for each tensor whose name starts with prefix and which nobody took.
func (r *Recorded) AllRead(t testing.TB, prefix string) {
	t.Helper()
	var names []string
	for name, x := range r.tensors {
		if strings.HasPrefix(name, prefix) && !x.read {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		t.Errorf("recorded but not compared: %s", name)
	}
}

// Tolerance bounds the deviation from recorded numbers as a share of their root mean square: its
// root mean square, and its largest element.
type Tolerance struct{ RMS, Largest float64 }

// Compare bounds got - want by the tolerance's shares of the root mean square of want - origin (of
// want, without an origin). If that is zero, got must be zero too.
func (tol Tolerance) Compare(
	t testing.TB, what string, got []float32, want, origin []float64,
) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, recorded %d", what, len(got), len(want))
	}
	var scale, sum, largest float64
	for i, w := range want {
		d := float64(got[i]) - w
		if origin != nil {
			w -= origin[i]
		}
		scale += w * w
		sum += d * d
		largest = max(largest, math.Abs(d))
		if math.IsNaN(d) {
			largest = math.Inf(1)
		}
	}
	n := float64(len(want))
	scale, sum = math.Sqrt(scale/n), math.Sqrt(sum/n)
	if !(sum <= tol.RMS*scale) || !(largest <= tol.Largest*scale) {
		t.Errorf("%s: deviates by %.2g (rms), %.2g (largest) of the scale %.3g; "+
			"tolerances %.0e, %.0e",
			what, sum/scale, largest/scale, scale, tol.RMS, tol.Largest)
	}
}

// Float32s rounds to float32.
func Float32s(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
