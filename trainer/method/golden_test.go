package method

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// The golden test compares forward values, all gradients, ten training steps and the samplers with
// what testdata/golden.py recorded from PyTorch in float64, an implementation that shares nothing
// with this one but the definitions.
const goldenFile = "testdata/golden.safetensors"

// Tolerances of deviations as shares of the recorded numbers' root mean square. Each parameter
// tensor of a network is compared separately, so that small gradients count as much as large ones.
// The tolerances are three to ten times the largest deviations seen with OpenBLAS and gonum (in
// brackets); native must pass with them too.
//
// Float32 rounds by 6e-8. Products of some dozen terms, and phases of up to 50 in the sinusoids,
// make the error a few times larger. The normals of the noise agree to 4e-7.
//
// Parameters and averages are compared by how far they moved from the start, so that the starting
// values cannot hide a wrong rule. They moved by as little as 1e-3 of their size, so that their
// rounding alone is 1e-4 of the distance. Adam adds to this: its first step is lr*sign(g), so that
// an element with a gradient of nearly zero has a large relative error, and at worst the wrong
// sign. This affects only that element, and hardly the root mean square of its tensor: nothing is
// left out, but the bound on the largest element is looser. The second moment adds the rounding of
// 0.999 to float32, 1.3e-5 of 1 - 0.999; PyTorch keeps it in float64.
var (
	forwardTolerance  = reference.Tolerance{RMS: 1e-6, Largest: 5e-6} // (1.5e-7, 7e-7)
	gradientTolerance = reference.Tolerance{RMS: 5e-6, Largest: 2e-5} // (9e-7, 3e-6)
	cloudTolerance    = reference.Tolerance{RMS: 2e-6, Largest: 1e-5} // (4e-7, 1.1e-6)
	sampleTolerance   = reference.Tolerance{RMS: 4e-6, Largest: 2e-5} // (6e-7, 2.4e-6)
	momentTolerance   = reference.Tolerance{RMS: 1e-4, Largest: 1e-3} // (2.5e-5, 1.5e-4)
	movedTolerance    = reference.Tolerance{RMS: 5e-4, Largest: 2e-3} // (1e-4, 3.5e-4)
)

const (
	initTolerance   = 1e-7 // of numbers in (-1, 1); 3e-8
	normalTolerance = 2e-6 // absolute; 4e-7
	sumTolerance    = 5e-6 // of the column's largest; 6e-7
)

func TestGolden(t *testing.T) {
	g := reference.ReadRecorded(t, goldenFile)
	t.Run("normals", func(t *testing.T) { normals(t, g) })
	var cases []string
	for name, text := range g.Metadata {
		if strings.Contains(text, "[options]") {
			cases = append(cases, name)
		}
	}
	slices.Sort(cases)
	if len(cases) == 0 {
		t.Errorf("%s holds no case", goldenFile)
	}
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			eachBLAS(t, func(t *testing.T) { newGoldenRun(t, g, name).run() })
		})
	}
}

func normals(t *testing.T, g *reference.Recorded) {
	keys, values := g.Take(t, "normals/keys"), g.Take(t, "normals/values")
	n := len(values) / (len(keys) / 6)
	for i, k := range slices.Collect(slices.Chunk(keys, 6)) {
		key := kernel.Key{Seed: uint64(k[0]) | uint64(k[1])<<32, Step: uint32(k[2]),
			Stream: kernel.Stream(k[3])}
		got := make([]float32, n)
		kernel.Normal(got, key, uint64(k[4])|uint64(k[5])<<32)
		compareAbs(t, fmt.Sprintf("normals of %+v", key), got, values[i*n:(i+1)*n], normalTolerance)
	}
}

// goldenRun is one case under test.
type goldenRun struct {
	*testing.T
	*reference.Recorded
	name   string
	config config.Config
	images goldenImages
	flow   *flow
	start  map[string][]float64 // parameters that the steps start from
}

func newGoldenRun(t *testing.T, g *reference.Recorded, name string) *goldenRun {
	r := &goldenRun{T: t, Recorded: g, name: name, start: map[string][]float64{}}
	r.config = config.Common() // for keys that are newer than the record
	keys := strings.Replace(g.Metadata[name], "[options]\n", "", 1)
	if _, err := r.config.Parse(goldenFile, []byte(keys)); err != nil {
		t.Fatal(err)
	}
	if err := r.config.Options.Validate().Err(); err != nil {
		t.Fatal(err)
	}
	x := reference.Float32s(r.want("x"))
	r.images = goldenImages{x: x, dim: g.Shape(t, name+"/x")[1]}
	p := pool.New(2)
	t.Cleanup(p.Close)
	m, err := New(r.config.Method, Setup{
		Options: r.config.Options, Train: r.images, Batch: r.config.Batch, Tile: 4,
		Seed: r.config.Seed, Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.flow = m.(*flow)
	return r
}

func (r *goldenRun) want(name string) []float64 {
	r.Helper()
	return r.Take(r.T, r.name+"/"+name)
}

func (r *goldenRun) recorded(name string) bool { return r.Has(r.name + "/" + name) }

// compare holds got - want to the tolerance's shares of want - origin.
func (r *goldenRun) compare(what string, got []float32, want, origin []float64,
	tol reference.Tolerance) {
	r.Helper()
	tol.Compare(r.T, what, got, want, origin)
}

func (r *goldenRun) run() {
	r.initial()
	r.restore()
	r.forward()
	r.samples()
	r.steps()
	r.AllRead(r.T, r.name+"/")
}

// initial compares the initial state of the seed with the recorded one.
func (r *goldenRun) initial() {
	compareAbs(r.T, "decoder's first parameters", r.flow.decoder.p, r.want("init/decoder/params"),
		initTolerance)
	if r.recorded("init/prior/params") {
		compareAbs(r.T, "prior's first parameters", r.flow.prior.p, r.want("init/prior/params"),
			initTolerance)
	}
	compareAbs(r.T, "first cloud", r.flow.cloud.Z, r.want("init/cloud/z"), normalTolerance)
}

// restore sets the flow to the recorded starting state, as a checkpoint does.
func (r *goldenRun) restore() {
	for _, tensor := range r.flow.Tensors() {
		if !r.recorded("start/" + tensor.Name) {
			continue
		}
		want := r.want("start/" + tensor.Name)
		copy(tensor.F32, reference.Float32s(want))
		copy(tensor.F64, want)
		r.start[tensor.Name] = want
	}
	r.flow.Restored()
}

func packForward(p model.Packer) {
	for i := range p.PackTasks() {
		p.Pack(i)
	}
}

func (r *goldenRun) forward() {
	z := reference.Float32s(r.want("forward/z"))
	decoder := forwarded(r.flow.setup.Decoder, r.flow.decoder.p, z)
	r.compare("decoder's output", decoder, r.want("forward/decoder"), nil, forwardTolerance)
	if prior, ok := r.flow.setup.Prior.(*prior.Diffusion); ok {
		lambda := reference.Float32s(r.want("forward/lambda"))
		residual := forwarded(prior.Score, r.flow.prior.p, z, lambda)
		r.compare("score residual", residual, r.want("forward/residual"), nil, forwardTolerance)
	}
}

// forwarded is the output of a network for all rows of its inputs.
func forwarded(net *model.Net, p []float32, inputs ...[]float32) []float32 {
	rows := len(inputs[0]) / net.In()
	tape := net.NewTape(nil, p, model.Size{Rows: rows}, model.Evaluate)
	packForward(tape)
	pass := tape.Take(0, rows)
	for i, x := range inputs {
		copy(pass.In(i), x)
	}
	pass.Forward()
	return pass.Out()
}

func (r *goldenRun) samples() {
	if r.config.Method == "pgd" {
		return
	}
	var steps map[string]int
	r.Decode(r.T, "samples", &steps)
	generator := r.flow.Generator(false)
	for _, solver := range diffusion.Solvers {
		want := r.want("sample/" + string(solver) + "/z")
		n := len(want) / r.config.Options.Latent
		z, x := make([]float32, len(want)), make([]float32, n*r.images.dim)
		if err := generator.SampleLatents(r.Context(), z, n, generate.Spec{
			Solver: solver, Steps: steps[string(solver)], Seed: r.config.Seed,
		}); err != nil {
			r.Fatal(err)
		}
		generator.Decode(x, z, nil)
		r.compare(string(solver)+" latents", z, want, nil, sampleTolerance)
		r.compare(string(solver)+" images", x, r.want("sample/"+string(solver)+"/x"), nil,
			sampleTolerance)
	}
}

const goldenSteps = 10

// steps takes the recorded minibatches and compares the state after each.
func (r *goldenRun) steps() {
	var columns []string
	r.Decode(r.T, "stats", &columns)
	stats := make([][]float64, len(columns))
	repeats := r.config.Options.BatchRepeats
	batches := data.NewBatches(r.images.Len(), r.config.Batch, r.config.Seed)
	for k := range goldenSteps {
		number := k / repeats
		s, err := r.flow.Step(Minibatch{
			Index:  batches.At(number/batches.PerEpoch(), number%batches.PerEpoch()),
			Number: uint32(number), Repeat: k % repeats, Progress: float64(k) / goldenSteps,
		})
		if err != nil {
			r.Fatalf("step %d: %v", k+1, err)
		}
		if k == 0 {
			r.gradients()
		}
		values := map[string]float64{
			"SquareError": s.SquareError, "DataLoss": s.DataLoss, "PriorLoss": s.PriorLoss,
			"Moved": s.Moved, "Clipped": s.Clipped, "Anchor": s.Anchor,
		}
		for i, c := range columns {
			stats[i] = append(stats[i], values[c])
		}
		r.state(fmt.Sprintf("step%02d/", k+1))
	}
	r.sums(columns, stats)
}

// gradients compares the gradients of the last evaluation of the step just made.
func (r *goldenRun) gradients() {
	f := r.flow
	n := len(f.batch.IDs) * f.setup.Options.Latent
	r.compare("first step: drift by the decoder", f.batch.G[:n], r.want("first/decoder_drift"), nil,
		gradientTolerance)
	r.compare("first step: drift by the prior", f.batch.P[:n], r.want("first/prior_drift"), nil,
		gradientTolerance)
	r.byLayer("first step: gradient", f.decoder, f.decoder.g, r.want("first/decoder_grad"), nil,
		gradientTolerance)
	if r.recorded("first/lambda") {
		want := r.want("first/lambda")
		r.compare("first step: levels lambda", r.levels(), want, nil, forwardTolerance)
		r.byLayer("first step: gradient", f.prior, f.prior.g, r.want("first/prior_grad"), nil,
			gradientTolerance)
	}
}

// levels are those of the prior's rows in the last evaluation. They are read off the slowest
// sinusoid, whose argument is within a quarter of a turn, when the prior evaluates the rows again.
func (r *goldenRun) levels() (all []float32) {
	f, n := r.flow, len(r.flow.batch.IDs)
	f.priorTape.Visit(func(v model.Values) {
		for i := 0; v.Layer == "sinusoids" && i < len(v.X); i += v.Width {
			all = append(all, float32(math.Asin(float64(v.X[i]))/0.05))
		}
	})
	defer f.priorTape.Visit(nil)
	for i := range f.now.tiles.Count {
		lo, hi := f.now.tiles.Rows(i)
		f.priorTape.Evaluate(diffusion.Rows{
			Lo: lo, Hi: hi, Z: f.batch.Rows(f.batch.Z, lo, hi), IDs: f.batch.IDs[lo:hi],
			Loss: make([]float32, hi-lo),
		})
	}
	if len(all) != n*f.priorTape.Draws() {
		r.Fatalf("%d levels of %d rows", len(all), n)
	}
	return all
}

// state compares everything that was recorded after a step.
func (r *goldenRun) state(step string) {
	for _, tensor := range r.flow.Tensors() {
		if tensor.U32 != nil || !r.recorded(step+tensor.Name) {
			continue
		}
		want := r.want(step + tensor.Name)
		owner, field, _ := strings.Cut(tensor.Name, "/")
		net := map[string]*network{"decoder": r.flow.decoder, "prior": r.flow.prior}[owner]
		switch {
		case net == nil && tensor.F64 != nil:
			compareAbs(r.T, step+tensor.Name, tensor.F64, want, sumTolerance)
		case net == nil:
			r.compare(step+tensor.Name, tensor.F32, want, nil, cloudTolerance)
		case field == "params" || field == "ema":
			r.byLayer(step+tensor.Name, net, tensor.F32, want, r.start[tensor.Name], movedTolerance)
		default:
			r.byLayer(step+tensor.Name, net, tensor.F32, want, nil, momentTolerance)
		}
	}
}

// sums compares the stats of all steps, column by column.
func (r *goldenRun) sums(columns []string, got [][]float64) {
	want := r.want("stats")
	for i, c := range columns {
		var scale float64
		column := make([]float64, goldenSteps)
		for k := range column {
			column[k] = want[k*len(columns)+i]
			scale = max(scale, math.Abs(column[k]))
		}
		compareAbs(r.T, c+" of the steps", got[i], column, sumTolerance*scale)
	}
}

// byLayer compares each parameter tensor of a network by itself.
func (r *goldenRun) byLayer(what string, net *network, got []float32, want, origin []float64,
	tol reference.Tolerance) {
	r.Helper()
	layout := r.flow.setup.Decoder.Layout()
	if net == r.flow.prior {
		layout = r.flow.setup.Prior.Layout()
	}
	for _, p := range layout.Params() {
		lo, hi := p.Offset, p.Offset+p.Len
		var from []float64
		if origin != nil {
			from = origin[lo:hi]
		}
		r.compare(what+", "+net.name+" "+p.Name, got[lo:hi], want[lo:hi], from, tol)
	}
}
