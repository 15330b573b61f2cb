package infer

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// quick are lengths for the linear model, whose particles forget where they were within 60 moves.
func quick() Settling {
	return Settling{
		Window: 40, Descend: 800, Cool: 80, Keep: 200, KeepMost: 200, Cov: true, Decode: true,
	}
}

// setup is the inference of the linear model's images.
func (m linearModel) setup(t *testing.T, particles, workers int) Setup {
	t.Helper()
	p := pool.New(workers)
	t.Cleanup(p.Close)
	return Setup{
		Images: m.data, Particles: particles, Batch: 15, Tile: 64, Seed: 2,
		Pool: p, Friction: 0.3, StepSize: 0.02, StepSizeEnd: 0.005,
	}
}

// gaussian is the linear model under N(0, I).
func (m linearModel) gaussian() prior.Prior { return prior.Gaussian{Latent: inferLatent} }

func settle(t *testing.T, p *Posterior, to Settling) {
	t.Helper()
	if err := p.Settle(t.Context(), to); err != nil {
		t.Fatal(err)
	}
}

// given is the exact law of image n's latent and of its pixels, all of them without their noise,
// given those pixels that are known.
func (m linearModel) given(n int, missing []bool) (mean *mat.VecDense, cov, pixels *mat.Dense) {
	precision, by := mat.NewDense(inferLatent, inferLatent, nil), mat.NewVecDense(inferLatent, nil)
	for i := range inferLatent {
		precision.Set(i, i, 1)
	}
	x := m.image(n)
	for j := range inferDim {
		if missing[j] {
			continue
		}
		for i := range inferLatent {
			by.SetVec(i, by.AtVec(i)+m.w.At(j, i)*(x[j]-m.mu[j])/(inferNoise*inferNoise))
			for k := range inferLatent {
				v := m.w.At(j, i) * m.w.At(j, k) / (inferNoise * inferNoise)
				precision.Set(i, k, precision.At(i, k)+v)
			}
		}
	}
	cov, mean, pixels = &mat.Dense{}, &mat.VecDense{}, &mat.Dense{}
	if err := cov.Inverse(precision); err != nil {
		panic(err)
	}
	mean.MulVec(cov, by)
	pixels.Product(m.w, cov, m.w.T())
	return mean, cov, pixels
}

// What settled particles are worth is the posterior given the pixels that are known, of the latents
// and of all pixels, for images none, one and four of whose five pixels are missing. 200 particles
// kept for 200 moves are worth 300 draws or more, as in TestPosteriorOfLinearModel, and so are the
// 5 x 200 decoded ones. A missing pixel that took part would move a mean by many errors.
func TestSettledPosterior(t *testing.T) {
	m := newLinearModel()
	s := m.setup(t, 200, 2)
	s.Missing = &data.Missing{D: inferDim, At: make([]bool, inferPoints*inferDim)}
	for n := range inferPoints {
		for j := range [3]int{0, 1, inferDim - 1}[n%3] {
			at := n*inferDim + (n+j)%inferDim
			s.Missing.At[at] = true
		}
	}
	s.Images = spoiled{m.data, s.Missing}
	post := New(m.trained(m.gaussian()), s)
	settle(t, post, quick())
	for n, got := range post.Images() {
		mean, cov, pixels := m.given(n, s.Missing.Row(n))
		if !got.Settled || got.Moves < 5*40 || got.ESS < 200 {
			t.Errorf("image %d: settled %v after %d moves, ESS %v", n, got.Settled, got.Moves,
				got.ESS)
		}
		for i := range inferLatent {
			v := cov.At(i, i)
			checkMoments(t, n, "latent", i, got.Mean[i], got.Var[i], mean.AtVec(i), v)
			if c := got.Cov[i*inferLatent+i]; math.Abs(c-got.Var[i]) > 1e-12*v {
				t.Errorf("image %d: variance %v, in the covariances %v", n, got.Var[i], c)
			}
		}
		out := &mat.VecDense{}
		out.MulVec(m.w, mean)
		for j := range inferDim {
			checkMoments(t, n, "pixel", j, got.Decoded.Mean[j], got.Decoded.Var[j],
				out.AtVec(j)+m.mu[j], pixels.At(j, j))
		}
	}
}

// checkMoments checks a mean and a variance of 300 independent draws or more, of a law that the
// step size makes 1 % too wide.
func checkMoments(t *testing.T, n int, what string, i int, mean, variance, m, v float64) {
	t.Helper()
	if math.Abs(mean-m) > 5*math.Sqrt(v/300) ||
		math.Abs(variance-v) > (0.01+5*math.Sqrt(2.0/300))*v {
		t.Errorf("image %d, %s %d: mean %v, variance %v, expected %v, %v", n, what, i, mean,
			variance, m, v)
	}
}

// spoiled is images with large numbers where they are missing.
type spoiled struct {
	data.Rows
	missing *data.Missing
}

func (s spoiled) Gather(dst []float32, idx []int) {
	s.Rows.Gather(dst, idx)
	for i, row := range idx {
		for j, missing := range s.missing.Row(row) {
			if missing {
				dst[i*inferDim+j] = 1e6
			}
		}
	}
}

// Log p(x) of what is known of an image is that of the marginal over what is missing.
func TestMarginalsOfKnownPixels(t *testing.T) {
	m := newLinearModel()
	s := m.setup(t, 20, 2)
	s.Missing = &data.Missing{D: inferDim, At: []bool{false, true, false, true, false}}
	s.Images = spoiled{m.data, s.Missing}
	post := New(m.trained(m.gaussian()), s)
	settle(t, post, quick())
	const samples = 500
	joint := NewJoint(m.trained(m.gaussian()), 8, s.Pool)
	got, err := post.Marginals(t.Context(), joint, samples, 9)
	if err != nil {
		t.Fatal(err)
	}
	for n, r := range got {
		want := m.marginalOf(n, []int{0, 2, 4})
		if math.Abs(r.LogP-want) > 0.002+5*math.Sqrt(1/r.ESS-1.0/samples) {
			t.Errorf("image %d: log p = %v, expected %v (ESS %v)", n, r.LogP, want, r.ESS)
		}
	}
}

// Particles that start far away descend until they have arrived, and say so if they may not. A move
// that is clipped at 0.3 goes 1 at most with a friction of 0.3, so that 300 takes 300 moves or
// more. The others of a batch are not held up.
func TestDescent(t *testing.T) {
	m := newLinearModel()
	far := func(to Settling) *Posterior {
		s := m.setup(t, 8, 2)
		s.Clip = 0.3
		post := New(m.trained(m.gaussian()), s)
		for i := range post.Latents()[:8*inferLatent] { // of image 0
			post.Latents()[i] = 300
		}
		settle(t, post, to)
		return post
	}
	all := far(quick()).Images()
	if !all[0].Settled || all[0].SquareError > 20 {
		t.Errorf("from afar: settled %v at squared error %v", all[0].Settled, all[0].SquareError)
	}
	for n, r := range all[1:] {
		if r.Moves >= all[0].Moves {
			t.Errorf("image %d moved %d times, image 0, which started far away, %d times", n+1,
				r.Moves, all[0].Moves)
		}
	}
	short := quick()
	short.Descend = 2 * short.Window
	if r := far(short).Images()[0]; r.Settled || r.Moves != 80+80+200 {
		t.Errorf("after the shortest descent: settled %v, %d moves", r.Settled, r.Moves)
	}
}

// Positions are kept until they are worth the draws that were asked for.
func TestKeepsUntilESS(t *testing.T) {
	m := newLinearModel()
	lengths := func(ess float64) (moves []int, reached int) {
		to := quick()
		to.Keep, to.KeepMost, to.ESS = 40, 2000, ess
		post := New(m.trained(m.gaussian()), m.setup(t, 8, 2))
		settle(t, post, to)
		for _, r := range post.Images() {
			moves = append(moves, r.Moves)
			if r.ESS >= ess {
				reached++
			}
		}
		return moves, reached
	}
	few, reached := lengths(0)
	many, reachedMany := lengths(100)
	if reached != inferPoints || reachedMany < inferPoints*9/10 {
		t.Errorf("%d and %d of %d images are worth what was asked for", reached, reachedMany,
			inferPoints)
	}
	if slices.Max(few) >= slices.Min(many)+200 || slices.Max(many) <= slices.Max(few) {
		t.Errorf("moves for no draws: %v; for 100: %v", few, many)
	}
}

// Positions are kept until what is missing is worth the draws that were asked for: the squared
// error of its mean is that share of its variance, both by the exact law. 20 images of two latents
// have 40 such errors, the mean of whose squares is known to sqrt(2/40) = 0.22 of itself. 8 chains
// tell the error of their mean to within a half, and images end when they look best, so that the
// share is rather 1.3 than 1: from 0.4 to 1.9 is three errors about that. Where nothing is missing,
// positions are not kept any longer.
func TestKeepsUntilDecodedESS(t *testing.T) {
	m := newLinearModel()
	s := m.setup(t, 8, 2)
	s.StepSize = s.StepSizeEnd
	s.Missing = &data.Missing{D: inferDim, At: make([]bool, inferPoints*inferDim)}
	for n := range inferPoints / 2 {
		copy(s.Missing.Row(n), []bool{true, true, true, true, false})
	}
	to := quick()
	to.Window, to.Keep, to.KeepMost, to.Cov = 20, 40, 8000, false
	shares := map[float64]float64{}
	for _, ess := range []float64{10, 100} {
		to.DecodedESS = ess
		post := New(m.trained(m.gaussian()), s)
		settle(t, post, to)
		var square, variance float64
		for n, got := range post.Images() {
			if n >= inferPoints/2 {
				if got.Moves > 800+80+40 {
					t.Errorf("image %d, of which nothing is missing, took %d moves", n, got.Moves)
				}
				continue
			}
			mean, _, pixels := m.given(n, s.Missing.Row(n))
			out := &mat.VecDense{}
			out.MulVec(m.w, mean)
			for j := range inferDim - 1 {
				e := got.Decoded.Mean[j] - out.AtVec(j) - m.mu[j]
				square, variance = square+e*e, variance+pixels.At(j, j)
			}
		}
		shares[ess] = square / variance * ess
	}
	for ess, share := range shares {
		if share < 0.4 || share > 1.9 {
			t.Errorf("for %v draws: squared errors of %.2f times their share", ess, share)
		}
	}
}

// The same bits with any number of workers. What is inferred of a block of images does not depend
// on the blocks before it.
func TestSettleIsDeterministic(t *testing.T) {
	m := newLinearModel()
	results := func(workers int, blocks ...[2]int) (z []float32, energy []float64) {
		s := m.setup(t, 4, workers)
		s.Hold = 20
		post := New(m.trained(flatDiffusion(1)), s)
		for _, b := range blocks {
			post.Hold(b[0], b[1])
			settle(t, post, quick())
			z = append(z, post.Latents()...)
			for _, r := range post.Images() {
				energy = append(energy, r.Energy())
			}
		}
		return z, energy
	}
	z, energy := results(1, [2]int{0, 20}, [2]int{20, 40})
	z3, energy3 := results(3, [2]int{0, 20}, [2]int{20, 40})
	if !slices.Equal(z, z3) || !slices.Equal(energy, energy3) {
		t.Error("the results depend on the number of workers")
	}
	last, _ := results(2, [2]int{20, 40})
	if !slices.Equal(z[len(z)/2:], last) {
		t.Error("the results of a block depend on the one before it")
	}
	if slices.Equal(z[:len(z)/2], z[len(z)/2:]) {
		t.Error("two blocks have the same noise")
	}
}

// The particles of an image start where they would if all images were held.
func TestHold(t *testing.T) {
	m := newLinearModel()
	s := m.setup(t, 3, 1)
	all := New(m.trained(m.gaussian()), s).Latents()
	s.Hold = 20
	post := New(m.trained(m.gaussian()), s)
	half := len(all) / 2
	if !slices.Equal(post.Latents(), all[:half]) {
		t.Error("the first images start elsewhere")
	}
	post.Hold(20, 40)
	if !slices.Equal(post.Latents(), all[half:]) {
		t.Error("the others start elsewhere")
	}
}

// Lengths of which nothing can be told are refused. Settle ends with its context.
func TestSettlingOutOfRange(t *testing.T) {
	m := newLinearModel()
	for want, change := range map[string]func(*Settling){
		"a window of 1 moves":         func(s *Settling) { s.Window = 1 },
		"a descent of 79 moves":       func(s *Settling) { s.Descend = 79 },
		"cooling for -1 moves":        func(s *Settling) { s.Cool = -1 },
		"keeping 300 to 200":          func(s *Settling) { s.Keep = 300 },
		"effective samples: expected": func(s *Settling) { s.ESS = math.NaN() },
		"decoded: expected Decode":    func(s *Settling) { s.Decode, s.DecodedESS = false, 9 },
	} {
		to := quick()
		change(&to)
		err := New(m.trained(m.gaussian()), m.setup(t, 2, 1)).Settle(t.Context(), to)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %s", err, want)
		}
	}
	alone := New(m.trained(m.gaussian()), m.setup(t, 1, 1))
	if err := alone.Settle(t.Context(), quick()); err == nil {
		t.Error("no error for a single particle")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	post := New(m.trained(m.gaussian()), m.setup(t, 2, 1))
	if err := post.Settle(ended, quick()); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// What a Posterior makes is what Bytes counts: within a tenth of what the process allocates for one
// of a quarter of a million rows in a batch.
func TestBytes(t *testing.T) {
	m := newLinearModel()
	s := m.setup(t, 1<<14, 1)
	g := m.trained(m.gaussian())
	counted := float64(Bytes(g, s))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	post := New(g, s)
	runtime.ReadMemStats(&after)
	made := float64(after.TotalAlloc - before.TotalAlloc)
	if made < 0.9*counted || made > 1.1*counted {
		t.Errorf("counted %.0f bytes, made %.0f", counted, made)
	}
	runtime.KeepAlive(post)
}
