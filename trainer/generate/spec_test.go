package generate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// classy is a small model with random parameters and conditions of 3 numbers.
func classy() Model {
	m := Model{
		Decoder: model.NewConditionalMLP(nil, 3, testLatent, 7, testDim),
		Encoder: model.NewConditionalEncoder(nil, testDim, 3, testLatent, 6),
		Prior: &prior.Diffusion{
			Bound: diffusion.Bound{Process: diffusion.Process{Min: -6, Max: 5}, Draws: 1},
			Score: model.NewConditionalScore(nil, testLatent, 3, 6, 2, 4),
		},
		Classes: []uint32{500, 0, 300, 200},
	}
	m.DecoderP = reference.Normals(m.Decoder.Layout().Size(), 20, 0.4)
	m.PriorP = reference.Normals(m.Prior.Layout().Size(), 21, 0.4)
	m.EncoderP = reference.Normals(m.Encoder.Layout().Size(), 22, 0.4)
	return m
}

func classyGenerator(t *testing.T) *Generator {
	p := pool.New(2)
	t.Cleanup(p.Close)
	return New(nil, classy(), p.Workers(), p)
}

// Conditions that are not given are drawn with the shares of the classes in the data.
func TestConditionHasTheShares(t *testing.T) {
	g := classyGenerator(t)
	const n = 50000
	conditions := g.Condition(n, Spec{Seed: 4})
	counts := make([]float64, 4)
	for i := range n {
		class, ones := 3, float32(0)
		for k, v := range conditions[3*i : 3*i+3] {
			if ones += v; v == 1 {
				class = k
			}
		}
		if ones > 1 || class == 3 && ones != 0 {
			t.Fatalf("condition %v", conditions[3*i:3*i+3])
		}
		counts[class]++
	}
	for k, want := range []float64{0.5, 0, 0.3, 0.2} {
		se := math.Sqrt(want * (1 - want) / n)
		if math.Abs(counts[k]/n-want) > 4*se {
			t.Errorf("class %d: share %.4f, expected %v +- %.4f", k, counts[k]/n, want, 4*se)
		}
	}
	if !slices.Equal(conditions[:30], g.Condition(10, Spec{Seed: 4})) {
		t.Error("the first conditions depend on the number of images")
	}
	if slices.Equal(conditions[:300], g.Condition(100, Spec{Seed: 5})) {
		t.Error("another seed draws the same classes")
	}
	p := pool.New(1)
	defer p.Close()
	if got := New(nil, random(), 1, p).Condition(3, Spec{Seed: 4}); got != nil {
		t.Errorf("without conditions: %v", got)
	}
}

// Images without a condition of their own are those with the conditions that are drawn; each image
// depends on its own condition alone; Images and Encode read conditions.
func TestConditionsOfSamples(t *testing.T) {
	g := classyGenerator(t)
	const n = tileRows + 9
	spec := Spec{Solver: "ddim", Steps: 3, Seed: 7, Guidance: 1.5}
	sample := func(conditions []float32) []float32 {
		x := make([]float32, n*testDim)
		spec.Condition = conditions
		if err := g.Sample(t.Context(), x, n, spec); err != nil {
			t.Fatal(err)
		}
		return x
	}
	conditions := g.Condition(n, spec)
	all := sample(conditions)
	if !slices.Equal(sample(nil), all) {
		t.Error("other images than those of the conditions that are drawn")
	}
	changed := slices.Clone(conditions)
	row := tileRows + 2
	copy(changed[3*row:3*row+3], []float32{0, 1, 0})
	for i, v := range sample(changed) {
		if (v != all[i]) != (i/testDim == row) {
			t.Fatalf("with another condition of image %d, image %d changes: %v", row, i/testDim,
				v != all[i])
		}
	}

	z := reference.Normals(2*testLatent, 5, 1)
	some := []float32{0, 0, 0, 0.5, -1, 2} // none, and one that is no class
	want, got := make([]float32, 2*testDim), make([]float32, 2*testDim)
	g.Decode(want, z, some)
	g.Images(z, some).Gather(got, []int{1, 0})
	for i := range got {
		if want := want[(i+testDim)%(2*testDim)]; math.Abs(float64(got[i]-want)) > 1e-6 {
			t.Errorf("number %d of the gathered images: %v, expected %v", i, got[i], want)
		}
	}
	none := make([]float32, 2*testDim)
	g.Decode(none, z, nil)
	if !slices.Equal(none[:testDim], want[:testDim]) ||
		slices.Equal(none[testDim:], want[testDim:]) {
		t.Error("a decoder without conditions is not that with zeros, and no other")
	}
	moments := func(conditions []float32) []float32 {
		mean, logvar := make([]float32, 2*testLatent), make([]float32, 2*testLatent)
		g.Encode(mean, logvar, want, conditions)
		return mean
	}
	with, without := moments(some), moments(nil)
	if !slices.Equal(with[:testLatent], without[:testLatent]) ||
		slices.Equal(with[testLatent:], without[testLatent:]) {
		t.Error("an encoder without conditions is not that with zeros, and no other")
	}
}

// One step of DDIM is linear in eps, so that a sample with guidance w is 1 + w times that with its
// condition less w times that without, up to rounding.
func TestGuidance(t *testing.T) {
	g := classyGenerator(t)
	const n = 5
	latents := func(w float64, conditions []float32) []float32 {
		z := make([]float32, n*testLatent)
		err := g.SampleLatents(t.Context(), z, n, Spec{
			Solver: "ddim", Steps: 1, Seed: 3, Condition: conditions, Guidance: w,
		})
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	conditions := reference.Normals(3*n, 6, 1)
	c, none := latents(0, conditions), latents(0, make([]float32, 3*n))
	for _, w := range []float64{0.5, 3} {
		got, want := latents(w, conditions), make([]float64, n*testLatent)
		for i := range want {
			want[i] = (1+w)*float64(c[i]) - w*float64(none[i])
		}
		// Some roundings of 6e-8 of numbers a few times as large as their combination.
		if d := reference.Distance(got, want); !(d <= 2e-6) {
			t.Errorf("guidance %v: relative distance %.2g", w, d)
		}
	}
}

func TestSpecRefused(t *testing.T) {
	g := classyGenerator(t)
	for want, spec := range map[string]Spec{
		"guidance = -1: expected 0 or more": {Solver: "ddim", Guidance: -1},
		"guidance = NaN":                    {Solver: "ddim", Guidance: math.NaN()},
		"guidance = +Inf":                   {Solver: "ddim", Guidance: math.Inf(1)},
		"solver steps = -2: expected 1":     {Solver: "ddim", Steps: -2},
		`solver "euler": expected one of`:   {Solver: "euler"},
	} {
		err := g.Sample(t.Context(), make([]float32, testDim), 1, spec)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %s", err, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for conditions of another number of images")
		}
	}()
	g.Decode(make([]float32, testDim), make([]float32, testLatent), make([]float32, 4))
}
