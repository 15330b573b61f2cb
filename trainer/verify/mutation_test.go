package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
)

// sites are where the mistakes are made. In their Go code mutant(name, right, wrong) is wrong when
// the environment asks for the mistake of that name, and flip(name, x, factor) multiplies x then.
var sites = []site{
	{"trainer/likelihood", "Gaussian.backward", "pass.Backward(r.G)", `$
		flip("sign of the decoder's drift", r.G, -1)
		flip("factor 2 in the decoder's drift", r.G, 2)`},
	{"trainer/likelihood", "Clipped.Gradient", "kernel.Clip(pass.Out())", `
		if mutant("outputs that are not cut off", true, false) {
			$
		}`},
	{"trainer/method", "flow.runPrior", "Clock: f.setup.Clock, })", `$
		flip("sign of the prior's drift", p, -1)`},
	{"trainer/method", "network.reduce", "rows.Grad = n.g", `$
		switch n.number {
		case decoderNet:
			rows.Scale *= mutant("phi's gradient without 1/N", 1, float32(each)) *
				mutant("phi's gradient without 1/B", 1, float32(w.points)) *
				mutant[float32]("sign of phi's gradient", 1, -1)
		case priorNet:
			rows.Scale *= mutant("theta's gradient without 1/N", 1, float32(each)) *
				mutant("theta's gradient without 1/B", 1, float32(w.points)) *
				mutant[float32]("sign of theta's gradient", 1, -1)
		}`},
	{"trainer/method", "network.follow", "math.Sqrt(float64(s.Train.Len()*o.Particles))",
		`mutant("ipla's noise without the root of N", 1., math.Sqrt(1/float64(o.Particles))) /
			mutant("ipla's noise over M N, not its root", $, float64(s.Train.Len()*o.Particles))`},
	{"trainer/method", "network.average", "float32(1/float64(n.summed+1))",
		`mutant("soul's gradient without 1/K", $, 1)`},
	{"trainer/method", "variational.throughDraws", "/2 - 0.5",
		`/mutant[float32]("factor 2 in the gradient through the draws", 2, 1) -
			mutant[float32]("sign of the entropy", 0.5, -0.5)`},
	{"trainer/optim", "Optimizer.perturb", "math.Sqrt(2*o.lr)",
		`mutant("ipla's noise without sqrt", mutant("factor 2 in ipla's noise", 1., 2)*$, 2*o.lr)`},
	{"trainer/optim", "Optimizer.accelerate", "math.Sqrt(o.lr)",
		`mutant("mpgd's momentum without sqrt", $, o.lr)`},
	{"trainer/particle", "newTransition", "math.Sqrt(f*(2-f))",
		`mutant("exact transition's noise without sqrt", $, f*(2-f))`},
	{"trainer/particle", "newTransition", "2*f*logTail(f, 3)",
		`mutant("factor 2 in the exact transition's noise", 1., 2)*$`},
	// In words of two numbers, or not, as the path has them.
	{"blas", "workspace.lay", "kernel.InterleavePairs(dst, src, lds, cols, n, 1)",
		`kernel.InterleavePairs(dst, src, lds, cols, n,
			mutant[float32]("right factors rounded down", 1, 1-1./512))`},
	{"blas", "workspace.lay", "kernel.RoundRows(dst, ldd, src, lds, cols, n, 1)",
		`kernel.RoundRows(dst, ldd, src, lds, cols, n,
			mutant[float32]("right factors rounded down", 1, 1-1./512))`},
	{"blas", "workspace.layAcross", "kernel.RoundHalves(dst, ldd, src, lds, rows, n, 1)",
		`kernel.RoundHalves(dst, ldd, src, lds, rows, n,
			mutant[float32]("left factors rounded down", 1, 1-1./512))`},
	{"blas", "workspace.layAcross", "kernel.RoundRows(dst, ldd, src, lds, n, rows, 1)",
		`kernel.RoundRows(dst, ldd, src, lds, n, rows,
			mutant[float32]("left factors rounded down", 1, 1-1./512))`},
	{"blas", "order.pairPanels", "kernel.InterleavePairs(to, src, x.stride, n, rows, x.alpha)",
		`kernel.InterleavePairs(to, src, x.stride, n, rows,
			x.alpha*mutant[float32]("right factors rounded down", 1, 1-1./512))`},
	{"blas", "order.pairPanels", "kernel.InterleavePairsT(to, src, x.stride, n, rows, x.alpha)",
		`kernel.InterleavePairsT(to, src, x.stride, n, rows,
			x.alpha*mutant[float32]("right factors rounded down", 1, 1-1./512))`},
	{"blas", "Rounded.Set",
		"kernel.RoundRows(r.data, r.stride, x.Data, x.Stride, x.Cols, x.Rows, 1)",
		`kernel.RoundRows(r.data, r.stride, x.Data, x.Stride, x.Cols, x.Rows,
			mutant[float32]("left factors rounded down", 1, 1-1./512))`},
	{"kernel", "RoundToColumns", "roundGroups(dst, HalfCols/2, ss, src, ld, rows, n, 1)",
		`roundGroups(dst, HalfCols/2, ss, src, ld, rows, n,
			mutant[float32]("left factors rounded down", 1, 1-1./512))`},
	{"kernel", "Overdamped", "m.root(), 2,", `m.root(),
		mutant[float32]("factor 2 in the noise", 1, 4)*
		mutant[float32]("factor 2 in the noise's variance", 1, 2)*
		mutant[float32]("noise 2h, not its root", 2, 4*m.H[0]),`},
	{"kernel", "Underdamped", "2*m.Friction, 1-m.Friction",
		`mutant[float32]("factor 2 in the underdamped noise's variance", 2, 4)*
			mutant[float32]("underdamped noise without friction", m.Friction, 1),
			1-mutant[float32]("factor 2 in the friction", 1, 2)*m.Friction`},
}

// boundSites are those of the bound, which only a diffusion prior has.
var boundSites = []site{
	{"trainer/diffusion", "BoundTape.levels", "t.Span() * a * s",
		`mutant("factor 2 in the bound's direct drift", 1., 2)*
			mutant("sign of the bound's direct drift", 1., -1)*$`},
	{"trainer/diffusion", "BoundTape.levels", "a / w",
		`mutant("factor 2 in the bound's drift through r", 1., 2)*$`},
	{"trainer/diffusion", "BoundTape.losses", "t.Span()/2",
		`mutant("bound without 1/2", $, t.Span())`},
	{"trainer/diffusion", "BoundTape.levels", "t.Span() * w",
		`mutant("sign of the score's gradient", 1., -1)*$`},
	{"trainer/diffusion", "BoundTape.Evaluate", "t.scoreDrift(r)", `$
		flip("sign of the score's drift", r.G, -1)`},
	{"trainer/diffusion", "Walk.ancestral", "-a*c*Sigma(s)), xi,",
		`mutant("sign of the ancestral step", 1., -1)*$`},
	{"trainer/diffusion", "Walk.ancestral", "math.Sqrt(c)",
		`mutant("ancestral noise without sqrt", $, c)`},
	{"trainer/prior", "diffusionTape.Reduce", "w.Scale /= float32(t.Draws())",
		`w.Scale = mutant("score's gradient without 1/(B N)", w.Scale/float32(t.Draws()), 1)`},
}

// mistakes are the names of mutants, and the experiment that must fail for each, in a precision
// unless that is float32.
var mistakes = []struct {
	only, names string
	precision   blas.Precision
}{
	{only: "law of theta", names: `sign of the decoder's drift
		factor 2 in the decoder's drift
		sign of the prior's drift
		sign of theta's gradient
		theta's gradient without 1/N
		theta's gradient without 1/B
		factor 2 in the noise
		factor 2 in the noise's variance
		noise 2h, not its root`},
	{only: "minibatches", names: `phi's gradient without 1/N
		phi's gradient without 1/B
		sign of phi's gradient`},
	{only: "velocities", names: `factor 2 in the underdamped noise's variance
		underdamped noise without friction
		factor 2 in the friction
		exact transition's noise without sqrt
		factor 2 in the exact transition's noise`},
	{only: "noisy parameters", names: `ipla's noise without the root of N
		ipla's noise over M N, not its root
		ipla's noise without sqrt
		factor 2 in ipla's noise`},
	{only: "mpgd", names: `mpgd's momentum without sqrt`},
	{only: "soul", names: `soul's gradient without 1/K`},
	{only: "cut-offs", names: `factor 2 in the bound's direct drift
		sign of the bound's direct drift
		factor 2 in the bound's drift through r`},
	{only: "value of the bound", names: `bound without 1/2`},
	{only: "posterior at every move", names: `sign of the score's drift`},
	{only: "clipped decoder", names: `outputs that are not cut off`},
	{only: "samples of a mixture", names: `ancestral noise without sqrt
		sign of the ancestral step`},
	{only: "Gaussian encoder", names: `sign of the entropy
		factor 2 in the gradient through the draws`},
	{only: "minimiser of theta", names: `sign of the score's gradient
		score's gradient without 1/(B N)`},
	{
		only: "products of a layer", precision: blas.BF16,
		names: `right factors rounded down
		left factors rounded down`,
	},
}

// mutantVariable names the mistake to make.
const mutantVariable = "PLUME_MUTANT"

// helpers is what each mutated package gets.
const helpers = `package %s

import "os"

var chosenMutant = os.Getenv("` + mutantVariable + `")

func mutant[T any](name string, right, wrong T) T {
	if chosenMutant == name {
		return wrong
	}
	return right
}

func flip(name string, x []float32, factor float32) {
	for i := range x {
		x[i] *= mutant(name, 1, factor)
	}
}

var _ = flip
`

// TestMutations: plume verify fails, with exit code 1 and a failed check, for each of many mistakes
// in the source that trains images, and passes without. All are in one program, built from mutated
// copies of the files; the environment says which one it makes.
func TestMutations(t *testing.T) {
	if info := kernel.Info(); info.Path != info.Available[0] {
		t.Skipf("%s narrows the kernels to %s: all paths have the same bits, so that the mistakes "+
			"are found by the same numbers as on %s, which is faster",
			kernel.EnvPath, info.Path, info.Available[0])
	}
	plume := buildMutants(t)
	run := func(name, only string, p blas.Precision) (failed []string, code int) {
		cmd := exec.Command(plume, "verify", "--json", "-q", "--only", only)
		if p != "" {
			cmd.Args = append(cmd.Args, "--precision", string(p))
		}
		cmd.Env = append(os.Environ(), mutantVariable+"="+name)
		out, err := cmd.Output()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		var report struct {
			Checks []struct{ Quantity, Verdict string }
		}
		if err := json.Unmarshal(out, &report); err != nil {
			t.Fatalf("mutant %q: %v in %q", name, err, out)
		}
		for _, c := range report.Checks {
			if c.Verdict != "ok" {
				failed = append(failed, c.Quantity)
			}
		}
		return failed, code
	}
	for _, m := range mistakes {
		if failed, code := run("", m.only, m.precision); code != 0 || len(failed) != 0 {
			t.Errorf("%s without a mistake: exit code %d, failed %q", m.only, code, failed)
		}
		for name := range strings.Lines(m.names) {
			name = strings.TrimSpace(name)
			if failed, code := run(name, m.only, m.precision); code != 1 || len(failed) == 0 {
				t.Errorf("%s: exit code %d, %d checks failed", name, code, len(failed))
			}
		}
	}
}

// buildMutants builds plume with all mistakes in it.
func buildMutants(t *testing.T) string {
	t.Helper()
	root, dir := moduleRoot(t), t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	put := func(path, text string) {
		copied := filepath.Join(dir, strings.ReplaceAll(path, "/", "-"))
		if err := os.WriteFile(copied, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(root, filepath.FromSlash(path))] = copied
	}
	files := mutated(t, root)
	if t.Failed() {
		t.FailNow()
	}
	for path, text := range files {
		put(path, text)
		folder := filepath.ToSlash(filepath.Dir(path))
		put(folder+"/mutant.go", fmt.Sprintf(helpers, filepath.Base(folder)))
	}
	described, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file, plume := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "plume")
	if runtime.GOOS == "windows" {
		plume += ".exe"
	}
	if err := os.WriteFile(file, described, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-overlay", file, "-o", plume, "./cmd/plume")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return plume
}

// mutated are the files of the sites with the mistakes put in.
func mutated(t *testing.T, root string) map[string]string {
	t.Helper()
	edits := map[string][]edit{}
	for _, s := range slices.Concat(sites, boundSites) {
		e, err := s.locate(root)
		if err != nil {
			t.Errorf("%v; adapt the site in this file, whose mistakes are %s", err, s.wrong)
			continue
		}
		edits[e.path] = append(edits[e.path], e)
	}
	files := map[string]string{}
	for path, list := range edits {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		files[path] = apply(t, string(text), list)
	}
	return files
}

// moduleRoot is the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// TestMutationSites: all sites are in the source, and each mistake is made at one of them.
func TestMutationSites(t *testing.T) {
	mutated(t, moduleRoot(t))
	for _, m := range mistakes {
		for name := range strings.Lines(m.names) {
			quoted := fmt.Sprintf("%q", strings.TrimSpace(name))
			makes := func(s site) bool { return strings.Contains(s.wrong, quoted) }
			if !slices.ContainsFunc(slices.Concat(sites, boundSites), makes) {
				t.Errorf("no site makes the mistake %s", quoted)
			}
		}
	}
}
