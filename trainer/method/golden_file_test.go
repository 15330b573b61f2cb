package method

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
)

// golden is the file, all numbers as float64.
type golden struct {
	metadata map[string]string
	tensors  map[string]*goldenTensor
}

type goldenTensor struct {
	shape  []int
	values []float64
	used   bool
}

func readGolden(t *testing.T) *golden {
	t.Helper()
	raw, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	size := binary.LittleEndian.Uint64(raw)
	header, body := map[string]json.RawMessage{}, raw[8+size:]
	decode(t, raw[8:8+size], &header)
	g := &golden{tensors: map[string]*goldenTensor{}}
	decode(t, header["__metadata__"], &g.metadata)
	delete(header, "__metadata__")
	for name, text := range header {
		var e struct {
			Dtype   string
			Shape   []int
			Offsets [2]int `json:"data_offsets"`
		}
		decode(t, text, &e)
		g.tensors[name] = &goldenTensor{shape: e.Shape,
			values: numbers(t, e.Dtype, body[e.Offsets[0]:e.Offsets[1]])}
	}
	return g
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", goldenFile, err)
	}
}

// numbers converts the bytes of a tensor.
func numbers(t *testing.T, dtype string, raw []byte) (out []float64) {
	t.Helper()
	switch dtype {
	case "F64":
		out = make([]float64, len(raw)/8)
		if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, out); err != nil {
			t.Fatal(err)
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
		t.Fatalf("%s: dtype %q", goldenFile, dtype)
	}
	return out
}

// take returns a tensor, which must exist, and marks it as compared.
func (g *golden) take(t *testing.T, name string) []float64 {
	t.Helper()
	tensor := g.tensors[name]
	if tensor == nil {
		t.Fatalf("%s: no tensor %q", goldenFile, name)
	}
	tensor.used = true
	return tensor.values
}

// compare bounds got - want by the tolerance's shares of the root mean square of want - origin (of
// want, without an origin). If that is zero, got must be zero too.
func (r *goldenRun) compare(what string, got []float32, want, origin []float64, tol tolerance) {
	r.Helper()
	if len(got) != len(want) {
		r.Fatalf("%s: %d numbers, recorded %d", what, len(got), len(want))
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
	if !(sum <= tol.rms*scale) || !(largest <= tol.largest*scale) {
		r.Errorf("%s: deviates by %.2g (rms), %.2g (largest) of the scale %.3g; "+
			"tolerances %.0e, %.0e",
			what, sum/scale, largest/scale, scale, tol.rms, tol.largest)
	}
}

// compareAbs bounds every element of got - want.
func compareAbs[T float32 | float64](t *testing.T, what string, got []T, want []float64,
	tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, recorded %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tol) {
			t.Errorf("%s: element %d is %v, recorded %v; tolerance %.1e", what, i, got[i], w, tol)
			return
		}
	}
}

func float32s(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// goldenImages is the recorded images as a data set.
type goldenImages struct {
	x   []float32
	dim int
}

func (d goldenImages) Name() string             { return "golden" }
func (d goldenImages) Len() int                 { return len(d.x) / d.dim }
func (d goldenImages) Shape() data.Shape        { return data.Shape{H: 1, W: d.dim, C: 1} }
func (d goldenImages) Label(int) int            { return -1 }
func (d goldenImages) Origin(i int) data.Origin { return data.Origin{Row: i} }
func (d goldenImages) Gather(dst []float32, idx []int) {
	for i, m := range idx {
		copy(dst[i*d.dim:(i+1)*d.dim], d.x[m*d.dim:(m+1)*d.dim])
	}
}
