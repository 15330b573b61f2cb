package method

import (
	"github.com/plume-ml/plume/trainer/internal/reference"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
)

// With noise on the parameters, a step of plain gradient descent adds sqrt(2 lr/(M N)) times
// normals at the parameters' own addresses, for each network with its learning rate.
func TestParamNoise(t *testing.T) {
	o := small()
	o.Particles = 2
	plain := newFlow(t, "ipld", o, testPoints)
	o.ParamNoise = 3
	f := newFlow(t, "ipld", o, testPoints)
	for _, f := range []*flow{plain, f} {
		mustStep(t, f, Minibatch{Index: []int{3, 1, 4}})
	}
	for i, n := range []*network{f.decoder, f.prior} {
		lr := []float64{o.LR, o.LR * o.ScoreLR}[i]
		xi := make([]float32, len(n.p))
		kernel.Normal(xi, kernel.Key{Seed: testSeed, Step: 1, Stream: optim.StreamParams},
			uint64(i)<<32)
		want, got := make([]float64, len(xi)), make([]float32, len(xi))
		for j, p := range []*network{plain.decoder, plain.prior}[i].p {
			want[j] = 3 * math.Sqrt(2*lr/(testPoints*2)) * float64(xi[j])
			got[j] = float32(float64(n.p[j]) - float64(p))
		}
		near(t, n.name, got, want, 1e-5) // a noise of 0.1 added to numbers near 1
	}
}

// Weight decay takes the share lr*decoder_decay of the decoder's parameters from a step, and
// nothing from the other networks, with particles as with an encoder.
func TestDecoderDecay(t *testing.T) {
	o := small()
	decayed := o
	decayed.DecoderDecay = 2
	for i, pair := range [][2][]*network{
		func() (n [2][]*network) {
			for i, o := range []config.Options{o, decayed} {
				f := newFlow(t, "ipld", o, testPoints)
				mustStep(t, f, Minibatch{Index: []int{3, 1, 4}})
				n[i] = []*network{f.decoder, f.prior}
			}
			return n
		}(),
		func() (n [2][]*network) {
			for i, o := range []config.Options{o, decayed} {
				v := newVariational(t, "vae+diffusion", o, testPoints)
				takeStep(t, v, Minibatch{Index: []int{3, 1, 4}})
				n[i] = []*network{v.decoder, v.prior, v.encoder}
			}
			return n
		}(),
	} {
		for j, n := range pair[1][1:] {
			if !slices.Equal(n.p, pair[0][1+j].p) {
				t.Errorf("case %d: the decay reached the %s", i, n.name)
			}
		}
		start := reference.Normals(len(pair[0][0].p), 20, 0.4)
		want, got := make([]float64, len(start)), make([]float32, len(start))
		for j, p := range pair[1][0].p {
			want[j] = -2 * o.LR * float64(start[j])
			got[j] = float32(float64(p) - float64(pair[0][0].p[j]))
		}
		near(t, "decay", got, want, 1e-5) // a small difference of numbers near 1
	}
}

// setDefaults sets the named method's own defaults.
func setDefaults(t *testing.T, name config.Method, o *config.Options) {
	t.Helper()
	m, err := find(name)
	if err != nil {
		t.Fatal(err)
	}
	if m.defaults != nil {
		m.defaults(o)
	}
}

// The defaults of the methods, and the options that they refuse.
func TestParticleDefaults(t *testing.T) {
	for _, name := range flowMethods {
		o := small()
		o.Dynamics, o.BatchRepeats = "underdamped", 4
		setDefaults(t, name, &o)
		if err := validate(name, o); err != nil {
			t.Errorf("%s refuses its own defaults: %v", name, err)
		}
		want := map[config.Method]particle.Dynamics{"ipld": "underdamped", "mpgd": "exact"}[name]
		if want == "" {
			want = "overdamped"
		}
		if o.Dynamics != want || (o.ParamNoise == 1) != (name == "ipla") ||
			(o.ParamDrag > 0) != (name == "mpgd") {
			t.Errorf("%s: dynamics %s, parameter noise %v, drag %v", name, o.Dynamics, o.ParamNoise,
				o.ParamDrag)
		}
		o.Particles = 2
		if refused := validate(name, o) != nil; refused != (name == "shortrun" || name == "abp") {
			t.Errorf("%s: two particles refused: %v", name, refused)
		}
	}
	o := small()
	o.CatchUp = 2
	if validate("shortrun", o) == nil || validate("abp", o) != nil {
		t.Error("catch_up: expected shortrun to refuse it, and abp not to")
	}
	o = small()
	o.DecoderDecay = 1 / o.LR
	if len(o.Validate()) != 1 {
		t.Errorf("a decay of everything: %v", o.Validate())
	}
	o = small()
	o.ParamNoise, o.ParamDrag = 1, 0.1
	if len(o.Validate()) != 1 {
		t.Errorf("noise and drag together: %v", o.Validate())
	}
}

// busyMethods returns busy options for the methods with the features in which they differ, and for
// ipld with the features that it can share with them, on networks of several tasks.
func busyMethods(t *testing.T) map[string]config.Options {
	t.Helper()
	all := map[string]config.Options{}
	for _, name := range flowMethods[1:] {
		o := busy("underdamped", 1)
		setDefaults(t, name, &o)
		o.InnerSteps = min(o.InnerSteps, 3)
		if name == "shortrun" {
			o.CatchUp = 0
		}
		if o.Particles = 2; validate(name, o) != nil {
			o.Particles = 1
		}
		all[string(name)] = o
	}
	noise, momentum := busy("underdamped", 2), busy("exact", 2)
	noise.ParamNoise, momentum.ParamDrag = 1, 0.1
	all["ipld noise"], all["ipld momentum"] = noise, momentum
	return all
}

// methodOf returns the method of a name in busyMethods.
func methodOf(name string) config.Method { return config.Method(strings.Fields(name)[0]) }

// As TestSameBitsAtAnyNumberOfWorkers, and over a restart: a state that was carried over between
// two steps continues with the same bits, with any number of workers.
func TestParticleMethodsKeepTheirBits(t *testing.T) {
	const batch, steps, cut = 5, 12, 5
	for name, o := range busyMethods(t) {
		t.Run(name, func(t *testing.T) {
			eachBLAS(t, func(t *testing.T) {
				start := func(workers int) *flow {
					return startFlow(t, methodOf(name), o, batch, workers)
				}
				want := trainFlow(t, start(1), batch, steps)
				for _, workers := range []int{1, 2, 3} {
					first, second := start(workers), start(workers)
					trainPart(t, first, batch, steps, 0, cut)
					saved := first.Tensors()
					for i, to := range second.Tensors() {
						copy(to.F32, saved[i].F32)
						copy(to.U32, saved[i].U32)
						copy(to.F64, saved[i].F64)
					}
					second.Restored()
					second.Diagnose(0)
					trainPart(t, second, batch, steps, cut, steps)
					if tensor := want.diff(stateOf(second)); tensor != "" {
						t.Errorf("%d workers, continued: %s differs", workers, tensor)
					}
				}
			})
		})
	}
}

// trainPart makes steps from to to (exclusive) of those of trainFlow.
func trainPart(t *testing.T, f *flow, batch, steps, from, to int) {
	t.Helper()
	b := data.NewBatches(testPoints, batch, 1)
	for k := from; k < to; k++ {
		index, done := b.At(k/b.PerEpoch(), k%b.PerEpoch()), float64(k)/float64(steps)
		mustStep(t, f, Minibatch{Index: index, Number: uint32(k), Progress: done})
	}
}

func TestParticleStepsDoNotAllocate(t *testing.T) {
	for name, o := range busyMethods(t) {
		o.ScoreWidth = 40 // as in TestStepDoesNotAllocate
		f := newFlow(t, methodOf(name), o, 6)
		b := Minibatch{Index: []int{4, 2, 8, 1, 0}}
		if n := testing.AllocsPerRun(20, func() {
			mustStep(t, f, b)
			b.Number++
		}); n != 0 {
			t.Errorf("%s: a step allocates %v times", name, n)
		}
	}
}
