package export

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A second reading of ONNX, without the package that writes it: proto is a message as its fields
// have come, by their numbers.
type proto map[int][]any // uint64 or []byte

func parseProto(t *testing.T, raw []byte) proto {
	t.Helper()
	m := proto{}
	next := func() uint64 {
		v, n := binary.Uvarint(raw)
		if n <= 0 {
			t.Fatal("no varint")
		}
		raw = raw[n:]
		return v
	}
	for len(raw) > 0 {
		tag := next()
		switch tag & 7 {
		case 0:
			m[int(tag>>3)] = append(m[int(tag>>3)], next())
		case 2:
			n := next()
			m[int(tag>>3)] = append(m[int(tag>>3)], raw[:n])
			raw = raw[n:]
		default:
			t.Fatalf("wire type %d, which no field here has", tag&7)
		}
	}
	return m
}

func (m proto) text(field int) string {
	if len(m[field]) == 0 {
		return ""
	}
	return string(m[field][0].([]byte))
}

func (m proto) texts(field int) (all []string) {
	for _, v := range m[field] {
		all = append(all, string(v.([]byte)))
	}
	return all
}

func (m proto) ints(field int) (all []int) {
	for _, v := range m[field] {
		all = append(all, int(int64(v.(uint64))))
	}
	return all
}

func (m proto) inner(t *testing.T, field int) (all []proto) {
	for _, v := range m[field] {
		all = append(all, parseProto(t, v.([]byte)))
	}
	return all
}

// operation is a node of a graph.
type operation struct {
	op      string
	in, out []string
	ints    map[string][]int
	text    map[string]string
}

// readGraph reads the graph of a file: its operations and its constants.
func readGraph(t *testing.T, path string) (ops []operation, values map[string]array) {
	t.Helper()
	raw, err := os.ReadFile(path)
	check(t, err)
	m := parseProto(t, raw)
	if ir, domain := m.ints(1), m.inner(t, 8); ir[0] != 8 || domain[0].ints(2)[0] != 17 {
		t.Errorf("IR version %v, opset %v", ir, domain)
	}
	g := m.inner(t, 7)[0]
	values = map[string]array{}
	for _, c := range g.inner(t, 5) {
		values[c.text(8)] = constant(t, c)
	}
	for _, n := range g.inner(t, 1) {
		o := operation{
			op: n.text(4), in: n.texts(1), out: n.texts(2), ints: map[string][]int{},
			text: map[string]string{},
		}
		for _, a := range n.inner(t, 5) {
			switch a.ints(20)[0] {
			case 2:
				o.ints[a.text(1)] = a.ints(3)
			case 3:
				o.text[a.text(1)] = a.text(4)
			case 7:
				o.ints[a.text(1)] = a.ints(8)
			}
		}
		ops = append(ops, o)
	}
	return ops, values
}

// constant reads a TensorProto of float32 or int64.
func constant(t *testing.T, c proto) array {
	raw := []byte(c.text(9))
	a := array{dims: c.ints(1)}
	switch c.ints(2)[0] {
	case 1:
		for ; len(raw) > 0; raw = raw[4:] {
			a.x = append(a.x, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
		}
	case 7:
		for ; len(raw) > 0; raw = raw[8:] {
			a.x = append(a.x, float64(int64(binary.LittleEndian.Uint64(raw))))
		}
	}
	if len(a.x) != product(a.dims) {
		t.Fatalf("%s: %d numbers of shape %v", c.text(8), len(a.x), a.dims)
	}
	return a
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// The ONNX models of every example, computed operator by operator in float64 as the specification
// of ONNX defines them, are what plume computes.
func TestONNX(t *testing.T) {
	used := map[string]bool{}
	for _, name := range names() {
		dir := t.TempDir()
		hand(t, name, dir)
		r := examples[name].store(t)
		own := computed(t, r)
		tolerance := float32Tolerance
		if name == "bf16" {
			tolerance = bf16Tolerance
		}
		for ending, outputs := range map[string]map[string]string{
			"": {"x": "decoded"}, ".score": {"eps": "eps"},
			".encoder": {"mean": "mean", "logvar": "logvar"},
		} {
			path := filepath.Join(dir, "model"+ending+".onnx")
			if _, err := os.Stat(path); err != nil {
				if want := outputs["eps"] + outputs["mean"]; own[want] != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			ops, values := readGraph(t, path)
			for in, x := range own {
				values[in] = array{[]int{3, len(x) / 3}, wide(x)}
			}
			if x, s := own["x"], examples[name].picture; x != nil && ending == ".encoder" {
				values["x"] = array{[]int{3, s.H, s.W, s.C}, wide(x)}
			}
			for _, o := range ops {
				used[o.op] = true
				o.run(t, values)
			}
			for out, want := range outputs {
				if d := distance(values[out].x, wide(own[want])); !(d <= tolerance) {
					t.Errorf("%s: %s is %.2g away from plume's", name, want, d)
				}
			}
		}
	}
	for op := range computes {
		if !used[op] {
			t.Errorf("no example has the operator %s", op)
		}
	}
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// distance is the largest difference, by the root mean square of want.
func distance(got, want []float64) float64 {
	if len(got) != len(want) || len(want) == 0 {
		return math.Inf(1)
	}
	largest, squares := 0.0, 0.0
	for i, v := range want {
		largest = max(largest, math.Abs(got[i]-v))
		squares += v * v
	}
	return largest / math.Sqrt(squares/float64(len(want)))
}

// run computes an operation.
func (o operation) run(t *testing.T, values map[string]array) {
	t.Helper()
	var in []array
	for _, name := range o.in {
		v, ok := values[name]
		if !ok {
			t.Fatalf("%s reads %s, which is not there yet", o.op, name)
		}
		in = append(in, v)
	}
	f, ok := computes[o.op]
	if !ok {
		t.Fatalf("no operator %s", o.op)
	}
	for i, v := range f(o, in) {
		if len(v.x) != product(v.dims) {
			t.Fatalf("%s of %v: %d numbers of shape %v", o.op, o.out, len(v.x), v.dims)
		}
		values[o.out[i]] = v
	}
}

// Every layer has operators.
func TestEveryLayerHasOperators(t *testing.T) {
	seen := map[Op]bool{}
	for _, name := range names() {
		m, err := FromRun(examples[name].store(t), Options{})
		check(t, err)
		for _, n := range m.Networks {
			for _, node := range n.Nodes {
				seen[node.Op] = true
			}
		}
	}
	for op := range operators {
		if !seen[op] && op != Mean { // which only the classifier of an evaluation has
			t.Errorf("no example has %s", op)
		}
	}
	m := &Model{Description: Description{Networks: map[string]Network{
		Decoder: {Nodes: []Node{{Name: "warp", Op: "warp"}}},
	}}}
	_, err := m.ONNX(Decoder, nil)
	wantError(t, err, "decoder.warp: warp: no operators of ONNX compute it")
	_, err = m.ONNX(Score, nil)
	wantError(t, err, "the model has no prior")
}

// The mean over the pixels, which no network of a run has.
func TestMean(t *testing.T) {
	m := &Model{Description: Description{
		Latent: Shape{2, 1, 3}, Data: Data{Shape: Shape{1, 1, 3}}, Networks: map[string]Network{
			Decoder: {Output: "mean", Nodes: []Node{
				{Name: "z", Op: Input, Shape: Shape{2, 1, 3}},
				{Name: "mean", Op: Mean, In: []string{"z"}, Shape: Shape{1, 1, 3}},
			}},
		},
	}}
	raw, err := m.ONNX(Decoder, nil)
	check(t, err)
	path := filepath.Join(t.TempDir(), "m.onnx")
	check(t, os.WriteFile(path, raw, 0o666))
	ops, values := readGraph(t, path)
	values["z"] = array{[]int{1, 6}, []float64{1, 2, 3, 5, 8, 13}}
	for _, o := range ops {
		o.run(t, values)
	}
	if got := fmt.Sprint(values["x"].x); got != "[3 5 8]" || slices.Contains(values["x"].dims, 0) {
		t.Errorf("%v of %v", got, values["x"].dims)
	}
}
