package method

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/internal/reference"
)

var stagedMethods = []config.Method{"pgd+diffusion", "two-stage"}

const stagedSteps = 12 // the last half fits the prior

// busyEncoder returns options that use all features of a method with an encoder.
func busyEncoder(particles int) config.Options {
	o := busy("underdamped", particles)
	o.EncoderWidths, o.PriorShare, o.PriorWarmup = []int{40, 9}, 0.5, 0
	return o
}

// stagedBatch is the minibatch of step k of a training of stagedSteps.
func stagedBatch(k int) Minibatch {
	b := data.NewBatches(testPoints, 5, 1)
	epoch, number := k/b.PerEpoch(), k%b.PerEpoch()
	return Minibatch{Index: b.At(epoch, number), Number: uint32(k),
		Progress: float64(k) / stagedSteps}
}

func startStaged(t *testing.T, name config.Method, o config.Options) *staged {
	return startMethod(t, name, o, 5, 2, 4).(*staged)
}

// values returns a copy of the named tensors of a method.
func values(m Method, names ...string) state {
	all := stateOf(m)
	for name := range all {
		if !slices.Contains(names, name) {
			delete(all, name)
		}
	}
	return all
}

// frozenTensors are the tensors that the second stage does not change.
var frozenTensors = []string{"decoder/params", "decoder/ema", "encoder/params", "encoder/ema",
	"cloud/z", "cloud/u"}

// The first stage is pgd or vae, with schedules that end with it; the prior does not change.
func TestFirstStage(t *testing.T) {
	for i, name := range stagedMethods {
		o := busyEncoder(2)
		o.LRSchedule, o.LREnd, o.StepSchedule, o.StepSizeEnd = "cosine", 0.1, "geometric", 0.001
		s := startStaged(t, name, o)
		alone := startMethod(t, []config.Method{config.PGD, config.VAE}[i], o, 5, 2, 4)
		prior := slices.Clone(s.prior.p)
		for k := range stagedSteps / 2 {
			b := stagedBatch(k)
			takeStep(t, s, b)
			b.Progress *= 2
			takeStep(t, alone, b)
		}
		tensor := values(alone, frozenTensors...).diff(values(s, frozenTensors...))
		if tensor != "" {
			t.Errorf("%s: %s differs from that of the method alone", name, tensor)
		}
		if s.second() || !slices.Equal(prior, s.prior.p) ||
			s.Diagnose(0.25).LR != s.learningRate(0.5) {
			t.Errorf("%s: the second stage began early", name)
		}
	}
}

// The second stage changes only the prior, with schedules of its own. A run that is extended stays
// in it.
func TestSecondStageKeepsTheFirst(t *testing.T) {
	for _, name := range stagedMethods {
		o := busyEncoder(2)
		o.LRSchedule, o.LREnd = "cosine", 0.1
		s := startStaged(t, name, o)
		for k := range stagedSteps/2 + 1 {
			takeStep(t, s, stagedBatch(k))
		}
		before := values(s, frozenTensors...)
		for k := stagedSteps/2 + 1; k <= stagedSteps; k++ {
			b, prior := stagedBatch(k), slices.Clone(s.prior.p)
			if k == stagedSteps {
				b.Progress = 0.1
			}
			takeStep(t, s, b)
			if tensor := before.diff(values(s, frozenTensors...)); tensor != "" {
				t.Errorf("%s, step %d: %s changes in the second stage", name, k, tensor)
			}
			if !s.second() || slices.Equal(prior, s.prior.p) {
				t.Errorf("%s, step %d: the prior does not change", name, k)
			}
		}
		d := s.Diagnose(0.75)
		if d.LR != s.learningRate(0.5) || !math.IsNaN(d.StepSize) ||
			!math.IsNaN(d.ExtraTemperature) {
			t.Errorf("%s: in the second stage %+v", name, d)
		}
	}
}

// The weights are frozen at their averages.
func TestFreezeKeepsTheAverage(t *testing.T) {
	for _, name := range stagedMethods {
		s := startStaged(t, name, busyEncoder(1))
		for k := range stagedSteps/2 + 1 {
			takeStep(t, s, stagedBatch(k))
		}
		decoder, encoder := s.first.networks()
		for _, n := range []*network{decoder, encoder} {
			if n != nil && !slices.Equal(n.p, n.opt.EMA) {
				t.Errorf("%s: the %s is not its average", name, n.name)
			}
		}
	}
}

// Until the second stage, samples are decoded from N(0, I), the first stage's prior; afterwards
// their latents have the mean and the scale of the training latents.
func TestSamplesOfBothStages(t *testing.T) {
	for _, name := range stagedMethods {
		o := smallEncoder()
		o.EMA, o.ScoreLR = 0.5, 1e-6 // the inner prior stays N(0, I)
		s := startStaged(t, name, o)
		if _, encoder := s.first.networks(); encoder != nil {
			for _, p := range [][]float32{encoder.p, encoder.opt.EMA} { // latents far from N(0, I)
				copy(p, reference.Normals(len(p), 5, 1))
			}
		}
		for k := range stagedSteps {
			if k == stagedSteps/2 {
				checkMoments(t, string(name)+", first stage", s, []float64{0, 0, 0},
					[]float64{1, 1, 1})
			}
			takeStep(t, s, stagedBatch(k))
		}
		mean, logScale := standardOf(s, s.prior.p)
		var std []float64
		for _, l := range logScale {
			std = append(std, math.Exp(float64(l)))
		}
		if math.Abs(std[0]-1) < 0.2 && math.Abs(float64(mean[0])) < 0.2 {
			t.Errorf("%s: the latents are N(0, 1) themselves, so nothing is tested", name)
		}
		checkMoments(t, string(name)+", second stage", s, reference.Wide(mean), std)
	}
}

// checkMoments compares the moments of 4,000 latents. Standard errors are 0.016 of a standard
// deviation for means, and 0.011 for standard deviations; the solver's error is of the same size.
func checkMoments(t *testing.T, what string, s *staged, mean, std []float64) {
	t.Helper()
	const n = 4000
	z := make([]float32, n*s.setup.Options.Latent)
	if err := s.Generator(true).SampleLatents(t.Context(), z, n, generate.Spec{
		Solver: "ancestral", Steps: 100, Seed: 1,
	}); err != nil {
		t.Fatal(err)
	}
	for j := range mean {
		var m, v float64
		for i := j; i < len(z); i += s.setup.Options.Latent {
			m += float64(z[i]) / n
		}
		for i := j; i < len(z); i += s.setup.Options.Latent {
			v += (float64(z[i]) - m) * (float64(z[i]) - m) / n
		}
		off, ratio := (m-mean[j])/std[j], math.Sqrt(v)/std[j]
		if math.Abs(off) > 0.08 || math.Abs(ratio-1) > 0.06 {
			t.Errorf("%s, dimension %d: mean %.3f, std %.3f, expected %v, %v", what, j, m,
				math.Sqrt(v), mean[j], std[j])
		}
	}
}

// carry copies the state of a into b.
func carry(a, b Method) {
	saved := a.Tensors()
	for i, to := range b.Tensors() {
		copy(to.F32, saved[i].F32)
		copy(to.U32, saved[i].U32)
		copy(to.F64, saved[i].F64)
	}
	b.Restored()
}

// A second stage needs a share of the training.
func TestStagesAreChecked(t *testing.T) {
	o := smallEncoder()
	o.PriorShare = 0
	for _, name := range append(slices.Clone(stagedMethods), "vae", "pgd") {
		if refused := validate(name, o) != nil; refused != slices.Contains(stagedMethods, name) {
			t.Errorf("%s with prior_share 0 refused: %v", name, refused)
		}
	}
}
