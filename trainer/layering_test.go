package trainer_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/plume-ml/plume"

// layers are the packages of the module, the lowest first. A package may import those of earlier
// rows, and none of its own row.
var layers = [][]string{
	{"asm"}, // and the instruction sets in it
	{"kernel"},
	{"blas"},
	{"trainer/comm", "trainer/file"},
	{"trainer/comm/mpi"},
	{
		"trainer/data/raster", "trainer/data/wav", "trainer/figure", "trainer/memory",
		"trainer/phase", "trainer/pool", "trainer/progress", "trainer/suggest",
	},
	{"trainer/data/columns", "trainer/data/files", "trainer/machine", "trainer/npy"},
	{"trainer/data", "trainer/layer"},
	{"trainer/model"},
	{
		"trainer/diffusion", "trainer/likelihood", "trainer/particle", "trainer/optim",
		"trainer/checkpoint", "trainer/metric",
		"trainer/picture", "trainer/record",
	},
	{"trainer/config", "trainer/pca"},
	{"trainer/prior"},
	{"trainer/generate", "trainer/fit"},
	{"trainer/classify", "trainer/infer", "trainer/method"},
	{"trainer/run"},
	{"trainer/query"},
	{"trainer/verify/exactnet"},
	{"trainer/verify/lab"},
	{
		"trainer/verify/linear", "trainer/verify/mixture", "trainer/verify/products",
		"trainer/verify/toy",
	},
	{"trainer/verify"},
	{"trainer"},
	{"trainer/evaluate", "trainer/monitor", "trainer/tensorboard"},
	{"trainer/compare", "trainer/page"},
	{"trainer/serve"},
	{"trainer/table", "trainer/export"}, // what they import reaches the commands alone
	{
		"cmd/plume", "bench", "bench/peers", "bench/quality", "bench/regress", "bench/soak",
		"cmd/plume/release",
	},
}

// strangers are what a package must not import although it lies lower: the parts of the trainer
// that know neither matrix products nor workers.
var strangers = map[string][]string{
	"trainer/diffusion":    {"blas", "trainer/pool"},
	"trainer/likelihood":   {"blas", "trainer/pool"},
	"trainer/prior":        {"blas", "trainer/pool"},
	"trainer/particle":     {"blas", "trainer/pool"},
	"trainer/optim":        {"blas", "trainer/pool"},
	"trainer/data":         {"blas", "trainer/pool"},
	"trainer/data/raster":  {"kernel", "blas", "trainer/pool"},
	"trainer/data/columns": {"kernel", "blas", "trainer/pool"},
	"trainer/data/files":   {"kernel", "blas", "trainer/pool"},
	"trainer/checkpoint":   {"blas", "trainer/pool", "kernel"},
}

// onlyIn are modules that are imported by one package alone.
var onlyIn = map[string]string{
	"github.com/parquet-go/parquet-go":   "trainer/table",
	"github.com/VictoriaMetrics/metrics": "trainer/monitor",
	"github.com/guptarohit/asciigraph":   "cmd/plume",
}

// cgo are the packages that may call C, each behind the build tag of its library: OpenBLAS and MPI.
var cgo = []string{"blas", "trainer/comm/mpi"}

// onlyForTests may be imported by tests alone.
var onlyForTests = []string{
	"internal/guard", "trainer/internal/faultfs", "trainer/internal/reference",
}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath        string
	Imports, CgoFiles []string
}

func (p listed) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// packages lists the packages of the module as they are built with the given tags and with cgo.
func packages(t *testing.T, tags string) (all []listed) {
	t.Helper()
	fields := "-json=ImportPath,Imports,CgoFiles"
	cmd := exec.Command("go", "list", fields, "-tags="+tags, module+"/...")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=1")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func layerOf(name string) int {
	if strings.HasPrefix(name, "asm/") {
		name = "asm"
	}
	return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, name) })
}

func TestLayers(t *testing.T) {
	for _, tags := range []string{"", "openblas", "mpi"} {
		seen := map[string]bool{}
		for _, p := range packages(t, tags) {
			seen[p.name()] = true
			checkPackage(t, p)
		}
		for _, l := range layers[1 : len(layers)-1] {
			for _, name := range l {
				if !seen[name] {
					t.Errorf("tags %q: go list did not report %s", tags, name)
				}
			}
		}
	}
}

func checkPackage(t *testing.T, p listed) {
	t.Helper()
	name := p.name()
	if len(p.CgoFiles) > 0 && !slices.Contains(cgo, name) {
		t.Errorf("%s uses cgo: %v", name, p.CgoFiles)
	}
	if slices.Contains(onlyForTests, name) {
		return
	}
	mine := layerOf(name)
	if mine < 0 {
		t.Errorf("%s has no place in the layers", name)
	}
	for _, path := range p.Imports {
		if only, ok := onlyIn[path]; ok && only != name {
			t.Errorf("%s imports %s, which is for %s", name, path, only)
		}
		other, inside := strings.CutPrefix(path, module+"/")
		if !inside {
			continue
		}
		theirs := layerOf(other)
		if theirs < 0 || theirs >= mine || slices.Contains(strangers[name], other) {
			t.Errorf("%s imports %s", name, other)
		}
	}
}
