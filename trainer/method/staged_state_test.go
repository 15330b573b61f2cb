package method

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/pool"
)

// encoderMethods are the methods with an encoder, or a second stage.
var encoderMethods = []config.Method{"vae", "vae+diffusion", "two-stage", "pgd+diffusion"}

func trainEncoder(t *testing.T, m Method, from, to int) {
	t.Helper()
	for k := from; k < to; k++ {
		takeStep(t, m, stagedBatch(k))
	}
}

// The same seed gives the same bits at any number of workers, in both stages, diagnostics and
// samples included.
func TestEncodersSameBitsAtAnyNumberOfWorkers(t *testing.T) {
	for i, name := range encoderMethods {
		t.Run(string(name), func(t *testing.T) {
			eachBLAS(t, func(t *testing.T) { sameEncoderBits(t, name, busyEncoder(1+2*(i%2))) })
		})
	}
}

func sameEncoderBits(t *testing.T, name config.Method, o config.Options) {
	var want state
	for _, workers := range few(2, 1, 3, 2) {
		m := startMethod(t, name, o, 5, workers, 4)
		trainEncoder(t, m, 0, stagedSteps)
		got := stateOf(m)
		got["diagnostics"] = m.Diagnose(0.9)
		x := make([]float32, 130*testDim)
		g := m.Generator(true)
		if err := g.Sample(t.Context(), x, 130, generate.Spec{
			Solver: "ancestral", Steps: 3, Seed: 5,
		}); err != nil {
			t.Fatal(err)
		}
		got["samples"] = x
		reconstruct(m, g, x[:3*testDim], []int{4, 0, 8})
		got["reconstructions"] = x[:3*testDim]
		if want == nil {
			want = got
		}
		if name := want.diff(got); name != "" {
			t.Errorf("%d workers: %s differs from one worker's", workers, name)
		}
	}
}

// The tensors are the whole state, saved before any step, also just before the second stage, at its
// start and in it: a fresh method continues with the same bits. Diagnose does not change the
// training.
func TestEncodersResumeAtAnyStep(t *testing.T) {
	for _, name := range encoderMethods {
		o := busyEncoder(2)
		o.PriorWarmup, o.ScoreWidth = 2, 20
		through := startMethod(t, name, o, 5, 1, 4)
		saved := make([]Method, stagedSteps)
		var stats Stats
		for k := range saved {
			saved[k] = startMethod(t, name, o, 5, 1, 4)
			carry(through, saved[k])
			b := stagedBatch(k - k%2) // each minibatch twice
			b.Repeat, b.Progress = k%2, float64(k)/stagedSteps
			stats = takeStep(t, through, b)
		}
		for k, m := range saved {
			m.Diagnose(0.1)
			var last Stats
			for l := k; l < stagedSteps; l++ {
				b := stagedBatch(l - l%2)
				b.Repeat, b.Progress = l%2, float64(l)/stagedSteps
				last = takeStep(t, m, b)
			}
			if last != stats {
				t.Errorf("%s, resumed before step %d: stats %+v, not %+v", name, k, last, stats)
			}
			if tensor := stateOf(through).diff(stateOf(m)); tensor != "" {
				t.Errorf("%s, resumed before step %d: %s differs", name, k, tensor)
			}
		}
	}
}

// A step allocates nothing, in either stage; the switch may.
func TestEncoderStepDoesNotAllocate(t *testing.T) {
	for _, name := range encoderMethods {
		o := busyEncoder(2)
		o.ScoreWidth, o.ScoreDraws = 40, 2
		m := startMethod(t, name, o, 6, 2, 4)
		for _, progress := range []float64{0, 0.5} {
			b := Minibatch{Index: []int{4, 2, 8, 1, 0}, Progress: progress}
			takeStep(t, m, b)
			n := testing.AllocsPerRun(20, func() {
				takeStep(t, m, b)
				b.Number++
			})
			if n != 0 {
				t.Errorf("%s at %v: a step allocates %v times", name, progress, n)
			}
		}
	}
}

// A generator that is filled from a checkpoint's tensors makes the samples of the method's own, in
// both stages.
func TestEncoderGeneratorFromTensors(t *testing.T) {
	for _, name := range encoderMethods {
		m := startMethod(t, name, busyEncoder(1), 5, 2, 4)
		for k := range stagedSteps {
			takeStep(t, m, stagedBatch(k))
			if k != 1 && k != stagedSteps-1 {
				continue
			}
			for _, ema := range []bool{false, true} {
				got, want := pictures(t, stored(t, name, m, ema)), pictures(t, m.Generator(ema))
				if !slices.Equal(got, want) {
					t.Errorf("%s after %d steps, averages %v: "+
						"a stored generator makes other images", name, k+1, ema)
				}
			}
		}
	}
}

// stored returns a generator filled from a method's tensors.
func stored(t *testing.T, name config.Method, m Method, ema bool) *generate.Generator {
	t.Helper()
	p := pool.New(1)
	t.Cleanup(p.Close)
	g, tensors, err := NewGenerator(name, busyEncoder(1), testRow, ema, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range tensors {
		i := slices.IndexFunc(m.Tensors(),
			func(x checkpoint.Tensor) bool { return x.Name == to.Name })
		if i < 0 {
			t.Fatalf("%s: no tensor %q in the state", name, to.Name)
		}
		copy(to.F32, m.Tensors()[i].F32)
		copy(to.U32, m.Tensors()[i].U32)
	}
	return g
}

// pictures returns samples, and the encoder's output for an image if there is an encoder.
func pictures(t *testing.T, g *generate.Generator) []float32 {
	t.Helper()
	d := g.Latent()
	x := make([]float32, 70*testDim+2*70*d)
	if err := g.Sample(t.Context(), x[:70*testDim], 70, generate.Spec{
		Solver: "ancestral", Steps: 3, Seed: 5,
	}); err != nil {
		t.Fatal(err)
	}
	if g.Encodes() {
		g.Encode(x[70*testDim:70*testDim+70*d], x[70*testDim+70*d:], x[:70*testDim], nil)
	}
	return x
}
