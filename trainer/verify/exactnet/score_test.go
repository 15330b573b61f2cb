package exactnet

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// latentLaws returns the exact laws with random parameters.
func latentLaws(r *rand.Rand) map[string]struct {
	law Law
	p   []float32
} {
	found := map[string]struct {
		law Law
		p   []float32
	}{}
	for name, l := range map[string]Law{
		"gaussian": NewGaussian(3), "axes": NewAxes(3), "mixture": NewMixtureLaw(4, 3),
	} {
		p := make([]float32, l.Layout().Size())
		for i := range p {
			p[i] = float32(0.7 * r.NormFloat64())
		}
		found[name] = struct {
			law Law
			p   []float32
		}{l, p}
	}
	return found
}

func normals64(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// derivative is the central difference of f by the number that set shifts.
func derivative(f func() float64, set func(delta float64)) float64 {
	const h = 1e-3 // in float32 parameters of order 1 its rounding is 1e-4 of it
	set(h)
	up := f()
	set(-2 * h)
	down := f()
	set(h)
	return (up - down) / (2 * h)
}

// TestLawGradients compares the gradients of g.eps by z and by the parameters with central
// differences in float64. Their error is of order h^2 = 1e-6 times third derivatives, and 1e-4 for
// the parameters, whose steps are rounded to float32.
func TestLawGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, c := range latentLaws(r) {
		for _, lambda := range []float64{-4, 0, 1.5, 5} {
			alpha, sigma := diffusion.Alpha(lambda), diffusion.Sigma(lambda)
			z, g := normals64(r, 3), normals64(r, 3)
			dz, grad := make([]float64, 3), make([]float64, len(c.p))
			c.law.bind(c.p).backward(dz, grad, z, g, alpha, sigma)
			value := func() float64 {
				eps := make([]float64, 3)
				c.law.bind(c.p).eps(eps, z, alpha, sigma)
				return inner(g, eps)
			}
			for j := range z {
				byZ := derivative(value, func(d float64) { z[j] += d })
				closeTo(t, name+" by z", dz[j], byZ, 1e-4)
			}
			for k := range grad {
				want := derivative(value, func(d float64) { c.p[k] += float32(d) })
				closeTo(t, name+" by parameter", grad[k], want, 1e-3)
			}
		}
	}
}

func closeTo(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*(1+math.Abs(want))) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// TestLawScores: -eps/sigma is the gradient of the log of the noised density, which is computed
// apart from the laws' code for the Gaussians, and from their density for the mixture.
func TestLawScores(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	g := NewGaussian(2)
	a := mat.NewDense(2, 2, []float64{1, 0.4, -0.3, 0.5})
	s := mat.NewSymDense(2, nil)
	s.SymOuterK(1, a)
	p := g.Values([]float64{0.5, -1}, s)
	m2, s2 := g.Moments(p)
	if !mat.EqualApprox(s, s2, 1e-6) || math.Abs(m2[0]-0.5) > 1e-6 || math.Abs(m2[1]+1) > 1e-6 {
		t.Errorf("moments %v, %v are not those that were set", m2, mat.Formatted(s2))
	}
	mix := NewMixtureLaw(3, 2)
	mp := make([]float32, mix.params.Size())
	for i := range mp {
		mp[i] = float32(r.NormFloat64())
	}
	for _, lambda := range []float64{-3, 0, 4} {
		alpha, sigma := diffusion.Alpha(lambda), diffusion.Sigma(lambda)
		z, eps := normals64(r, 2), make([]float64, 2)
		cov := mat.NewSymDense(2, nil)
		cov.ScaleSym(alpha*alpha, s)
		for i := range 2 {
			cov.SetSym(i, i, cov.At(i, i)+sigma*sigma)
		}
		var x mat.VecDense
		centred := mat.NewVecDense(2, []float64{z[0] - alpha*0.5, z[1] + alpha})
		if err := x.SolveVec(cov, centred); err != nil {
			t.Fatal(err)
		}
		g.bind(p).eps(eps, z, alpha, sigma)
		for j, e := range eps {
			closeTo(t, "gaussian", e, sigma*x.AtVec(j), 1e-5) // parameters are float32
		}
		law := mix.At(mp)
		law.eps(eps, z, alpha, sigma)
		for j, e := range eps {
			density := func() float64 { _, l := law.Responsibilities(z, alpha, sigma); return l }
			byZ := derivative(density, func(d float64) { z[j] += d })
			closeTo(t, "mixture", e, -sigma*byZ, 1e-4)
		}
	}
}

// TestMixtureDensity: the noised density integrates to one, and each component to its weight.
func TestMixtureDensity(t *testing.T) {
	law := Mixture{
		Weight: []float64{0.3, 0.7}, Variance: []float64{0.2, 0.5}, Mean: [][]float64{{-2}, {1}},
	}
	const h = 0.01
	for _, lambda := range []float64{0, 10} {
		var mass, first float64
		for z := -12.0; z < 12; z += h {
			alpha, sigma := diffusion.Alpha(lambda), diffusion.Sigma(lambda)
			rho, l := law.Responsibilities([]float64{z}, alpha, sigma)
			mass += h * math.Exp(l)
			first += h * math.Exp(l) * rho[0]
		}
		closeTo(t, "mass", mass, 1, 1e-9)
		closeTo(t, "weight", first, 0.3, 1e-9)
	}
}

// TestExactTape: the tape computes eps - sigma z forward and its transposed derivative backward,
// and its gradient is the sum over the rows of all waves; a frozen one has no parameters.
func TestExactTape(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for name, c := range latentLaws(r) {
		const rows = 5
		net := Score(c.law)
		tape := net.NewTape(nil, c.p, model.Size{Rows: rows, Wave: 3, Tile: 2}, model.Train)
		tape.Pack(0)
		in, g := Narrow(normals64(r, rows*3)), Narrow(normals64(r, rows*3))
		var out, din []float32
		got := make([]float32, len(c.p))
		for _, cut := range [][2]int{{0, 2}, {2, 3}, {3, rows}} {
			lo, hi := cut[0], cut[1]
			if lo != 2 {
				tape.Begin(lo)
			}
			pass := tape.Take(lo, hi)
			copy(pass.In(0), in[3*lo:])
			for i := lo; i < hi; i++ {
				pass.In(net.Input(model.Lambda))[i-lo] = float32(i) - 2
			}
			pass.Forward()
			out = append(out, pass.Out()...)
			copy(pass.DOut(), g[3*lo:])
			dx := make([]float32, 3*(hi-lo))
			pass.Backward(dx)
			din = append(din, dx...)
			pass.Release()
			if lo > 0 {
				first := lo == 2
				w := layer.Wave{Rows: 2, First: first, Last: !first, Scale: 0.5, Grad: got}
				if first {
					w.Rows = 3
				}
				tape.Reduce(w)
				tape.Grad(0)
			}
		}
		want := make([]float64, len(c.p))
		for i := range rows {
			alpha, sigma := levels(float32(i) - 2)
			var buf [4][3]float64
			z, gi, eps, dz := buf[0][:], buf[1][:], buf[2][:], buf[3][:]
			grad := make([]float64, len(c.p))
			Widen(z, in[i*3:i*3+3])
			Widen(gi, g[i*3:i*3+3])
			bound := c.law.bind(c.p)
			bound.eps(eps, z, alpha, sigma)
			bound.backward(dz, grad, z, gi, alpha, sigma)
			for j := range 3 {
				closeTo(t, name+" forward", float64(out[i*3+j]), eps[j]-sigma*z[j], 1e-6)
				closeTo(t, name+" backward", float64(din[i*3+j]), dz[j]-sigma*gi[j], 1e-6)
			}
			for k, v := range grad {
				want[k] += v / 2
			}
		}
		for k := range want {
			closeTo(t, name+" gradient", float64(got[k]), want[k], 1e-6)
		}
		fixed := net.Frozen(c.p)
		if fixed.Layout().Size() != 0 ||
			fixed.NewTape(nil, nil, model.Size{Rows: 1}, model.Train).GradTasks() != 0 {
			t.Errorf("%s: a frozen score has parameters", name)
		}
	}
}
