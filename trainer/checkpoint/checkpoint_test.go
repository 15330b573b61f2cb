package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plume-ml/plume/trainer/file"
)

// state returns tensors of every type and of unusual shapes. Their values reveal lost bits: NaN
// payloads, signed zeros, subnormals. One of them is longer than a block.
func state() []Tensor {
	big := make([]float32, blockLen+3)
	for i := range big {
		big[i] = float32(i) * 1.1
	}
	return []Tensor{
		{Name: "theta/w", Shape: []int{2, 3},
			F32: []float32{1, -2, math.MaxFloat32, 1e-45, float32(math.Copysign(0, -1)),
				math.Float32frombits(0x7fc12345)}},
		{Name: "big", Shape: []int{blockLen + 3}, F32: big},
		{Name: "counts", Shape: []int{3}, U32: []uint32{0, 7, math.MaxUint32}},
		{Name: "sum", Shape: nil, F64: []float64{math.Pi}},
		{Name: `odd "name" <&> é`, Shape: []int{1, 1, 2}, F64: []float64{math.Inf(-1), 5e-324}},
		{Name: "empty", Shape: []int{5, 0}, F32: []float32{}},
	}
}

// blank returns tensors like the given ones with all elements zero.
func blank(like []Tensor) []Tensor {
	out := slices.Clone(like)
	for i, t := range out {
		switch {
		case t.F32 != nil:
			out[i].F32 = make([]float32, len(t.F32))
		case t.U32 != nil:
			out[i].U32 = make([]uint32, len(t.U32))
		default:
			out[i].F64 = make([]float64, len(t.F64))
		}
	}
	return out
}

// elements returns the elements of a tensor as bytes, so that NaNs compare equal.
func elements(t Tensor) []byte {
	name, n := t.dtype()
	buf := make([]byte, n*dtypeSize[name])
	t.encode(buf, 0, n)
	return buf
}

func wantSame(t *testing.T, got, want []Tensor) {
	t.Helper()
	for i := range want {
		if !slices.Equal(elements(got[i]), elements(want[i])) {
			t.Errorf("tensor %q differs", want[i].Name)
		}
	}
}

// save writes a checkpoint with a new Writer.
func save(run string, meta Meta, tensors []Tensor, keep int) (dir string, err error) {
	w := Writer{Files: file.OS, RunDir: run, Keep: keep}
	p, err := w.Begin(meta, tensors)
	if err != nil {
		return "", err
	}
	return p.Commit()
}

func mustSave(t *testing.T, run string, meta Meta, tensors []Tensor, keep int) string {
	t.Helper()
	dir, err := save(run, meta, tensors, keep)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// wantError checks that the text of an error contains all parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}

// names lists a run's checkpoints directory.
func names(t *testing.T, run string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(run, rootName))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	run := t.TempDir()
	meta := Meta{Method: "ipld", Step: 500, Epoch: 3, Batch: 7, Repeat: 2, Seconds: 12.5,
		Seed: math.MaxUint64,
		Data: "fashion10k", Fingerprint: "ab12", Version: "v0.1.0", Config: "epochs = 90\n"}
	dir := mustSave(t, run, meta, state(), 0)
	if want := filepath.Join(run, "checkpoints", "step-000500"); dir != want {
		t.Errorf("saved as %s, expected %s", dir, want)
	}
	got := blank(state())
	back, err := Load(dir, got)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, state())
	meta.Format, meta.Saved = currentFormat, 1
	if diff := cmp.Diff(meta, back); diff != "" {
		t.Error(diff)
	}
	if latest, err := Latest(run); err != nil || latest != dir {
		t.Errorf("Latest = %s, %v", latest, err)
	}
	target, _ := os.Readlink(filepath.Join(run, "checkpoints", "latest"))
	if target != "step-000500" {
		t.Errorf("latest points to %q, expected a relative name", target)
	}
	dir = mustSave(t, run, Meta{Step: 12345678}, state(), 0)
	if filepath.Base(dir) != "step-12345678" {
		t.Errorf("saved as %s", dir)
	}
}

func TestSaveIsDeterministic(t *testing.T) {
	read := func() []byte {
		dir := mustSave(t, t.TempDir(), Meta{}, state(), 0)
		raw, err := os.ReadFile(filepath.Join(dir, stateName))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if a, b := read(), read(); !slices.Equal(a, b) {
		t.Error("the same state gave two different files")
	}
}

func TestDamageIsFound(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"bit in the data":   func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"bit in the header": func(b []byte) []byte { b[12] ^= 1; return b },
		"truncated":         func(b []byte) []byte { return b[:len(b)-1] },
		"truncated header":  func(b []byte) []byte { return b[:20] },
		"empty":             func(b []byte) []byte { return nil },
		"longer":            func(b []byte) []byte { return append(b, 0) },
		"other file": func([]byte) []byte {
			return []byte("PK\x03\x04 is what a zip file begins with")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := mustSave(t, t.TempDir(), Meta{}, state(), 0)
			path := filepath.Join(dir, stateName)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(raw), 0o644); err != nil {
				t.Fatal(err)
			}
			got := blank(state())
			_, err = Load(dir, got)
			wantError(t, err, path)
			wantSame(t, got, blank(state()))
		})
	}
}

// sealed returns a meta.json that begins with text.
func sealed(text string) string { return string(seal([]byte(text + "\n"))) }

func TestBadMeta(t *testing.T) {
	sum := strings.Repeat("0", 64)
	for name, c := range map[string]struct{ text, want string }{
		"torn":    {`{"format": 3, "st`, "17 bytes that do not end with the checksum"},
		"empty":   {"", "0 bytes"},
		"no JSON": {sealed(`{"format": 3, "st`), "JSON"},
		"newer": {sealed(`{"format": 5, "version": "v9.1",`), "format 5, written by plume " +
			"v9.1; this plume reads formats 3 and 4: use that version or a newer one"},
		"older": {`{"format": 1, "version": "v0.0.1"}`,
			"format 1, written by plume v0.0.1; this plume reads formats 3 and 4: use that " +
				"version"},
		"no sum": {sealed(`{"format": 3,`), "state_sha256"},
		"size": {sealed(`{"format": 3, "state_bytes": -1, "state_sha256": "` + sum + `",`),
			"-1 state_bytes"},
		"negative": {sealed(`{"format": 3, "step": -1, "state_sha256": "` + sum + `",`), "step -1"},
		"shorter": {sealed(`{"format": 3, "state_bytes": 7, "state_sha256": "` + sum + `",`),
			"bytes, meta.json says 7"},
		"huge": {strings.Repeat(" ", maxMeta+1), "expected at most 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := mustSave(t, t.TempDir(), Meta{}, state(), 0)
			if err := os.WriteFile(filepath.Join(dir, metaName), []byte(c.text),
				0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Load(dir, blank(state()))
			wantError(t, err, metaName, c.want)
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "nothing"), nil)
	wantError(t, err, "nothing")
}

func TestMismatchesAreNamed(t *testing.T) {
	dir := mustSave(t, t.TempDir(), Meta{}, state(), 0)
	other := blank(state())
	other[0].Shape = []int{3, 2}                                                // transposed
	other[2] = Tensor{Name: "counts", Shape: []int{3}, F32: []float32{0, 0, 0}} // another type
	other[3].Name = "mean"                                                      // instead of "sum"
	_, err := Load(dir, other)
	wantError(t, err, stateName, `"theta/w" has shape 2 x 3, expected 3 x 2`,
		`"counts" is U32, expected F32`,
		`"mean" is missing`, `"sum" is unexpected`)
	_, err = LoadSome(dir, other)
	wantError(t, err, `"mean" is missing`)
	if strings.Contains(err.Error(), "unexpected") {
		t.Errorf("LoadSome complains about additional tensors: %v", err)
	}
	for _, tensor := range other {
		if slices.ContainsFunc(elements(tensor), func(b byte) bool { return b != 0 }) {
			t.Errorf("tensor %q was written to despite the error", tensor.Name)
		}
	}
}

func TestLoadSome(t *testing.T) {
	dir := mustSave(t, t.TempDir(), Meta{Step: 9}, state(), 0)
	part := blank(state())[2:4]
	if _, err := Load(dir, part); err == nil {
		t.Error("Load accepted a part of the state")
	}
	meta, err := LoadSome(dir, part)
	if err != nil || meta.Step != 9 {
		t.Fatalf("LoadSome: step %d, %v", meta.Step, err)
	}
	wantSame(t, part, state()[2:4])
}

func TestKeep(t *testing.T) {
	run := t.TempDir()
	for _, step := range []int{1, 2, 3, 1000000} {
		mustSave(t, run, Meta{Step: step}, state(), 2)
	}
	if diff := cmp.Diff([]string{"latest", "step-000003", "step-1000000"},
		names(t, run)); diff != "" {
		t.Error(diff)
	}
	// A checkpoint of an earlier step is kept, too, if it was saved later.
	mustSave(t, run, Meta{Step: 2}, state(), 2)
	if diff := cmp.Diff([]string{"latest", "step-000002", "step-1000000"},
		names(t, run)); diff != "" {
		t.Error(diff)
	}
	if dir, err := Latest(run); err != nil || filepath.Base(dir) != "step-000002" {
		t.Errorf("Latest = %s, %v", dir, err)
	}
}

func TestSameStepIsReplaced(t *testing.T) {
	run := t.TempDir()
	mustSave(t, run, Meta{Step: 5}, state(), 0)
	changed := blank(state())
	changed[0].F32[0] = 42
	dir := mustSave(t, run, Meta{Step: 5}, changed, 0)
	got := blank(state())
	if _, err := Load(dir, got); err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, changed)
	if diff := cmp.Diff([]string{"latest", "step-000005"}, names(t, run)); diff != "" {
		t.Error(diff)
	}
}

// A killed Save leaves a directory with a temporary name, which List ignores and the next Save
// removes.
func TestKilledSave(t *testing.T) {
	run := t.TempDir()
	dir := mustSave(t, run, Meta{Step: 5}, state(), 0)
	root := filepath.Dir(dir)
	for _, left := range []string{".tmp-step-000006", ".tmp-step-000004", ".latest123"} {
		if err := os.Mkdir(filepath.Join(root, left), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, left, stateName), []byte("torn"),
			0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Latest(run); err != nil || got != dir {
		t.Errorf("Latest = %s, %v", got, err)
	}
	mustSave(t, run, Meta{Step: 6}, state(), 0)
	if diff := cmp.Diff([]string{"latest", "step-000005", "step-000006"},
		names(t, run)); diff != "" {
		t.Error(diff)
	}
}

// A Save killed between the two renames that replace a checkpoint of the same step does not lose
// the old one.
func TestKilledReplacement(t *testing.T) {
	run := t.TempDir()
	dir := mustSave(t, run, Meta{Step: 5}, state(), 0)
	aside := filepath.Join(filepath.Dir(dir), ".old-step-000005")
	if err := os.Rename(dir, aside); err != nil {
		t.Fatal(err)
	}
	if got, err := Latest(run); err != nil || got != aside {
		t.Errorf("Latest = %s, %v: the checkpoint is lost", got, err)
	}
	mustSave(t, run, Meta{Step: 6}, state(), 0)
	if _, err := Load(dir, blank(state())); err != nil {
		t.Errorf("the old checkpoint did not get its name back: %v", err)
	}
	if diff := cmp.Diff([]string{"latest", "step-000005", "step-000006"},
		names(t, run)); diff != "" {
		t.Error(diff)
	}
}

func TestSaveFails(t *testing.T) {
	run := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(run, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := save(run, Meta{}, state(), 0)
	wantError(t, err, "checkpoint: saving", "file")
}

func TestLatestFallsBack(t *testing.T) {
	run := t.TempDir()
	_, err := Latest(run)
	wantError(t, err, "none found", filepath.Join(run, "checkpoints", "latest"), "step-*")

	mustSave(t, run, Meta{Step: 999999}, state(), 0)
	newer := mustSave(t, run, Meta{Step: 1000000}, state(), 0) // sorts before by name
	newest := mustSave(t, run, Meta{Step: 1000001}, state(), 0)
	link := filepath.Join(run, "checkpoints", "latest")
	expect := func(want, why string) {
		t.Helper()
		if got, err := Latest(run); err != nil || got != want {
			t.Errorf("%s: Latest = %s, %v; expected %s", why, got, err, want)
		}
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	expect(newest, "no link")
	if err := os.Symlink("step-777777", link); err != nil {
		t.Fatal(err)
	}
	expect(newest, "dangling link")
	if err := os.Remove(filepath.Join(newest, metaName)); err != nil {
		t.Fatal(err)
	}
	_, err = Latest(run)
	wantError(t, err, newest, "damaged", "no such file", "the newest whole checkpoint is "+newer)
}

func TestProgrammingErrorsPanic(t *testing.T) {
	one := []float32{1}
	for name, tensors := range map[string][]Tensor{
		"no elements":  {{Name: "a"}},
		"two kinds":    {{Name: "a", F32: one, U32: []uint32{1}}},
		"wrong length": {{Name: "a", Shape: []int{2}, F32: one}},
		"same name":    {{Name: "a", F32: one}, {Name: "a", F32: one}},
		"no name":      {{F32: one}},
		"reserved":     {{Name: "__metadata__", F32: one}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if s, _ := recover().(string); !strings.HasPrefix(s, "checkpoint: ") {
					t.Errorf("recovered %q", s)
				}
			}()
			_, _ = save(t.TempDir(), Meta{}, tensors, 0)
		})
	}
}

func TestMetaJSON(t *testing.T) {
	dir := mustSave(t, t.TempDir(), Meta{Method: "pgd"}, state(), 0)
	text, err := os.ReadFile(filepath.Join(dir, metaName))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	if got["state_sha256"] != hex.EncodeToString(sum[:]) || got["method"] != "pgd" ||
		!strings.Contains(string(text), "\n  \"") {
		t.Errorf("meta.json:\n%s", text)
	}
}
