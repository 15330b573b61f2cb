package export

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/npy"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/run"
)

var (
	python = flag.String("python", "", "interpreter of TestPython; empty: python3, if it has NumPy")
	keep   = flag.String("keep", "", "directory that gets what TestPython hands to Python")
)

// float32Tolerance bounds relative distances between two ways of computing in float32: sums have
// other orders, of some hundred terms, in some ten layers. Measured: 3e-6. With bf16, plume rounds
// factors to 8 bits and the others do not; measured: 0.05, after four steps of a sampler.
const float32Tolerance, bf16Tolerance = 2e-5, 0.1

// The reader in Python, in NumPy and in PyTorch, and onnxruntime compute what plume computes.
// `make test-python` installs all three; elsewhere what python3 lacks is skipped.
func TestPython(t *testing.T) {
	interpreter := *python
	if interpreter == "" {
		interpreter = "python3"
		if err := exec.Command(interpreter, "-c", "import numpy").Run(); err != nil {
			t.Skip("python3 has no NumPy: `make test-python` makes an environment that has it")
		}
	}
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	for _, name := range names() {
		hand(t, name, filepath.Join(dir, name))
	}
	cmd := exec.Command(interpreter, filepath.Join("..", "..", "bench", "reader", "check.py"), dir)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s\n%s", interpreter, out)
	check(t, err)
	lines := readmeLines(t) + "assert images.shape == (16, 2, 3, 1)"
	example := exec.Command(interpreter, "-c", lines)
	example.Dir = filepath.Join(dir, "mlp")
	reader, err := filepath.Abs(filepath.Join("..", "..", "bench", "reader"))
	check(t, err)
	example.Env = append(cmd.Env, "PYTHONPATH="+reader)
	if out, err := example.CombinedOutput(); err != nil {
		t.Errorf("the lines of query/README.md: %v\n%s", err, out)
	}
}

// readmeLines is the Python in the document about using a model.
func readmeLines(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "query", "README.md"))
	check(t, err)
	_, rest, found := strings.Cut(string(text), "```python\n")
	lines, _, ended := strings.Cut(rest, "```")
	if !found || !ended || strings.Count(lines, "\n") != 5 {
		t.Fatal("query/README.md has no five lines of Python")
	}
	return lines
}

// hand stores an example's exports, and what plume computes with it.
func hand(t *testing.T, example, dir string) {
	t.Helper()
	check(t, os.MkdirAll(dir, 0o777))
	r := examples[example].store(t)
	m, err := FromRun(r, Options{})
	check(t, err)
	for _, ending := range Endings {
		check(t, m.Write(file.OS, filepath.Join(dir, "model"+ending)))
	}
	for name, x := range computed(t, r) {
		dims := []int{3, len(x) / 3}
		if s := examples[example].picture; name == "x" {
			dims = []int{3, s.H, s.W, s.C}
		}
		check(t, npy.WriteFile(filepath.Join(dir, name+".npy"), x, dims...))
	}
	tolerance := float32Tolerance
	if m.Precision != "float32" {
		tolerance = bf16Tolerance
	}
	text, err := json.Marshal(map[string]any{"precision": m.Precision, "tolerance": tolerance})
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "about.json"), text, 0o666))
}

// computed is three rows of inputs and outputs of a run's networks.
func computed(t *testing.T, r *run.Run) map[string][]float32 {
	t.Helper()
	const n = 3
	g, err := r.Generator(true, 1)
	check(t, err)
	defer g.Close()
	d := g.Latent()
	z, lambda := reference.Normals(n*d, 1, 1), []float32{-7, 0.3, 6}
	all := map[string][]float32{"z": z, "lambda": lambda}
	var condition []float32
	if k := g.Conditions(); k > 0 {
		condition = make([]float32, n*k) // the first row has none
		condition[k], condition[3*k-1] = 1, 1
		all["condition"] = condition
	}
	m := g.Model()
	if m.Decoder.Conditions() > 0 {
		all["decoded"] = decoded(g.Dim(), func(x []float32) { g.Decode(x, z, condition) })
	} else {
		all["decoded"] = decoded(g.Dim(), func(x []float32) { g.Decode(x, z, nil) })
	}
	if g.Encodes() {
		x := reference.Normals(n*g.Dim(), 2, 1)
		mean, logvar := make([]float32, n*d), make([]float32, n*d)
		g.Encode(mean, logvar, x, condition)
		all["x"], all["mean"], all["logvar"] = x, mean, logvar
	}
	all["sampled"] = sampled(m, z, condition)
	if score := scoreOf(m.Prior); score != nil {
		all["eps"] = noise(score, m.PriorP[:score.Layout().Size()], z, lambda, condition)
	}
	return all
}

func decoded(dim int, decode func(x []float32)) []float32 {
	x := make([]float32, 3*dim)
	decode(x)
	return x
}

// sampled is what DDIM makes of three rows of noise in 4 steps.
func sampled(m generate.Model, noise, condition []float32) []float32 {
	z := slices.Clone(noise)
	s := m.Prior.NewSampler(nil, m.PriorP, model.Size{Rows: 3, Tile: 3, Passes: 1})
	for i := range s.PackTasks() {
		s.Pack(i)
	}
	s.Sample(z, []uint64{0, 1, 2}, prior.SampleSpec{
		Solver: diffusion.DDIM, Steps: 4, Condition: condition,
	})
	return z
}

// noise is eps of rows, by the network itself.
func noise(score *model.Net, p, z, lambda, condition []float32) []float32 {
	tape := score.NewTape(nil, p, model.Size{Rows: len(lambda), Tile: 1, Passes: 1}, model.Evaluate)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	d, eps := score.In(), make([]float32, len(z))
	for i, l := range lambda {
		pass := tape.Take(0, 1)
		row := z[i*d : (i+1)*d]
		copy(pass.In(0), row)
		if k := score.Conditions(); k > 0 {
			pass.SetCondition(condition[i*k:(i+1)*k], 0, 1)
		}
		pass.ForwardAt(l)
		copy(eps[i*d:], pass.Out())
		pass.Release()
		kernel.Combine(eps[i*d:(i+1)*d], 1, row, float32(diffusion.Sigma(float64(l))), nil, 0)
	}
	return eps
}
