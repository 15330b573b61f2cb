package method

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// The toy hierarchical model of ALGORITHM.md section 8.1, x_d ~ N(theta, 1), y_d ~ N(x_d, 1),
// d = 1..D, trained by the code that trains everything else: the latents are the x_d, the decoder
// is the identity, the prior N(theta, 1). Coordinates do not interact and their noises are
// independent, so one model of width toyWidth is that many replicates.
const (
	toyPoints    = 4  // D
	toyParticles = 3  // N
	toyWidth     = 32 // replicates in one model
	toyModels    = 500
	toyMean      = 5 // mean of y
	toySteps     = 200
)

// identity is the decoder g(z) = z, a layer without parameters.
type identity struct{}

func (identity) Out(in ...layer.Shape) (layer.Shape, error)   { return in[0], nil }
func (identity) Params(...layer.Shape) []layer.Param          { return nil }
func (identity) Memory(...layer.Shape) layer.Memory           { return layer.Memory{} }
func (identity) Bind(layer.Values, ...layer.Shape) layer.Pair { return identity{} }
func (identity) Forward(t *layer.Tile)                        { copy(t.Y, t.X[0]) }
func (identity) Backward(t *layer.Tile)                       { copy(t.DX[0], t.DY) }

// toyDecoder is the network of the identity.
func toyDecoder() *model.Net {
	return model.Must(model.Build(nil, func(b *model.Builder) model.Node {
		return b.Add("identity", identity{}, b.Input("z", layer.Vector(toyWidth)))
	}))
}

// law is the Gaussian law of (theta, mean X).
type law struct {
	mean [2]float64
	cov  [3]float64 // of theta; of theta with mean X; of mean X
}

// toyStart: theta = 0, and D*N particles from N(0, 1).
func toyStart() law { return law{cov: [3]float64{0, 0, 1.0 / (toyPoints * toyParticles)}} }

// toyModel holds the coefficients of the recursion s' = A s + b + noise, where the noise enters
// both coordinates in proportion to q.
type toyModel struct {
	a    [2][2]float64
	b, q [2]float64
}

// toyFlow is the simultaneous update, with theta's step D h:
//
//	theta' = theta + h D (X - theta),  X' = X - h (2 X - y - theta) + sqrt(2h/(N D)) xi
//
// for the means X and y: each particle's noise is independent.
func toyFlow(h float64) toyModel {
	return toyModel{
		a: [2][2]float64{{1 - h*toyPoints, h * toyPoints}, {h, 1 - 2*h}},
		b: [2]float64{0, h * toyMean},
		q: [2]float64{0, math.Sqrt(2 * h / (toyPoints * toyParticles))},
	}
}

func (m toyModel) step(l law) law {
	a, c := m.a, l.cov
	row := func(i, j int) float64 { // (A C A^T)_ij
		return a[i][0]*a[j][0]*c[0] + (a[i][0]*a[j][1]+a[i][1]*a[j][0])*c[1] + a[i][1]*a[j][1]*c[2]
	}
	next := law{cov: [3]float64{row(0, 0) + m.q[0]*m.q[0], row(0, 1) + m.q[0]*m.q[1],
		row(1, 1) + m.q[1]*m.q[1]}}
	for i := range next.mean {
		next.mean[i] = a[i][0]*l.mean[0] + a[i][1]*l.mean[1] + m.b[i]
	}
	return next
}

func (m toyModel) after(k int) law {
	l := toyStart()
	for range k {
		l = m.step(l)
	}
	return l
}

// moments are sums over replicates.
type moments struct{ n, t, x, tt, tx, xx float64 }

func (m *moments) add(t, x float64) {
	m.n++
	m.t, m.x, m.tt, m.tx, m.xx = m.t+t, m.x+x, m.tt+t*t, m.tx+t*x, m.xx+x*x
}

// scores returns the deviations of the sample's mean and covariance from a Gaussian law, in units
// of their standard errors under that law: sqrt(V/n) for a mean and sqrt((V W + C^2)/(n-1)) for a
// covariance, which for a variance is sqrt(2/(n-1)) V (chi-square). float32 adds up to 2e-6.
func (m *moments) scores(l law) map[string]float64 {
	n, c := m.n, l.cov
	mt, mx := m.t/n, m.x/n
	score := func(got, want, variance float64) float64 {
		return max(0, math.Abs(got-want)-2e-6) / math.Sqrt(variance)
	}
	const tiny = 1e-30 // a law without variance allows no deviation
	unbiased := n / (n - 1)
	return map[string]float64{
		"mean of theta":     score(mt, l.mean[0], c[0]/n+tiny),
		"mean of X":         score(mx, l.mean[1], c[2]/n+tiny),
		"variance of theta": score((m.tt/n-mt*mt)*unbiased, c[0], 2*c[0]*c[0]/(n-1)+tiny),
		"covariance":        score((m.tx/n-mt*mx)*unbiased, c[1], (c[0]*c[2]+c[1]*c[1])/(n-1)+tiny),
		"variance of X":     score((m.xx/n-mx*mx)*unbiased, c[2], 2*c[2]*c[2]/(n-1)+tiny),
	}
}

// toyOptions are overdamped, with plain gradient descent and constant schedules.
func toyOptions(h float64) config.Options {
	o := small()
	o.Latent, o.ObsNoise, o.Particles = toyWidth, 1, toyParticles
	o.StepSize, o.StepSizeEnd, o.LR, o.ScoreLR = h, h, h*toyPoints, 1
	return o
}

// trainToy gathers the moments of (theta, mean X) over the given number of models after each number
// of steps in at.
func trainToy(t *testing.T, name config.Method, o config.Options, models uint64,
	at []int) map[int]*moments {
	t.Helper()
	p := pool.New(1)
	defer p.Close()
	train := table{D: toyWidth}
	for i := range toyPoints * toyWidth { // toyMean on average, but not each
		train.X = append(train.X, float32(toyMean+2*(i/toyWidth)-(toyPoints-1)))
	}
	index := []int{0, 1, 2, 3}
	found := map[int]*moments{}
	for _, k := range at {
		found[k] = &moments{}
	}
	for seed := range models {
		m, err := New(name, Setup{
			Options: o, Train: train, Batch: toyPoints, Tile: 64, Seed: 1000 + seed, Pool: p,
			Decoder: toyDecoder(), Prior: prior.Gaussian{Latent: toyWidth, LearnMean: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		theta, z := m.(*flow).prior.p, m.(*flow).cloud.Z
		for k := 0; k <= at[len(at)-1]; k++ {
			if sums := found[k]; sums != nil {
				for j := range toyWidth {
					var x float64
					for i := j; i < len(z); i += toyWidth {
						x += float64(z[i]) / float64(toyPoints*o.Particles)
					}
					sums.add(float64(theta[j]), x)
				}
			}
			mustStep(t, m.(*flow), Minibatch{Index: index, Number: uint32(k)})
		}
	}
	return found
}

// rejected is the score above which a law is rejected. A right law exceeds it in one of two million
// checks.
const rejected = 5

// The law of (theta, mean X) is that of the affine recursion at every k, within the standard errors
// of 16,000 replicates. The same test rejects the laws of plausible mistakes.
func TestToyModel(t *testing.T) {
	const h = 0.1
	at := []int{0, 1, 2, 5, 20, toySteps}
	found := trainToy(t, "pgd", toyOptions(h), toyModels, at)
	for _, k := range at {
		for what, s := range found[k].scores(toyFlow(h).after(k)) {
			if !(s <= rejected) {
				t.Errorf("after %d steps: %s is %.1f standard errors off", k, what, s)
			}
		}
	}
	for name, wrong := range wrongToys(h) {
		most := 0.0
		for _, k := range at {
			for _, s := range found[k].scores(wrong.after(k)) {
				most = max(most, s)
			}
		}
		if most <= rejected {
			t.Errorf("no power: %s is only %.1f standard errors off", name, most)
		}
	}
}

// wrongToys are the laws of plausible mistakes.
func wrongToys(h float64) map[string]toyModel {
	noise := func(factor float64) toyModel {
		m := toyFlow(h)
		m.q[1] *= factor
		return m
	}
	wrong := map[string]toyModel{
		"noise times sqrt 2":            noise(math.Sqrt2),
		"noise over sqrt 2":             noise(math.Sqrt(0.5)),
		"noise times 2":                 noise(2),
		"noise shared by the particles": noise(math.Sqrt(toyParticles)),
	}
	m := toyFlow(h)
	m.a[0] = [2]float64{1 - h*toyPoints/toyParticles, h * toyPoints / toyParticles}
	wrong["theta's gradient over N once more"] = m

	m = toyFlow(h) // X moves at the new theta
	m.a[1] = [2]float64{h * m.a[0][0], 1 - 2*h + h*m.a[0][1]}
	wrong["theta before X"] = m

	m = toyFlow(h) // theta follows the new X
	for j := range 2 {
		m.a[0][j] = h * toyPoints * m.a[1][j]
	}
	m.a[0][0] += 1 - h*toyPoints
	m.b[0], m.q[0] = h*toyPoints*m.b[1], h*toyPoints*m.q[1]
	wrong["X before theta"] = m

	m = toyFlow(h)
	m.a[1][0] = -h
	wrong["sign of theta in the drift"] = m
	return wrong
}

// For small h the recursion tends to the stationary variance 1/(N (D+2)) of ALGORITHM.md, with a
// bias of order h, and to the mean of y.
func TestToyLimit(t *testing.T) {
	want := 1.0 / (toyParticles * (toyPoints + 2))
	var last float64
	for _, h := range []float64{4e-3, 2e-3, 1e-3} {
		l := toyFlow(h).after(int(40 / h))
		if math.Abs(l.mean[0]-toyMean) > 1e-6 {
			t.Errorf("h = %v: theta tends to %v, not to %v", h, l.mean[0], toyMean)
		}
		bias := l.cov[0]/want - 1
		if math.Abs(bias) > 5*h {
			t.Errorf("h = %v: variance %v, expected %v", h, l.cov[0], want)
		}
		if last != 0 && math.Abs(last/bias-2) > 0.05 {
			t.Errorf("h = %v: the bias fell by %v, expected 2", h, last/bias)
		}
		last = bias
	}
	t.Logf("relative bias at h = 0.001: %.2g", last)
}
