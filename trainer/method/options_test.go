package method

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/particle"
)

var everyPoint = []int{0, 1, 2, 3, 4, 5, 6, 7, 8}

// For the first W steps the prior is held at N(0, I) and theta does not change; then it learns.
func TestPriorWarmup(t *testing.T) {
	o := small()
	o.PriorWarmup, o.Optimizer, o.EMA = 3, "adam", 0.9
	f := newFlow(t, "ipld", o, testPoints)
	theta := slices.Clone(f.prior.p)
	for step := range 5 {
		z, phi := slices.Clone(f.cloud.Z), slices.Clone(f.decoder.p)
		s := mustStep(t, f, Minibatch{Index: everyPoint})
		if slices.Equal(f.decoder.p, phi) {
			t.Fatalf("step %d: the decoder did not learn", step)
		}
		held := slices.Equal(f.batch.P, z) && slices.Equal(f.prior.p, theta) &&
			slices.Equal(f.prior.opt.EMA, theta) && f.prior.opt.Steps[0] == 0
		if held != (step < o.PriorWarmup) {
			t.Errorf("step %d: prior held at N(0, I): %v", step, held)
		}
		if step < o.PriorWarmup {
			want := reference.Square(reference.Wide(z))/2 + float64(len(z))/2*math.Log(2*math.Pi)
			nearNumber(t, "PriorLoss", s.PriorLoss, want, 1e-6)
		}
	}
	if n := f.prior.opt.Steps[0]; n != 2 {
		t.Errorf("%d steps of theta after 5 with a warm-up of 3", n)
	}
}

// K inner steps are K moves with fresh noise and fresh draws, at unchanged parameters, and a
// parameter step with the gradient of the last.
func TestInnerSteps(t *testing.T) {
	o := small()
	o.InnerSteps, o.Dynamics, o.DriftClip = 3, "underdamped", 1e-9
	inner := newFlow(t, "ipld", o, testPoints)
	o.InnerSteps = 1
	single := newFlow(t, "ipld", o, testPoints)
	single.setup.Options.LR = 0

	s := mustStep(t, inner, Minibatch{Index: everyPoint})
	var sum Stats
	for range 3 {
		sum.Add(mustStep(t, single, Minibatch{Index: everyPoint}))
	}
	if !slices.Equal(inner.cloud.Z, single.cloud.Z) ||
		!slices.Equal(inner.cloud.U, single.cloud.U) {
		t.Error("three inner moves are not three moves at the same parameters")
	}
	if inner.counts[countMoves] != 3 || inner.counts[countSteps] != 1 ||
		inner.decoder.opt.Steps[0] != 1 {
		t.Errorf("moves, steps %d, optimiser steps %d: expected [3 1], 1", inner.counts,
			inner.decoder.opt.Steps)
	}
	if s.Moved != 3*testPoints || s.Clipped != sum.Clipped || s.Rows != testPoints || s.Steps != 1 {
		t.Errorf("stats %+v", s)
	}
	for i, n := range []*network{inner.decoder, inner.prior} {
		other := []*network{single.decoder, single.prior}[i]
		if !slices.Equal(n.g, other.g) {
			t.Errorf("%s: the gradient is not that of the last move", n.name)
		}
		if slices.Equal(n.p, other.p) {
			t.Errorf("%s: no parameter step", n.name)
		}
	}
}

// A datapoint that was not visited for k minibatches moves with min(k, catch_up) times the step;
// repeats of a minibatch and first visits move with one.
func TestCatchUp(t *testing.T) {
	visits := []Minibatch{
		{Index: []int{0, 1}, Number: 0},
		{Index: []int{0, 1}, Number: 0, Repeat: 1},
		{Index: []int{1, 2}, Number: 1},
		{Index: []int{3, 4}, Number: 2},
		{Index: []int{0, 2}, Number: 3},
		{Index: []int{1, 3}, Number: 6},
	}
	for catchUp, want := range map[int][][]int{
		0: {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
		1: {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
		4: {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {3, 2}, {4, 4}}, // the last were 5 and 4 ago
		9: {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {3, 2}, {5, 4}},
	} {
		o := small()
		o.CatchUp, o.Particles = catchUp, 2
		f := newFlow(t, "pgd", o, 2)
		for i, b := range visits {
			mustStep(t, f, b)
			for row, h := range f.batch.H {
				if k := want[i][row/2]; h != float32(o.StepSize*float64(k)) {
					t.Errorf("catch_up %d, visit %d, row %d: step %v, expected %d times %v",
						catchUp, i, row, h, k, o.StepSize)
				}
			}
		}
	}
}

// The step size of a row is the one it moves with.
func TestCatchUpMoves(t *testing.T) {
	o := small()
	o.CatchUp = 5
	f := newFlow(t, "pgd", o, 1)
	mustStep(t, f, Minibatch{Index: []int{4}, Number: 0})
	before := slices.Clone(f.cloud.Z[4*o.Latent : 5*o.Latent])
	key := f.key(particle.StreamMove)
	mustStep(t, f, Minibatch{Index: []int{4}, Number: 3})
	checkMoved(t, f, 4, before, 3*o.StepSize, 1, key)
}

// checkMoved compares the move of datapoint m, alone in the batch with one particle, with
// -scale*h*g + sqrt(2h) xi.
func checkMoved(t *testing.T, f *flow, m int, before []float32, h, scale float64, key kernel.Key) {
	t.Helper()
	xi := make([]float32, f.setup.Options.Latent)
	kernel.NormalRows(xi, []uint64{uint64(m)}, f.setup.Options.Latent, key)
	got, want := make([]float32, f.setup.Options.Latent), make([]float64, f.setup.Options.Latent)
	for j, z := range f.cloud.Z[m*f.setup.Options.Latent : (m+1)*f.setup.Options.Latent] {
		got[j] = float32(float64(z) - float64(before[j]))
		drift := float64(f.batch.G[j]) + float64(f.batch.P[j])
		want[j] = -scale*h*drift + math.Sqrt(2*h)*float64(xi[j])
	}
	near(t, "move", got, want, gradTolerance)
}

// A limit between two rows' root mean squares of h*drift clips those above it, to that limit.
func TestDriftClip(t *testing.T) {
	o := small()
	rms := func(f *flow) []float64 {
		out := make([]float64, testPoints)
		for i := range out {
			for j := i * o.Latent; j < (i+1)*o.Latent; j++ {
				v := o.StepSize * (float64(f.batch.G[j]) + float64(f.batch.P[j]))
				out[i] += v * v / float64(o.Latent)
			}
			out[i] = math.Sqrt(out[i])
		}
		return out
	}
	free := newFlow(t, "pgd", o, testPoints)
	start := slices.Clone(free.cloud.Z)
	if s := mustStep(t, free, Minibatch{Index: everyPoint}); s.Clipped != 0 {
		t.Errorf("%v rows clipped without a limit", s.Clipped)
	}
	size := rms(free)
	sorted := slices.Sorted(slices.Values(size))
	o.DriftClip = (sorted[4] + sorted[5]) / 2

	f := newFlow(t, "pgd", o, testPoints)
	if s := mustStep(t, f, Minibatch{Index: everyPoint}); s.Clipped != 4 || s.Moved != testPoints {
		t.Errorf("%v of %v rows clipped, expected 4 of 9", s.Clipped, s.Moved)
	}
	for i := range testPoints {
		row := func(x []float32) []float32 { return x[i*o.Latent : (i+1)*o.Latent] }
		if size[i] < o.DriftClip && !slices.Equal(row(f.cloud.Z), row(free.cloud.Z)) {
			t.Errorf("row %d is below the limit and moved otherwise", i)
		}
		if size[i] > o.DriftClip { // got - free = (1 - scale) h g
			got, want := make([]float32, o.Latent), make([]float64, o.Latent)
			for j := range want {
				got[j] = row(f.cloud.Z)[j] - row(free.cloud.Z)[j]
				g := float64(row(f.batch.G)[j]) + float64(row(start)[j])
				want[j] = (1 - o.DriftClip/size[i]) * o.StepSize * g
			}
			// a small difference of numbers near 1
			near(t, "what the limit took away", got, want, 1e-3)
		}
	}
}

// The anchor's coefficient is a max(0, mean - 1) of the running mean of z^2, which starts at the
// cloud's and follows each batch by its share of the data.
func TestScaleAnchor(t *testing.T) {
	o := small()
	o.ScaleAnchor, o.Particles, o.InnerSteps = 3, 2, 2
	f := newFlow(t, "pgd", o, 4)
	if got := f.cloud.Stats().MeanSquare; f.meanSquare[0] != got {
		t.Fatalf("the running mean starts at %v, the cloud's is %v", f.meanSquare[0], got)
	}
	for _, start := range []float64{0.4, 2.5} {
		f.meanSquare[0] = start
		s := mustStep(t, f, Minibatch{Index: []int{3, 5, 1}})
		if math.Abs(s.Anchor-3*max(0, start-1)) > 1e-6 {
			t.Errorf("mean %v: anchor %v, expected %v", start, s.Anchor, 3*max(0, start-1))
		}
	}
	o.InnerSteps = 1
	f = newFlow(t, "pgd", o, 4)
	f.meanSquare[0] = 1.8
	mustStep(t, f, Minibatch{Index: []int{3, 5, 1}})
	var mean float64
	for _, m := range []int{3, 5, 1} {
		mean += reference.Square(reference.Wide(f.cloud.Z[m*6:(m+1)*6])) / 18
	}
	want := 1.8 + (mean-1.8)*3/testPoints
	if math.Abs(f.meanSquare[0]-want) > 1e-6 {
		t.Errorf("running mean %v, expected %v", f.meanSquare[0], want)
	}
}

// The average follows at rate 1 - min(decay, (1+t)/(10+t)), and generators with ema use it.
func TestEMA(t *testing.T) {
	o := small()
	o.EMA, o.LR = 0.3, 0.05
	f := newFlow(t, "ipld", o, testPoints)
	average := map[*network][]float64{}
	for _, n := range []*network{f.decoder, f.prior} {
		average[n] = reference.Wide(n.p)
	}
	for step := 1; step <= 6; step++ { // the warm-up ends after the third
		mustStep(t, f, Minibatch{Index: everyPoint})
		decay := min(0.3, float64(1+step)/float64(10+step))
		for n, avg := range average {
			for i, p := range n.p {
				avg[i] = decay*avg[i] + (1-decay)*float64(p)
			}
			near(t, n.name+" average", n.opt.EMA, avg, 1e-6)
		}
	}

	z := reference.Normals(2*o.Latent, 5, 1)
	for _, ema := range []bool{false, true} {
		values := reference.Wide(f.decoder.p)
		if ema {
			values = average[f.decoder]
		}
		got := make([]float32, 2*testDim)
		f.Generator(ema).Decode(got, z, nil)
		var want []float64
		for i := range 2 {
			x := reference.Wide(z[i*o.Latent : (i+1)*o.Latent])
			want = append(want, reference.MLP(params(f.setup.Decoder.Layout(), values), 3, x)...)
		}
		near(t, "decoded image", got, want, gradTolerance)
	}
	a, b := make([]float32, 2*o.Latent), make([]float32, 2*o.Latent)
	for ema, z := range map[bool][]float32{false: a, true: b} {
		if err := f.Generator(ema).SampleLatents(t.Context(), z, 2, generate.Spec{
			Solver: "ddim", Steps: 5, Seed: 1,
		}); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Equal(a, b) {
		t.Error("samples do not depend on the choice of the weights")
	}
}

func TestSchedules(t *testing.T) {
	o := small()
	o.StepSize, o.StepSizeEnd, o.StepSchedule = 0.04, 0.01, "geometric"
	o.LR, o.LREnd, o.LRSchedule, o.ScoreLR = 0.02, 0.1, "cosine", 3
	f := newFlow(t, "ipld", o, testPoints)
	for i, want := range []struct{ h, lr float64 }{{0.04, 0.02}, {0.02, 0.011}, {0.01, 0.002}} {
		phi, theta := slices.Clone(f.decoder.p), slices.Clone(f.prior.p)
		mustStep(t, f, Minibatch{Index: everyPoint, Progress: float64(i) / 2})
		if h := f.batch.H[0]; h != float32(want.h) {
			t.Errorf("step size %v at %v/2, expected %v", h, i, want.h)
		}
		checkSGD(t, f.decoder, phi, want.lr)
		checkSGD(t, f.prior, theta, 3*want.lr)
		d := f.Diagnose(float64(i) / 2)
		if math.Abs(d.StepSize-want.h) > 1e-12 || math.Abs(d.LR-want.lr) > 1e-12 {
			t.Errorf("diagnosed step size %v and rate %v, expected %v and %v", d.StepSize, d.LR,
				want.h, want.lr)
		}
	}
}

// checkSGD compares the parameters with before - lr*g.
func checkSGD(t *testing.T, n *network, before []float32, lr float64) {
	t.Helper()
	moved, want := make([]float32, len(before)), make([]float64, len(before))
	for i, p := range before {
		moved[i] = n.p[i] - p
		want[i] = -lr * float64(n.g[i])
	}
	near(t, n.name+" step", moved, want, 1e-4) // p near 1 is rounded to 6e-8, moves are near 1e-3
}

// Ten copies of a datapoint give theta and phi the gradient of one, because it is a mean over rows;
// the drift of each particle is not a mean and does not change.
func TestMeanForParametersSumForParticles(t *testing.T) {
	for _, particles := range []int{1, 4} {
		o := small()
		o.Particles = particles
		one := newFlow(t, "pgd", o, 1)
		many := newFlow(t, "pgd", o, testPoints)
		x := many.setup.Train.(table).X
		for i := range x {
			x[i] = one.setup.Train.(table).X[i%testDim]
		}
		for _, f := range []*flow{one, many} {
			for i := range f.cloud.Z {
				f.cloud.Z[i] = f.cloud.Z[i%o.Latent]
			}
		}
		mustStep(t, one, Minibatch{Index: []int{0}})
		mustStep(t, many, Minibatch{Index: everyPoint})
		near(t, "gradient by phi", many.decoder.g, reference.Wide(one.decoder.g), gradTolerance)
		want := reference.Wide(one.batch.G[:o.Latent])
		for row := range testPoints * particles {
			near(t, "drift", many.batch.Rows(many.batch.G, row, row+1), want, gradTolerance)
		}
	}
}

// Numbers that are not finite end the training with ErrDiverged, and say at which step.
func TestDiverged(t *testing.T) {
	o := small()
	o.LR = 1e30
	f := newFlow(t, "ipld", o, testPoints)
	for step := 1; ; step++ {
		_, err := f.Step(Minibatch{Index: everyPoint})
		if err != nil {
			checkDiverged(t, err, step)
			return
		}
		if step > 3 {
			t.Fatal("no error with absurd rates")
		}
	}
}

func checkDiverged(t *testing.T, err error, step int) {
	t.Helper()
	if want := fmt.Sprintf("step %d:", step); !errors.Is(err, ErrDiverged) ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("error %q: expected ErrDiverged at %s", err, want)
	}
}
