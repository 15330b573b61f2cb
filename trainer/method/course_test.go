package method

import (
	"fmt"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

// courseFlow returns a flow of course c with a diffusion prior, so that two networks learn. It has
// the parameters, the data and the seed of newFlow.
func courseFlow(t *testing.T, c course, o config.Options) *flow {
	t.Helper()
	p := pool.New(2)
	t.Cleanup(p.Close)
	s := Setup{
		Options: o, Train: testData(),
		Batch: testPoints, Tile: 4, Seed: testSeed, Pool: p,
		Decoder: decoderOf(t, o), Prior: diffusionOf(t, o),
	}
	if err := ipld.networks(&s, testRow); err != nil {
		t.Fatal(err)
	}
	f, err := c.flow(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range []*network{f.decoder, f.prior} {
		copy(n.p, reference.Normals(len(n.p), uint64(20+i), 0.4))
	}
	return f
}

// path is the states z_0 .. z_K of a step of K moves, and the gradients there.
type path struct {
	z      [][]float32
	g      [][2][]float32 // decoder, prior
	square []float64      // running mean of z^2
}

// walk computes the path of inner moves by single steps of a flow of which the parameters do not
// learn. start changes the flow first.
func walk(t *testing.T, o config.Options, inner int, start func(f *flow)) (p path) {
	t.Helper()
	o.InnerSteps = 1
	f := newFlow(t, "ipld", o, testPoints)
	f.setup.Options.LR = 0
	start(f)
	for range inner + 1 {
		p.z = append(p.z, slices.Clone(f.cloud.Z))
		p.square = append(p.square, f.meanSquare[0])
		mustStep(t, f, Minibatch{Index: everyPoint})
		p.g = append(p.g, [2][]float32{slices.Clone(f.decoder.g), slices.Clone(f.prior.g)})
	}
	return p
}

// mean returns the mean of the gradients of network n at states first to last, rounded as in a
// step.
func (p path) mean(n, first, last int) []float32 {
	g := slices.Clone(p.g[last][n])
	if last == first {
		return g
	}
	sum := slices.Clone(p.g[first][n])
	for _, next := range p.g[first+1 : last] {
		kernel.Add(sum, next[n])
	}
	share := float32(1 / float64(last-first+1))
	kernel.Combine(g, share, sum, share, nil, 0)
	return g
}

// The gradients that a step of each course uses, and its particles, are those of single moves at
// the same parameters, bit for bit.
func TestCourses(t *testing.T) {
	const inner = 3
	for _, x := range []struct {
		course      course
		first, last int // states whose gradients count
		evaluations int
	}{
		{course{}, 2, 2, 3},
		{course{average: true}, 0, 2, 3},
		{warmChain, 3, 3, 4},
		{chainAverage, 1, 3, 4},
		{coldChain, 3, 3, 4},
	} {
		for _, dynamics := range particle.AllDynamics {
			t.Run(fmt.Sprintf("%+v/%s", x.course, dynamics), func(t *testing.T) {
				o := small()
				o.InnerSteps, o.Particles, o.Dynamics = inner, 2, dynamics
				f := courseFlow(t, x.course, o)
				p := walk(t, o, inner, func(f *flow) {
					if x.course.cold {
						freshCloud(f, f.cloud.Z, 0)
					}
				})
				before := [2][]float32{slices.Clone(f.decoder.p), slices.Clone(f.prior.p)}
				s := mustStep(t, f, Minibatch{Index: everyPoint})
				if !slices.Equal(f.cloud.Z, p.z[inner]) {
					t.Error("the particles are not those of as many single moves")
				}
				if f.meanSquare[0] != p.square[inner] {
					t.Errorf("mean square %v, want %v", f.meanSquare[0], p.square[inner])
				}
				for i, n := range []*network{f.decoder, f.prior} {
					if !slices.Equal(n.g, p.mean(i, x.first, x.last)) {
						t.Errorf("%s: the gradient is not that of states %d to %d", n.name, x.first,
							x.last)
					}
					checkSGD(t, n, before[i], []float64{o.LR, o.LR * o.ScoreLR}[i])
				}
				rows := float64(testPoints * o.Particles)
				if s.Moved != inner*rows || s.Rows != rows ||
					s.Evaluations != 2*rows*float64(x.evaluations) ||
					f.counts[countMoves] != uint32(x.evaluations) {
					t.Errorf("stats %+v, counts %v", s, f.counts)
				}
			})
		}
	}
}

// freshCloud fills z with the particles of a cold start after the given number of evaluations.
func freshCloud(f *flow, z []float32, evaluations uint32) {
	ids := make([]uint64, f.cloud.M*f.cloud.N)
	for i := range ids {
		ids[i] = uint64(i)
	}
	kernel.NormalRows(z, ids, f.setup.Options.Latent,
		kernel.Key{Seed: f.setup.Seed, Step: evaluations, Stream: particle.StreamCold})
}

// Every step of shortrun starts anew, each particle from normals of its own. The cloud holds the
// ends of the last runs, which are the latents and which the diagnostics describe.
func TestColdStarts(t *testing.T) {
	o := small()
	// moves so small that runs end where they start
	o.InnerSteps, o.LR, o.StepSize, o.StepSizeEnd = 2, 1e-30, 1e-12, 1e-12
	f := newFlow(t, "shortrun", o, testPoints)
	b := Minibatch{Index: []int{7, 2, 5}}
	kept := slices.Clone(f.cloud.Z)
	for step := range uint32(3) {
		mustStep(t, f, b)
		b.Repeat++ // repeats are runs of their own
		fresh := make([]float32, len(kept))
		freshCloud(f, fresh, 3*step)
		for m := range testPoints {
			at := func(x []float32) []float32 { return x[m*o.Latent : (m+1)*o.Latent] }
			start := at(kept)
			if slices.Contains(b.Index, m) {
				start = at(fresh)
			}
			for j, z := range at(f.cloud.Z) {
				if d := z - start[j]; d < -1e-5 || d > 1e-5 { // sqrt(2h) is 1.4e-6
					t.Fatalf("step %d, datapoint %d: at %v, want near %v", step, m, at(f.cloud.Z),
						start)
				}
			}
		}
	}
	ended := slices.Clone(f.cloud.Z)
	f.Diagnose(0)
	if !slices.Equal(f.cloud.Z, ended) || !slices.Equal(f.batch.Z, ended) {
		t.Error("the diagnostics changed the cloud, or are of other particles")
	}
	g := f.Generator(false)
	got, want := make([]float32, 2*testDim), make([]float32, 2*testDim)
	reconstruct(f, g, got, []int{7, 3})
	latents := slices.Concat(ended[7*o.Latent:8*o.Latent], ended[3*o.Latent:4*o.Latent])
	g.Decode(want, latents, nil)
	if !slices.Equal(got, want) {
		t.Error("the latents are not the cloud")
	}
}

// A held prior averages no gradients and counts no evaluations.
func TestAverageWhileThePriorIsHeld(t *testing.T) {
	o := small()
	o.InnerSteps, o.PriorWarmup, o.Optimizer = 2, 1, "adam"
	f := courseFlow(t, chainAverage, o)
	theta, phi := slices.Clone(f.prior.p), slices.Clone(f.decoder.p)
	s := mustStep(t, f, Minibatch{Index: everyPoint})
	if !slices.Equal(f.prior.p, theta) || slices.Equal(f.decoder.p, phi) ||
		s.Evaluations != 3*testPoints {
		t.Errorf("held: %v evaluations, theta moved %v, phi moved %v", s.Evaluations,
			!slices.Equal(f.prior.p, theta), !slices.Equal(f.decoder.p, phi))
	}
	s = mustStep(t, f, Minibatch{Index: everyPoint, Repeat: 1})
	if slices.Equal(f.prior.p, theta) || s.Evaluations != 6*testPoints {
		t.Errorf("released: %v evaluations, theta moved %v", s.Evaluations,
			!slices.Equal(f.prior.p, theta))
	}
}
