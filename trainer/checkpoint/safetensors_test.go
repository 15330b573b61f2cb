package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// handmade returns a file with the given header and data.
func handmade(header, data string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+data...)
}

// A small file is compared byte by byte.
func TestBytes(t *testing.T) {
	var got bytes.Buffer
	err := writeSafetensors(&got, []Tensor{
		{Name: "b", Shape: []int{1}, F32: []float32{1}},
		{Name: "a", F64: []float64{-2}},
		{Name: "c", Shape: []int{1, 2}, U32: []uint32{1, 0x01020304}},
	})
	if err != nil {
		t.Fatal(err)
	}
	header := `{"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]},` +
		`"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},` +
		`"c":{"dtype":"U32","shape":[1,2],"data_offsets":[12,20]}}`
	header += strings.Repeat(" ", -len(header)&7)
	data, _ := hex.DecodeString("00000000000000c0" + "0000803f" + "01000000" + "04030201")
	if want := handmade(header, string(data)); !bytes.Equal(got.Bytes(), want) {
		t.Errorf("wrote\n%q\nexpected\n%q", got.Bytes(), want)
	}
}

// overlapping is the header of two tensors that overlap.
const overlapping = `{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},` +
	`"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`

func parseBytes(raw []byte) (*content, error) {
	return parse(bytes.NewReader(raw), int64(len(raw)))
}

func bytesOf(t *testing.T, f *content, name string) []byte {
	t.Helper()
	raw, err := io.ReadAll(f.bytes(&Tensor{Name: name}))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestParseAccepts(t *testing.T) {
	for name, raw := range map[string][]byte{
		"no tensors": handmade(`{}`, ""),
		"metadata": handmade(`{"__metadata__":{"format":"pt"},`+
			`"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"),
		"any order": handmade(`{"b":{"dtype":"U32","shape":[1],"data_offsets":[8,12]},`+
			`"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}  `, "123456781234"),
		"empty ones": handmade(`{"b":{"dtype":"U32","shape":[9,0],"data_offsets":[4,4]},`+
			`"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"),
	} {
		if _, err := parseBytes(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	one := func(entry string) []byte { return handmade(`{"w":`+entry+`}`, "12345678") }
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"short": {[]byte("1234567"), "too short"},
		"huge header": {append(bytes.Repeat([]byte{0xff}, 8), "{}"...),
			"a header of 18446744073709551615 bytes"},
		"header past end": {append(binary.LittleEndian.AppendUint64(nil, 3), "{}"...), "truncated"},
		"no object":       {handmade(`[]`, ""), "JSON object"},
		"torn object":     {handmade(`{"w":`, ""), `"w"`},
		"after object":    {handmade(`{} x`, ""), "only spaces"},
		"twice": {handmade(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},`+
			`"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"), "twice"},
		"dtype": {one(`{"dtype":"F16","shape":[4],"data_offsets":[0,8]}`),
			`"w": dtype "F16"`},
		"no offsets": {one(`{"dtype":"F32","shape":[2]}`), `"w": 0 data_offsets`},
		"past the end": {one(`{"dtype":"F32","shape":[3],"data_offsets":[0,12]}`),
			`"w": data_offsets 0 to 12`},
		"before the data": {one(`{"dtype":"F32","shape":[3],"data_offsets":[-4,8]}`), "-4"},
		"backwards":       {one(`{"dtype":"F32","shape":[1],"data_offsets":[8,4]}`), "8 to 4"},
		"other size": {one(`{"dtype":"F64","shape":[2],"data_offsets":[0,8]}`),
			"does not fit"},
		"smaller shape": {one(`{"dtype":"F32","shape":[1],"data_offsets":[0,8]}`), "takes 4"},
		"negative shape": {one(`{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}`),
			"does not fit"},
		"overflow": {one(`{"dtype":"F32","shape":[4294967296,4294967296,2],` +
			`"data_offsets":[0,8]}`), "does not fit"},
		"rest": {one(`{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`),
			"last 4 bytes"},
		"gap": {one(`{"dtype":"F32","shape":[1],"data_offsets":[4,8]}`),
			`"w": the 4 bytes before it`},
		"overlap":  {handmade(overlapping, "12345678"), `"w" overlaps`},
		"fraction": {one(`{"dtype":"F32","shape":[0.5],"data_offsets":[0,8]}`), `"w"`},
		"metadata": {handmade(`{"__metadata__":{"a":1}}`, ""), "__metadata__"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseBytes(c.raw)
			wantError(t, err, c.want)
		})
	}
}

// FuzzParse checks that every accepted file can be read into tensors made from its header, and that
// writing these gives a file with the same content.
func FuzzParse(f *testing.F) {
	var whole bytes.Buffer
	small := slices.DeleteFunc(state(), func(t Tensor) bool { return t.Name == "big" })
	if err := writeSafetensors(&whole, small); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add(whole.Bytes()[:whole.Len()-1])
	f.Add(handmade(overlapping, "12345678"))
	f.Add(handmade(`{"w":{"dtype":"U32","shape":[9223372036854775807,0],`+
		`"data_offsets":[0,0]}}`, ""))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := parseBytes(raw)
		if err != nil {
			return
		}
		var tensors []Tensor
		for name, e := range in.entries {
			if name != "" {
				tensors = append(tensors, tensorLike(name, e))
			}
		}
		if p := in.compare(tensors, true); len(p) > 0 {
			t.Fatal(p)
		}
		buf := make([]byte, BufferBytes)
		for i := range tensors {
			if err := tensors[i].readFrom(in.bytes(&tensors[i]), buf); err != nil {
				t.Fatal(err)
			}
		}
		var again bytes.Buffer
		if err := writeSafetensors(&again, tensors); err != nil {
			t.Fatal(err)
		}
		out, err := parseBytes(again.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range tensors {
			if !bytes.Equal(bytesOf(t, out, want.Name), bytesOf(t, in, want.Name)) {
				t.Errorf("tensor %q changed", want.Name)
			}
		}
	})
}

func tensorLike(name string, e entry) Tensor {
	t := Tensor{Name: name}
	for _, d := range e.Shape {
		t.Shape = append(t.Shape, int(d))
	}
	n := int(e.Offsets[1]-e.Offsets[0]) / dtypeSize[e.Dtype]
	switch e.Dtype {
	case "F32":
		t.F32 = make([]float32, n)
	case "U32":
		t.U32 = make([]uint32, n)
	default:
		t.F64 = make([]float64, n)
	}
	return t
}

func BenchmarkWrite(b *testing.B) {
	t := []Tensor{{Name: "z", Shape: []int{5 << 20}, F32: make([]float32, 5<<20)}}
	b.SetBytes(20 << 20)
	for b.Loop() {
		if err := writeSafetensors(discard{}, t); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkSaveLoad(b *testing.B) {
	t := []Tensor{{Name: "z", Shape: []int{5 << 20}, F32: make([]float32, 5<<20)}}
	run := b.TempDir()
	b.SetBytes(20 << 20)
	for b.Loop() {
		dir, err := save(run, Meta{}, t, 1)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Load(dir, t); err != nil {
			b.Fatal(err)
		}
	}
}

// save_file of the Python package safetensors wrote testdata/foreign.safetensors, with metadata
// {"by": "python"}.
func TestReadsForeignFile(t *testing.T) {
	raw, err := os.ReadFile("testdata/foreign.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := []Tensor{
		{Name: "theta/w", Shape: []int{2, 3}, F32: []float32{1, -2, 3, 4.5, 5, 6}},
		{Name: "counts", Shape: []int{3}, U32: []uint32{0, 7, 1<<32 - 1}},
		{Name: "sum", F64: []float64{3.25}},
		{Name: "v", Shape: []int{2, 1, 2}, F64: []float64{1, 2, 3, 4}},
	}
	if problems := f.compare(want, false); len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, w := range want {
		if !bytes.Equal(bytesOf(t, f, w.Name), elements(w)) {
			t.Errorf("tensor %q differs", w.Name)
		}
	}
}

// A tensor with parts is stored as these, with their own names and shapes, and read into the whole.
func TestParts(t *testing.T) {
	whole := Tensor{
		Name: "net/params", Shape: []int{7}, F32: []float32{1, 2, 3, 4, 5, 6, 7},
		Parts: []Part{
			{Name: "net.a.weight", Shape: []int{2, 3}}, {Name: "net.a.bias", Shape: []int{1}},
		},
	}
	dir, err := save(t.TempDir(), Meta{}, []Tensor{whole}, 1)
	if err != nil {
		t.Fatal(err)
	}
	weight := Tensor{Name: "net.a.weight", Shape: []int{2, 3}, F32: make([]float32, 6)}
	bias := Tensor{Name: "net.a.bias", Shape: []int{1}, F32: make([]float32, 1)}
	if _, err := Load(dir, []Tensor{bias, weight}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(append(weight.F32, bias.F32...), whole.F32) {
		t.Errorf("the parts are %v and %v", weight.F32, bias.F32)
	}
	again := whole
	again.F32 = make([]float32, 7)
	if _, err := Load(dir, []Tensor{again}); err != nil || !slices.Equal(again.F32, whole.F32) {
		t.Errorf("read as a whole: %v, %v", again.F32, err)
	}
	again.Parts = nil
	if _, err := Load(dir, []Tensor{again}); err == nil {
		t.Error("a tensor without its parts is found")
	}
	defer func() {
		if recover() == nil {
			t.Error("parts that do not fill the tensor do not panic")
		}
	}()
	split([]Tensor{{Name: "x", Shape: []int{2}, F32: make([]float32, 2), Parts: whole.Parts[1:]}})
}
