package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

var python = flag.String("python", "python3", "interpreter of the tests with PyTorch")

// streamEncoder is the stream of the draws of q(z|x) (trainer/ALGORITHM.md, section 9).
const streamEncoder kernel.Stream = 17

const recordedSteps, recordedImages = 3, 5

// recording is a few steps of plume's vae+diffusion, with their noise.
type recording struct {
	config config.Config
	method.Method
	rows  data.Dataset
	state map[string][]float32
}

// smallTwin returns a small twin of the given precision; it skips the test without PyTorch.
func smallTwin(t *testing.T, precision blas.Precision) *twin {
	t.Helper()
	m, err := newMeasurer(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	n := native{m, config.VAEDiffusion, precision}
	got, err := newTwin(t.Context(), n, *python, t.TempDir())
	if err != nil {
		t.Skipf("no PyTorch (-args -python PATH names another interpreter): %v", err)
	}
	return got
}

// recorded returns vae+diffusion at the start, with the default options but small networks, and an
// output layer of the score network that is not zero: its zeros would hide the layers before it.
func recorded(t *testing.T, w *twin) *recording {
	t.Helper()
	c, err := w.resolved(1, 3)
	if err != nil {
		t.Fatal(err)
	}
	c.Latent, c.EncoderWidths, c.DecoderWidths = 4, []int{20, 12}, []int{16, 24}
	c.ScoreWidth, c.ScoreBlocks, c.ScoreFeatures, c.Batch = 16, 2, 6, 30
	p := pool.New(2)
	t.Cleanup(p.Close)
	r := &recording{config: c, rows: data.Subset(w.all, data.Range(0, 90))}
	r.state = map[string][]float32{}
	r.Method, err = method.New(c.Method, method.Setup{
		Options: c.Options, Train: r.rows, Batch: c.Batch, Tile: c.Tile, Seed: c.Seed, Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range r.Tensors() {
		r.state[tensor.Name] = tensor.F32
	}
	prior := r.state["prior/params"]
	last := prior[len(prior)-17*4:]
	kernel.Normal(last, kernel.Key{Seed: 1, Stream: 99}, 0)
	kernel.Scale(last, 0.05)
	for _, name := range []string{"decoder", "encoder"} { // so that outputs go beyond -1 and 1
		kernel.Scale(r.state[name+"/params"], 3)
	}
	for _, name := range networks {
		copy(r.state[name+"/ema"], r.state[name+"/params"])
	}
	r.Restored()
	return r
}

var networks = []string{"encoder", "decoder", "prior"}

// noise is what the script reads of step k: rows, shares of the levels, and noise of both kinds.
func (r *recording) noise(index []int, k uint32) [][]float32 {
	n, c := len(index), r.config
	x, ids := make([]float32, n*r.rows.Shape().Dim()), make([]uint64, n)
	r.rows.Gather(x, index)
	for i, m := range index {
		ids[i] = uint64(m)
	}
	key := kernel.Key{Seed: c.Seed, Step: k, Stream: diffusion.StreamLambda}
	perm, u, share := make([]int, n), make([]float32, 1), make([]float32, n)
	kernel.Uniform(u, key, 1<<32)
	kernel.Perm(perm, key)
	for i, p := range perm {
		share[i] = (float32(p) + u[0]) / float32(n)
	}
	list := [][]float32{x, share}
	for _, stream := range []kernel.Stream{streamEncoder, diffusion.StreamScoreNoise} {
		key.Stream = stream
		eps := make([]float32, n*c.Latent)
		kernel.NormalRows(eps, ids, c.Latent, key)
		list = append(list, eps)
	}
	return list
}

// steps makes the recorded steps, and returns what the script has to arrive at: gradients of the
// first step, parameters, averages and images, and sums of the last step.
func (r *recording) steps(t *testing.T, w *twin) (want []part, sums [2]float64) {
	t.Helper()
	noise := [][]float32{}
	for k := range recordedSteps {
		index := data.Range(k*r.config.Batch, (k+1)*r.config.Batch)
		noise = append(noise, r.noise(index, uint32(k))...)
		stats, err := r.Step(method.Minibatch{Index: index, Number: uint32(k)})
		if err != nil {
			t.Fatal(err)
		}
		if k == 0 {
			for _, name := range networks { // Adam's first moment after one step is a tenth of it
				g := append([]float32{}, r.state[name+"/moment1"]...)
				kernel.Scale(g, 10)
				want = append(want, part{"gradient of " + name, g})
			}
		}
		constant := float64(r.config.Latent) * (1 + math.Log(2*math.Pi)) * float64(len(index))
		sums = [2]float64{stats.SquareError, 2*stats.Entropy - constant}
	}
	for _, what := range []string{"params", "ema"} {
		for _, name := range networks {
			want = append(want, part{what + " of " + name, r.state[name+"/"+what]})
		}
	}
	g := r.Generator(true)
	z, ids := make([]float32, recordedImages*r.config.Latent), make([]uint64, recordedImages)
	for i := range ids {
		ids[i] = uint64(i)
	}
	key := kernel.Key{Seed: r.config.Seed, Stream: diffusion.StreamSamplePrior}
	kernel.NormalRows(z, ids, r.config.Latent, key)
	images := make([]float32, recordedImages*g.Dim())
	err := g.Sample(context.Background(), images, recordedImages, generate.Spec{
		Solver: r.config.Solver, Steps: r.config.SolverSteps, Seed: r.config.Seed,
	})
	if err == nil {
		err = w.write("noise", append(noise, z)...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(want, part{"images", images}), sums
}

// part is an array that both sides compute.
type part struct {
	name string
	x    []float32
}

// TestTwin: with the same parameters and noise PyTorch's twin arrives at plume's gradients,
// parameters, averages and images, to the rounding of float32, or of factors in bf16, which both
// sides round at different places.
func TestTwin(t *testing.T) {
	for _, c := range []struct {
		precision blas.Precision
		tolerance float64
	}{{blas.Float32, 1e-5}, {blas.BF16, 0.02}} {
		t.Run(string(c.precision), func(t *testing.T) {
			w := smallTwin(t, c.precision)
			r := recorded(t, w)
			steps := w.describe(r.config, r.rows.Shape().Dim(), recordedImages, recordedSteps)
			start := [][]float32{}
			for _, name := range networks {
				start = append(start, r.state[name+"/params"])
			}
			if err := w.write("start", start...); steps != nil || err != nil {
				t.Fatal(steps, err)
			}
			want, sums := r.steps(t, w)
			answer, err := w.run(t.Context(), "check", w.dir)
			if err != nil {
				t.Fatal(err)
			}
			var got [2]float64
			if _, err := fmt.Sscan(answer, &got[0], &got[1]); err != nil {
				t.Fatalf("answer %q: %v", answer, err)
			}
			for i, name := range []string{"squared errors", "log-variances"} {
				if d := math.Abs(got[i]-sums[i]) / math.Abs(sums[i]); !(d <= c.tolerance) {
					t.Errorf("%s: %v, plume has %v", name, got[i], sums[i])
				}
			}
			checked, err := os.ReadFile(filepath.Join(w.dir, "checked"))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range want {
				x := make([]float32, len(p.x))
				n, err := binary.Decode(checked, binary.LittleEndian, x)
				if err != nil {
					t.Fatalf("%s: %v", p.name, err)
				}
				checked = checked[n:]
				if d := distance(x, p.x); !(d <= c.tolerance) {
					t.Errorf("%s differ by %.2g of their norm, more than %.2g", p.name, d,
						c.tolerance)
				}
			}
			if len(checked) > 0 {
				t.Errorf("%d bytes too many", len(checked))
			}
		})
	}
}

// distance is the norm of the difference, as a share of the norm of y.
func distance(x, y []float32) float64 {
	var d, n float64
	for i := range y {
		d += math.Pow(float64(x[i]-y[i]), 2)
		n += math.Pow(float64(y[i]), 2)
	}
	return math.Sqrt(d / n)
}
