package method

import (
	"cmp"
	"errors"
	"fmt"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"math"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
)

var nan = float32(math.NaN())

// parts returns the networks of a method, including those of its first stage, by name.
func parts(m Method) map[string]*network {
	switch m := m.(type) {
	case *flow:
		return map[string]*network{"decoder": m.decoder, "prior": m.prior}
	case *variational:
		return map[string]*network{"encoder": m.encoder, "decoder": m.decoder, "prior": m.prior}
	case *staged:
		all := parts(m.first)
		all["prior"] = m.prior
		return all
	}
	panic("an unknown method")
}

func view(m Method, network, parameter string) []float32 {
	n := parts(m)[network]
	return n.layout.View(n.p, parameter)
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// poisoned makes the tasks that reduce the gradient of one network leave a NaN in it.
func poisoned(m Method, name, parameter string) {
	n := parts(m)[name]
	n.tape = poisonedTape{n.tape, &n.layout.View(n.g, parameter)[0], n.g}
}

type poisonedTape struct {
	weightTape
	at *float32 // of the gradient g
	g  []float32
}

func (p poisonedTape) GradPiece(piece int) (task int, done bool) {
	if task, done = p.weightTape.GradPiece(piece); !done {
		return task, false
	}
	for _, b := range p.Writes(task) {
		for lo, hi := range b.Runs() {
			for i := lo; i < hi; i++ {
				if &p.g[i] == p.at {
					p.g[i] = nan
				}
			}
		}
	}
	return task, true
}

// spoilt is a change to a method's state, and the fault that the next step must report.
type spoilt struct {
	method                    config.Method
	change                    func(m Method)
	kind                      Kind
	network, layer, parameter string
	datapoint                 int // -1: none
}

func (s spoilt) check(t *testing.T, m Method, progress float64) {
	t.Helper()
	s.change(m)
	_, err := m.Step(Minibatch{Index: everyPoint, Progress: progress})
	var f *Fault
	if !errors.As(err, &f) || !errors.Is(err, ErrDiverged) {
		t.Fatalf("%v: expected a fault", err)
	}
	datapoint := -1
	if f.Datapoint != nil {
		datapoint = *f.Datapoint
	}
	got := fmt.Sprint(f.Kind, "|", f.Network, "|", f.Layer, "|", f.Parameter, "|", datapoint)
	want := fmt.Sprint(s.kind, "|", s.network, "|", s.layer, "|", s.parameter, "|", s.datapoint)
	if got != want {
		t.Errorf("%q names %s; expected %s", err, got, want)
	}
	if f.Step != 1 || f.Value == "" || f.Try == "" || !strings.Contains(err.Error(), "step 1: ") {
		t.Errorf("%+v: expected a step, a value and what to try", f)
	}
}

// overflow makes activations of a decoder or an encoder overflow in its second layer.
func overflow(m Method, network string) {
	fill(view(m, network, "layer0.bias"), 1e30)
	fill(view(m, network, "layer1.weight"), 1e30)
}

// steep makes the gradient of a decoder overflow in a layer whose output is nearly zero.
func steep(m Method) {
	fill(view(m, "decoder", "layer1.bias"), -80)
	fill(view(m, "decoder", "layer2.weight"), 3e38)
}

// huge sets a pixel of datapoint 6 to a number whose square overflows.
func huge(m Method) {
	var train any
	switch m := m.(type) {
	case *flow:
		train = m.setup.Train
	case *variational:
		train = m.setup.Train
	}
	train.(table).X[6*testDim+2] = 1e30
}

// The fault names the first place in the order of computation, whatever the method and the kind. Of
// several waves, only the last one's gradients by layers are still there.
func TestFaultIsNamed(t *testing.T) {
	for _, faults := range []map[string]spoilt{flowFaults(), encoderFaults()} {
		for what, s := range faults {
			t.Run(what, func(t *testing.T) { s.check(t, spoilable(t, s.method, 0), 0) })
			t.Run(what+", three waves", func(t *testing.T) {
				if s.kind == InGradient && s.layer != "" {
					s.datapoint = everyPoint[6]
				}
				s.check(t, spoilable(t, s.method, 3), 0)
			})
		}
	}
}

// flowFaults are faults of methods with particles.
func flowFaults() map[string]spoilt {
	first := everyPoint[0]
	return map[string]spoilt{
		"flow, weight of the decoder": {
			"ipld", func(m Method) { view(m, "decoder", "layer1.weight")[8] = nan },
			InWeight, "decoder", "", "layer1.weight[1, 2]", -1,
		},
		"flow, weight of the prior": {
			"ipld", func(m Method) { view(m, "prior", "block1.w2.bias")[3] = nan },
			InWeight, "prior", "", "block1.w2.bias[3]", -1,
		},
		"flow, all particles": {
			"ipld", func(m Method) { fill(m.(*flow).cloud.Z, nan) },
			InParticle, "", "", "", first,
		},
		"flow, data": {"ipld", huge, InData, "", "", "", 6},
		"flow, decoder overflows": {
			"ipld", func(m Method) { overflow(m, "decoder") },
			InActivation, "decoder", "layer1", "", first,
		},
		"flow, loss overflows": {
			"pgd", func(m Method) { fill(view(m, "decoder", "layer2.bias"), 1e30) },
			InLoss, "decoder", "", "", first,
		},
		"flow, prior overflows": {"ipld", func(m Method) {
			fill(view(m, "prior", "in.bias"), 1e30)
			fill(view(m, "prior", "block0.w1.weight"), 1e30)
		}, InActivation, "prior", "block0.w1", "", first},
		"flow, prior's loss overflows": {
			"ipld", func(m Method) { fill(view(m, "prior", "out.bias"), 1e30) },
			InLoss, "prior", "", "", first,
		},
		"flow, gradient by a layer": {"pgd", steep, InGradient, "decoder", "layer1", "", first},
		"flow, gradient by a weight": {
			"ipld", func(m Method) { poisoned(m, "decoder", "layer1.bias") },
			InGradient, "decoder", "", "layer1.bias[0]", -1,
		},
		"flow, prior's gradient": {
			"ipld", func(m Method) { poisoned(m, "prior", "emb2.weight") },
			InGradient, "prior", "", "emb2.weight[0, 0]", -1,
		},
		"flow, noise on the weights": {
			"ipla", func(m Method) { poisoned(m, "decoder", "layer2.bias") },
			InGradient, "decoder", "", "layer2.bias[0]", -1,
		},
		"flow, mean of gradients": {
			"soul", func(m Method) { poisoned(m, "decoder", "layer0.bias") },
			InGradient, "decoder", "", "layer0.bias[0]", -1,
		},
		"flow, new weight": {
			"pgd", func(m Method) { m.Slow(1e60) },
			InWeight, "decoder", "", "layer0.weight[0, 0]", -1,
		},
	}
}

// encoderFaults are faults of methods with an encoder, or in the first of two stages.
func encoderFaults() map[string]spoilt {
	first := everyPoint[0]
	return map[string]spoilt{
		"encoder, weight": {
			"vae+diffusion", func(m Method) { view(m, "encoder", "layer0.weight")[1] = nan },
			InWeight, "encoder", "", "layer0.weight[0, 1]", -1,
		},
		"encoder, data": {"vae", huge, InData, "", "", "", 6},
		"encoder overflows": {
			"vae", func(m Method) { overflow(m, "encoder") },
			InActivation, "encoder", "layer1", "", first,
		},
		"encoder, decoder overflows": {
			"vae", func(m Method) { overflow(m, "decoder") },
			InActivation, "decoder", "layer1", "", first,
		},
		"encoder, prior's loss": {
			"vae+diffusion", func(m Method) { fill(view(m, "prior", "out.bias"), 1e30) },
			InLoss, "prior", "", "", first,
		},
		"encoder, gradient by a layer": {
			"vae", steep,
			InGradient, "decoder", "layer1", "", first,
		},
		"encoder, gradient by a weight": {
			"vae+diffusion", func(m Method) { poisoned(m, "encoder", "layer0.bias") },
			InGradient, "encoder", "", "layer0.bias[0]", -1,
		},
		"encoder, decoder's gradient": {
			"vae", func(m Method) { poisoned(m, "decoder", "layer2.bias") },
			InGradient, "decoder", "", "layer2.bias[0]", -1,
		},
		"encoder, new weight": {
			"vae", func(m Method) { m.Slow(1e60) },
			InWeight, "encoder", "", "layer0.weight[0, 0]", -1,
		},
		"stage 1 of particles, decoder": {
			"pgd+diffusion", func(m Method) { overflow(m, "decoder") },
			InActivation, "decoder", "layer1", "", first,
		},
		"stage 1 of encoder, new weight": {
			"two-stage", func(m Method) { m.Slow(1e60) },
			InWeight, "encoder", "", "layer0.weight[0, 0]", -1,
		},
	}
}

// spoilable returns a method with random parameters far from the initial ones, and the given number
// of rows in a wave.
func spoilable(t *testing.T, name config.Method, wave int) Method {
	t.Helper()
	o := small()
	o.EncoderWidths, o.PriorShare = []int{6, 7}, 0.5
	switch name {
	case "soul":
		o.InnerSteps = 2
	case "ipla":
		o.ParamNoise = 1
	}
	m := wavesMethod(t, name, o, testPoints, 2, min(4, cmp.Or(wave, 4)), wave)
	for i, n := range []string{"decoder", "prior", "encoder"} {
		if n := parts(m)[n]; n != nil {
			copy(n.p, reference.Normals(len(n.p), uint64(20+i), 0.4))
		}
	}
	return m
}

// The first step of a second stage names faults of the prior, and of the first stage.
func TestFaultOfTheSecondStage(t *testing.T) {
	first := everyPoint[0]
	for what, s := range map[string]spoilt{
		"weight": {
			"pgd+diffusion", func(m Method) { view(m, "prior", "in.weight")[0] = nan },
			InWeight, "prior", "", "in.weight[0, 0]", -1,
		},
		"particles": {
			"pgd+diffusion", func(m Method) { m.(*staged).first.(*flow).cloud.Z[first*3] = nan },
			InParticle, "", "", "", first,
		},
		"frozen decoder": {
			"pgd+diffusion", func(m Method) { overflow(m, "decoder") },
			InActivation, "decoder", "layer1", "", 0,
		},
		"frozen encoder": {
			"two-stage", func(m Method) { overflow(m, "encoder") },
			InActivation, "encoder", "layer1", "", 0,
		},
		"loss": {
			"two-stage", func(m Method) { fill(view(m, "prior", "out.bias"), 1e30) },
			InLoss, "prior", "", "", first,
		},
		"gradient": {
			"pgd+diffusion", func(m Method) { poisoned(m, "prior", "emb1.bias") },
			InGradient, "prior", "", "emb1.bias[0]", -1,
		},
		"weight, new": {
			"two-stage", func(m Method) { m.Slow(1e60) },
			InWeight, "prior", "", "emb1.weight[0, 0]", -1,
		},
		"prior's activation": {
			"two-stage", func(m Method) {
				fill(view(m, "prior", "emb1.bias"),
					1e30)
				fill(view(m, "prior", "emb2.weight"), 1e30)
			},
			InActivation, "prior", "emb2", "", first,
		},
	} {
		t.Run(what, func(t *testing.T) {
			s.check(t, spoilable(t, s.method, 0), 0.6)
		})
	}
}

// A few particles that are not finite are drawn anew, and the step continues; afterwards all
// particles are finite.
func TestFewParticlesAreDrawnAnew(t *testing.T) {
	for _, dynamics := range particle.AllDynamics {
		o := small()
		o.Dynamics = dynamics
		f := newFlow(t, "ipld", o, testPoints)
		f.cloud.Z[4*o.Latent+1] = nan
		if f.cloud.U != nil {
			f.cloud.U[4*o.Latent] = nan
		}
		s := mustStep(t, f, Minibatch{Index: everyPoint})
		if s.Redrawn != 1 || kernel.NotFinite(f.cloud.Z) >= 0 ||
			f.cloud.U != nil && kernel.NotFinite(f.cloud.U) >= 0 {
			t.Errorf("%s: %v particles were drawn anew; cloud %v", dynamics, s.Redrawn, f.cloud.Z)
		}
	}
}

// The norms of gradients are over all chunks, and do not depend on the number of workers.
func TestGradientNorm(t *testing.T) {
	for _, name := range []config.Method{"ipld", "vae+diffusion", "soul"} {
		var first [3]float64
		for i, workers := range []int{1, 3} {
			o := small()
			o.EncoderWidths = []int{6, 7}
			m := startMethod(t, name, o, testPoints, workers, 4)
			s := takeStep(t, m, Minibatch{Index: everyPoint})
			for _, n := range parts(m) {
				var square float64
				for _, g := range n.g {
					square += float64(g) * float64(g)
				}
				// Sums of at most 300 squares in single precision.
				if got := s.GradientNorm[n.number]; math.Abs(got-math.Sqrt(square)) > 1e-5*got ||
					len(n.p) > 0 && got == 0 {
					t.Errorf("%s, %s: norm %v, expected %v", name, n.name, got, math.Sqrt(square))
				}
			}
			if i == 0 {
				first = s.GradientNorm
			} else if first != s.GradientNorm {
				t.Errorf("%s: norms %v with one worker, %v with %d", name, first, s.GradientNorm,
					workers)
			}
		}
	}
}

// A step at half speed is one of half the step size and learning rate.
func TestSlow(t *testing.T) {
	for _, name := range []config.Method{"ipld", "mpgd", "vae", "two-stage", "pgd+diffusion"} {
		for _, done := range []float64{0, 0.7} {
			o := small()
			o.EncoderWidths, o.PriorShare = []int{6, 7}, 0.5
			half := o
			half.StepSize, half.StepSizeEnd, half.LR = o.StepSize/2, o.StepSizeEnd/2, o.LR/2
			slow := startMethod(t, name, o, testPoints, 2, 4)
			want := startMethod(t, name, half, testPoints, 2, 4)
			slow.Slow(0.5)
			takeStep(t, slow, Minibatch{Index: everyPoint, Progress: done})
			takeStep(t, want, Minibatch{Index: everyPoint, Progress: done})
			if diff := stateOf(slow).diff(stateOf(want)); diff != "" {
				t.Errorf("%s at %v: %s differs", name, done, diff)
			}
			a, b := slow.Diagnose(done), want.Diagnose(done)
			same := a.StepSize == b.StepSize ||
				math.IsNaN(a.StepSize) && math.IsNaN(b.StepSize) // no particles move
			if a.LR != b.LR || !same {
				t.Errorf("%s at %v: %+v, expected %+v", name, done, a, b)
			}
		}
	}
}

// Every network shows what each of its layers computed, forward and backward.
func TestLayersAreSeen(t *testing.T) {
	f := newFlow(t, "ipld", small(), testPoints)
	mustStep(t, f, Minibatch{Index: everyPoint})
	forward := func(see func(func(model.Values)), run func()) (s string) {
		see(func(v model.Values) { s += v.Layer + " " })
		run()
		see(nil)
		return s
	}
	backward := func(all []model.Values) (s string) {
		for _, v := range all {
			s += v.Layer + " "
		}
		return s
	}
	pass := f.decoderTape.Take(0, 1)
	defer pass.Release()
	row := diffusion.Rows{
		Hi: 1, Z: f.batch.Rows(f.batch.Z, 0, 1), IDs: f.batch.IDs[:1], Loss: make([]float32, 1),
	}
	for _, c := range []struct{ got, want string }{
		{
			forward(func(v func(model.Values)) { pass.Visit = v }, pass.Forward),
			"layer0 layer0.silu layer1 layer1.silu layer2 ",
		},
		{backward(f.decoderTape.Gradients()), "layer2 layer1 layer0 "},
		{
			forward(f.priorTape.Visit, func() { f.priorTape.Evaluate(row) }),
			"sinusoids emb1 emb1.silu emb2 in block0.silu block0.w1 block0.w1.silu block0.w2 " +
				"block0 block1.silu block1.w1 block1.w1.silu block1.w2 block1 out ",
		},
		{
			backward(f.priorTape.Gradients()),
			"out block1.w2 block1.w1 block0.w2 block0.w1 in emb2 emb1 ",
		},
	} {
		if c.got != c.want {
			t.Errorf("layers %s; expected %s", c.got, c.want)
		}
	}
}

// Places are told by the indices of the array, whatever its dimensions.
func TestPlace(t *testing.T) {
	for _, c := range []struct {
		shape []int
		i     int
		want  string
	}{
		{[]int{7}, 6, "[6]"}, {[]int{3, 4}, 7, "[1, 3]"},
		{[]int{3, 3, 4, 8}, ((2*3+1)*4+3)*8 + 5, "[2, 1, 3, 5]"},
	} {
		if got := place(c.shape, c.i); got != c.want {
			t.Errorf("element %d of %v: %s, want %s", c.i, c.shape, got, c.want)
		}
	}
}
