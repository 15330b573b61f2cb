package method

import (
	"fmt"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/prior"
)

type table = data.Table

// eachBLAS runs a test under every backend of this build. The flows of one subtest must not be used
// in another.
func eachBLAS(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	before := blas.Info().Backend
	for _, name := range blas.Available() {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() { useBLAS(t, before) })
			useBLAS(t, name)
			test(t)
		})
	}
}

func useBLAS(t *testing.T, name string) {
	t.Helper()
	if err := blas.Use(name); err != nil {
		t.Fatal(err)
	}
}

const (
	testSeed   = 11
	testPoints = 9 // datapoints M
	testDim    = 5 // numbers in each
)

// testLabels are the labels of the datapoints, of which one has none.
var testLabels = []int32{0, 1, 2, 0, 1, 2, 0, 1, -1}

// testData is random datapoints.
func testData() table {
	return table{D: testDim, X: reference.Normals(testPoints*testDim, 3, 1), Labels: testLabels}
}

// testRow is the shape of a datapoint.
var testRow = data.Shape{H: 1, W: testDim, C: 1}

// decoderOf and diffusionOf are the decoder and the diffusion prior that options describe.
func decoderOf(t testing.TB, o config.Options) *model.Net {
	t.Helper()
	net, err := newDecoder(nil, o, testRow)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func diffusionOf(t testing.TB, o config.Options) prior.Prior {
	t.Helper()
	p, err := newDiffusion(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// flowMethods are the methods whose engine is a flow.
var flowMethods = []config.Method{"ipld", "pgd", "mpgd", "ipla", "soul", "shortrun", "abp"}

// small are options of a small ipld with plain gradient descent, so that gradients can be read
// off from the parameters.
func small() config.Options {
	return config.Options{
		Precision: blas.Float32,
		Network:   config.MLP, Decoder: config.MLP, Score: config.ScoreMLP, Encoder: config.MLP,
		DecoderBlocks: 1, UNetBlocks: 1, CloudInit: config.FromNormal,
		Condition: config.Unconditional,
		Latent:    3, ObsNoise: 0.7, DecoderWidths: []int{7, 6},
		Likelihood: config.GaussianLikelihood,
		ScoreWidth: 6, ScoreBlocks: 2, ScoreFeatures: 4, LambdaMin: -6, LambdaMax: 5,
		Particles: 1, Dynamics: "overdamped", Friction: 0.3,
		StepSize: 0.02, StepSizeEnd: 0.02, StepSchedule: "constant",
		BatchRepeats: 1, InnerSteps: 1, ScoreDraws: 1, PriorWeight: "elbo", PriorDrift: "bound",
		PriorLevels: "uniform",
		Optimizer:   "sgd", LR: 0.01, LREnd: 1, LRSchedule: "constant", ScoreLR: 0.5,
	}
}

// newFlow builds the named method on testPoints random datapoints. Its parameters are random and
// far from the initial ones, with which the output of the score network is zero.
func newFlow(t testing.TB, name config.Method, o config.Options, batch int) *flow {
	t.Helper()
	f := startFlow(t, name, o, batch, 2)
	for i, n := range []*network{f.decoder, f.prior} {
		copy(n.p, reference.Normals(len(n.p), uint64(20+i), 0.4))
		copy(n.opt.EMA, n.p)
	}
	return f
}

// startFlow is newFlow with the initial parameters and the given number of workers.
func startFlow(t testing.TB, name config.Method, o config.Options, batch, workers int) *flow {
	t.Helper()
	return tiledFlow(t, name, o, batch, workers, 4)
}

// tiledFlow is startFlow with tiles of the given number of rows.
func tiledFlow(t testing.TB, name config.Method, o config.Options, batch, workers, tile int) *flow {
	t.Helper()
	return startMethod(t, name, o, batch, workers, tile).(*flow)
}

func mustStep(t testing.TB, f *flow, b Minibatch) Stats {
	t.Helper()
	s, err := f.Step(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reconstruct decodes latents of the training images of idx.
func reconstruct(m Method, g *generate.Generator, dst []float32, idx []int) {
	z := make([]float32, len(idx)*g.Latent())
	m.Latents(g, z, idx)
	g.Decode(dst, z, nil)
}

// state is a copy of all tensors, by name.
type state map[string]any

func stateOf(m Method) state {
	s := state{}
	for _, t := range m.Tensors() {
		switch {
		case t.F32 != nil:
			s[t.Name] = slices.Clone(t.F32)
		case t.U32 != nil:
			s[t.Name] = slices.Clone(t.U32)
		default:
			s[t.Name] = slices.Clone(t.F64)
		}
	}
	return s
}

// diff names a tensor in which two states differ in any bit, or is empty.
func (s state) diff(other state) string {
	if len(s) != len(other) {
		return fmt.Sprintf("%d tensors, not %d", len(other), len(s))
	}
	for name, x := range s {
		if fmt.Sprintf("%x", x) != fmt.Sprintf("%x", other[name]) {
			return name
		}
	}
	return ""
}

// params returns the parameters of one network for the reference.
func params(l *model.Layout, values []float64) reference.Params {
	views := map[string][]float64{}
	for _, p := range l.Params() {
		views[p.Name] = values[p.Offset : p.Offset+p.Len]
	}
	return func(name string) []float64 { return views[name] }
}

func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if reference.Square(want) == 0 {
		t.Errorf("%s: the reference is zero, so nothing is tested", what)
	}
	if d := reference.Distance(got, want); !(d <= tolerance) {
		t.Errorf("%s: relative distance %.2g, more than %g", what, d, tolerance)
	}
}

func nearNumber(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	near(t, what, []float32{float32(got)}, []float64{want}, tolerance)
}

// inPlainGo reports whether the kernels are those in plain Go, with which a training takes ten
// times as long. Their numbers are those of assembly, bit for bit, as package kernel tests; here it
// is enough that every method runs on them and keeps its golden bits.
func inPlainGo() bool { return kernel.Tiles() == kernel.PortableTiles }

// few is all cases, or in plain Go the first n.
func few[T any](n int, all ...T) []T {
	if inPlainGo() {
		return all[:n]
	}
	return all
}

// skipInPlainGo skips a test of all methods that would take minutes without assembly.
func skipInPlainGo(t *testing.T) {
	t.Helper()
	if inPlainGo() {
		t.Skip("it takes minutes without assembly, and other tests train convolutions there")
	}
}
