package query

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// The small model of these tests, on pictures of 3 x 3, and how many rows it is asked about: more
// than a block.
const (
	side, dim, latent = 3, 9, 2
	particles         = 50
	rowCount          = 4*(500/particles) + 7
)

// small returns an untrained model of a method, with random parameters.
func small(
	t *testing.T, name config.Method, workers, classes int, change ...func(*config.Config),
) *Model {
	t.Helper()
	c := method.Default()
	c.Method, c.Latent, c.ObsNoise = name, latent, 0.3
	c.DecoderWidths, c.EncoderWidths, c.ScoreWidth, c.ScoreBlocks = []int{8}, []int{8}, 8, 1
	if classes > 0 {
		c.Condition = config.OfPrior
	}
	for _, f := range change {
		f(&c)
	}
	shape := data.Shape{H: side, W: side, C: 1}
	c, err := method.Resolve(c, shape, nil)
	if err == nil && classes > 0 {
		c, err = method.ResolveClasses(c, classes)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := pool.New(workers)
	t.Cleanup(p.Close)
	g, tensors, err := method.NewGenerator(c.Method, c.Options, shape, false, p)
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range tensors {
		copy(tensor.F32, reference.Normals(len(tensor.F32), uint64(i+1), 0.3))
	}
	return New(g, c, p)
}

// rows are random rows.
func rows() Rows { return Rows{Images: table(rowCount)} }

func table(n int) data.Table {
	return data.Table{D: dim, X: reference.Normals(n*dim, 9, 0.5)}
}

// short are options under which a row takes 100 moves.
func short() Options {
	return Options{Particles: particles, Seed: 3, Settling: &infer.Settling{
		Window: 20, Descend: 40, Cool: 20, Keep: 40, KeepMost: 40,
	}}
}

// Rows come in order, each once; the numbers do not depend on the number of workers, but on the
// seed; and the draws have about the mean and the standard deviation that are reported.
func TestLatents(t *testing.T) {
	all := func(workers int, o Options) (draws, mean, std []float32, blocks int) {
		m := small(t, config.IPLD, workers, 0)
		summary, err := m.Latents(t.Context(), rows(), o, func(a Latents) error {
			if a.Lo != len(mean)/latent || len(a.Energy)*particles*latent != len(a.Draws) {
				t.Errorf("block of %d rows from %d on, after %d", len(a.Energy), a.Lo,
					len(mean)/latent)
			}
			draws, mean = append(draws, a.Draws...), append(mean, a.Mean...)
			std = append(std, a.Std...)
			blocks++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if summary.Rows != rowCount || summary.Moves < 100 || summary.Moves > 101 {
			t.Errorf("%+v", summary)
		}
		return draws, mean, std, blocks
	}
	draws, mean, std, blocks := all(1, short())
	if blocks < 2 || len(mean) != rowCount*latent {
		t.Errorf("%d blocks, means of %d rows", blocks, len(mean)/latent)
	}
	for i := range mean { // 50 draws; the last of 40 moves' positions, so nearly the same law
		var sum float64
		for k := range particles {
			sum += float64(draws[(i/latent*particles+k)*latent+i%latent]) / particles
		}
		if math.Abs(sum-float64(mean[i])) > 5*float64(std[i])/math.Sqrt(particles) {
			t.Errorf("mean %v of the draws, reported %v, deviation %v", sum, mean[i], std[i])
		}
	}
	if again, _, _, _ := all(3, short()); !slices.Equal(again, draws) {
		t.Error("the draws depend on the number of workers")
	}
	other := short()
	other.Seed++
	if again, _, _, _ := all(1, other); slices.Equal(again, draws) {
		t.Error("the draws do not depend on the seed")
	}
}

// A reconstruction's error is that of its mean, of the values that are known.
func TestReconstruct(t *testing.T) {
	m, r := small(t, config.IPLD, 2, 0), rows()
	r.Missing = &data.Missing{D: dim, At: make([]bool, dim)}
	r.Missing.At[4] = true
	_, err := m.Reconstruct(t.Context(), r, short(), func(a Reconstructions) error {
		for i, got := range a.MSE {
			want := 0.0
			for j := range dim {
				e := float64(a.Mean[i*dim+j]) - float64(r.Images.(data.Table).X[(a.Lo+i)*dim+j])
				if j != 4 {
					want += e * e / (dim - 1)
				}
			}
			if math.Abs(got-want) > 1e-12 || a.DrawMSE[i] <= got {
				t.Errorf("row %d: MSE %v, of single draws %v, expected %v", a.Lo+i, got,
					a.DrawMSE[i], want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What is known stays as it is, and is sure; what is missing has the decoder's values, no two
// completions the same, and at least the noise of a value. What the data hold there plays no part.
func TestImpute(t *testing.T) {
	m, r := small(t, config.IPLD, 2, 0), rows()
	r.Missing = &data.Missing{D: dim, At: make([]bool, rowCount*dim)}
	for i := range rowCount {
		for j := range i % 4 {
			r.Missing.At[i*dim+2*j] = true
		}
	}
	impute := func() (mean, std, all []float32) {
		_, err := m.Impute(t.Context(), r, short(), func(a Imputations) error {
			mean, std = append(mean, a.Mean...), append(std, a.Std...)
			all = append(all, a.Completions...)
			for i, n := range a.Missing {
				if n != (a.Lo+i)%4 {
					t.Errorf("row %d: %d values missing", a.Lo+i, n)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return mean, std, all
	}
	mean, std, all := impute()
	x := r.Images.(data.Table).X
	for at, missing := range r.Missing.At {
		first := at/dim*particles*dim + at%dim
		known := mean[at] == x[at] && std[at] == 0 && all[first] == x[at] && all[first+dim] == x[at]
		filled := mean[at] != x[at] && std[at] >= 0.3 && std[at] < 1 && all[first] != all[first+dim]
		if missing && !filled || !missing && !known {
			t.Errorf("value %d, missing %v: mean %v, deviation %v, completions %v and %v of %v", at,
				missing, mean[at], std[at], all[first], all[first+dim], x[at])
		}
	}
	for at, missing := range r.Missing.At {
		if missing {
			x[at] = 100
		}
	}
	if other, _, _ := impute(); !slices.Equal(other, mean) {
		t.Error("what the data hold where values are missing plays a part")
	}
}

// The mean squared error and the data's part of the energy are two forms of the same; log p(x) is
// there if it is asked for.
func TestScore(t *testing.T) {
	m := small(t, config.IPLD, 2, 0)
	for _, samples := range []int{0, 50} {
		o := ScoreOptions{Options: short(), Samples: samples}
		_, err := m.Score(t.Context(), rows(), o, func(a Scores) error {
			for i, v := range a.Data {
				want := dim*a.MSE[i]/(2*0.09) + dim/2.0*math.Log(2*math.Pi*0.09)
				if math.Abs(v-want) > 1e-9 || a.Energy[i] == v {
					t.Errorf("data %v, energy %v, expected %v", v, a.Energy[i], want)
				}
			}
			if (len(a.LogP) > 0) != (samples > 0) || len(a.ESS) != len(a.LogP) {
				t.Errorf("%d samples: log p(x) of %d rows", samples, len(a.LogP))
			}
			for i, v := range a.LogP {
				if math.IsNaN(v) || a.ESS[i] < 1 || a.ESS[i] > 50 {
					t.Errorf("row %d: log p(x) %v, ESS %v", i, v, a.ESS[i])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// With an encoder, particles start at draws from q(z|x): without a move to speak of they are
// those. Missing values are zeros to it.
func TestStartAtEncoder(t *testing.T) {
	m := small(t, config.VAEDiffusion, 1, 0)
	r := rows()
	r.Missing = &data.Missing{D: dim, At: make([]bool, dim)}
	r.Missing.At[0] = true
	const n = 3
	x := slices.Clone(r.Images.(data.Table).X[:n*dim])
	for i := range n {
		x[i*dim] = 0
	}
	mean, logvar := make([]float32, n*latent), make([]float32, n*latent)
	m.generator.Encode(mean, logvar, x, nil)
	o := m.withDefaults(short())
	s := m.setup(r, o, 0)
	p := infer.New(m.generator.Model(), s)
	z := slices.Clone(p.Latents())
	m.encode(m.generator, p.Latents(), r, s, 0, n)
	for i := range n * particles * latent {
		at := i/(particles*latent)*latent + i%latent
		want := float64(mean[at]) + math.Exp(float64(logvar[at])/2)*float64(z[i])
		if got := float64(p.Latents()[i]); math.Abs(got-want) > 1e-6 {
			t.Fatalf("number %d starts at %v, expected %v", i, got, want)
		}
	}
	if o.Start != StartEncoder {
		t.Errorf("starts at %s", o.Start)
	}
}

// A condition counts, and rows of which none is known have that of no class.
func TestConditions(t *testing.T) {
	const classes = 2
	m := small(t, config.IPLD, 1, classes)
	mean := func(conditions data.Rows) (all []float32) {
		r := Rows{Images: table(5), Conditions: conditions}
		_, err := m.Latents(t.Context(), r, short(), func(a Latents) error {
			all = append(all, a.Mean...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	none := mean(nil)
	if !slices.Equal(none, mean(data.Table{D: classes, X: make([]float32, 5*classes)})) {
		t.Error("no condition differs from zeros")
	}
	first := data.Table{D: classes, X: []float32{1, 0, 1, 0, 1, 0, 1, 0, 1, 0}}
	if slices.Equal(none, mean(first)) {
		t.Error("a condition does not count")
	}
}

// The way begins and ends at the images of its ends. Halfway between two latents of the same length
// is one of this length.
func TestInterpolate(t *testing.T) {
	m := small(t, config.IPLD, 1, 0)
	from, to := []float32{3, 0}, []float32{0, -1}
	got, err := m.Interpolate(from, to, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, 3*dim)
	half := float32(2 / math.Sqrt2) // of length 2
	m.generator.Decode(want, []float32{3, 0, half, -half, 0, -1}, nil)
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Fatalf("number %d is %v, expected %v", i, got[i], want[i])
		}
	}
	z := make([]float32, 2)
	for _, straight := range [][2][]float32{
		{{0, 0}, {1, 2}}, {{1, 2}, {3, 6}}, {{1, 1}, {-1, -1}},
	} {
		a, b := straight[0], straight[1]
		slerp(z, a, b, 0.5)
		if z[0] != (a[0]+b[0])/2 || z[1] != (a[1]+b[1])/2 {
			t.Errorf("halfway from %v to %v: %v", a, b, z)
		}
	}
}

// Questions that cannot be answered say why, before anything moves; and nothing goes on after the
// context or the reader of the answers has ended.
func TestRefused(t *testing.T) {
	m, encoder := small(t, config.IPLD, 1, 0), small(t, config.VAE, 1, 0)
	ok := func(Latents) error { return nil }
	ask := func(m *Model, r Rows, change func(*Options)) error {
		o := short()
		if change != nil {
			change(&o)
		}
		_, err := m.Latents(t.Context(), r, o, ok)
		return err
	}
	masked := func(n, d int) Rows {
		return Rows{Images: table(4), Missing: &data.Missing{D: d, At: make([]bool, n*d)}}
	}
	for want, err := range map[string]error{
		"no rows":        ask(m, Rows{Images: table(0)}, nil),
		"expected 2":     ask(m, rows(), func(o *Options) { o.Particles = 1 }),
		"no encoder":     ask(m, rows(), func(o *Options) { o.Start = StartEncoder }),
		"window of 1":    ask(encoder, rows(), func(o *Options) { o.Settling.Window = 1 }),
		"of 3 rows of 9": ask(m, masked(3, dim), nil),
		"of 4 rows of 8": ask(m, masked(4, dim-1), nil),
		"of 7 rows":      ask(m, Rows{Images: table(4), Conditions: table(7)}, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %s", err, want)
		}
	}
	_, err := m.Impute(t.Context(), rows(), short(), func(Imputations) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "nothing is missing") {
		t.Errorf("nothing missing: %v", err)
	}
	full := errors.New("the disk is full")
	calls := 0
	_, err = m.Latents(t.Context(), rows(), short(), func(Latents) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if _, err := m.Latents(ctx, rows(), short(), ok); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// The loss of a guess has the gradient of its definition, by central differences in float64.
func TestGuessLoss(t *testing.T) {
	z := reference.Normals(5*latent, 6, 1)
	out := []float32{0.3, -0.2, -0.5, 0.4}
	loss := func(out []float64) (sum float64) {
		for i, v := range z {
			mean, logvar := out[i%latent], out[latent+i%latent]
			e := float64(v) - mean
			sum += (logvar + e*e/math.Exp(logvar)) / 2 / 5
		}
		return sum
	}
	at := make([]float64, len(out))
	for i, v := range out {
		at[i] = float64(v)
	}
	want := make([]float64, len(out))
	const h = 1e-5
	for i, v := range at {
		at[i] = v + h
		want[i] = loss(at)
		at[i] = v - h
		want[i] = (want[i] - loss(at)) / (2 * h)
		at[i] = v
	}
	guessLoss(out, z)
	for i, g := range out {
		if math.Abs(float64(g)-want[i]) > 1e-5 {
			t.Errorf("gradient %d is %v, expected %v", i, g, want[i])
		}
	}
}

// A guess that was fitted to latents that are a linear map of the rows, and noise, finds both: the
// mean squared error of its mean is near the noise's, and its log-variance that of the noise.
func TestAmortise(t *testing.T) {
	m := small(t, config.IPLD, 2, 0)
	const n, noise = 400, 0.2
	rows := table(n)
	z := reference.Normals(n*latent, 7, noise)
	for i := range n {
		for j := range latent {
			z[i*latent+j] += rows.X[i*dim+j] - rows.X[i*dim+j+3]
		}
	}
	shape := data.Shape{H: side, W: side, C: 1}
	unfitted := Options{Particles: 2, Start: StartAmortised}
	if err := m.check(Rows{Images: rows}, unfitted); err == nil {
		t.Error("no error without a network")
	}
	passes := 0
	a, err := m.Amortise(t.Context(), Rows{Images: rows}, shape, z, func(int, int) { passes++ })
	if err != nil {
		t.Fatal(err)
	}
	m.Use(a)
	mean, logvar := make([]float32, n*latent), make([]float32, n*latent)
	m.guess.Encode(mean, logvar, rows.X, nil)
	var square, deviation float64
	for i, v := range mean {
		e := float64(v - z[i])
		square += e * e / float64(len(mean))
		deviation += math.Exp(float64(logvar[i])/2) / float64(len(mean))
	}
	// A network without a bend fits the map; 8 bends nearly so, and a little of the noise.
	if square < 0.5*noise*noise || square > 1.5*noise*noise || math.Abs(deviation-noise) > 0.05 {
		t.Errorf("squared error %v, deviation %v, expected %v and %v after %d passes", square,
			deviation, noise*noise, noise, passes)
	}
	if _, err := m.Amortise(t.Context(), Rows{Images: rows}, shape, z[1:], nil); err == nil {
		t.Error("no error for latents that are not whole")
	}
}
