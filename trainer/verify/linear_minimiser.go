package verify

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/model"
)

// frozenStep is a step size that moves no particle by more than the rounding of its position: the cloud
// is fixed, and only theta is trained.
const frozenStep = 1e-16

// frozen starts a training of theta alone on a cloud that does not move: N particles of one datapoint.
func (l *lab) frozen(law latentLaw, weight string, cloud, theta []float32, lr float64, k int) (method.Method, error) {
	d := law.dim()
	o := plain(d, len(cloud)/d, frozenStep, lr)
	o.PriorWeight = weight
	decoder := model.NewMLP(d, 1)
	m, err := method.New("ipld", method.Setup{
		Options: o, Train: table{D: 1, X: make([]float32, 1)}, Batch: 1, Tile: 64, Seed: l.seed(k), Pool: l.pool,
		Decoder: fixedNet{decoder, make([]float32, decoder.Layout().Size())},
		Prior:   &method.DiffusionPrior{Bound: method.NewBound(o), Score: exactScore{law}},
	})
	if err != nil {
		return nil, err
	}
	copy(tensor(m, "cloud/z"), cloud)
	copy(tensor(m, "prior/params"), theta)
	m.Restored()
	return m, nil
}

// gradients are theta's gradients of independent draws at one theta: plain descent at rate 1 from
// there steps by minus the gradient.
func (l *lab) gradients(law latentLaw, weight string, cloud, theta []float32, k int) ([]sample, error) {
	m, err := l.frozen(law, weight, cloud, theta, 1, k)
	if err != nil {
		return nil, err
	}
	found := make([]sample, len(theta))
	p := tensor(m, "prior/params")
	for i := range l.n(200, 4000) {
		copy(p, theta)
		m.Restored()
		if _, err := l.step(m, method.Minibatch{Index: all(1), Number: uint32(i)}); err != nil {
			return nil, err
		}
		for k := range found {
			found[k] = append(found[k], float64(theta[k]-p[k]))
		}
	}
	return found, nil
}

// correlatedCloud is n particles of three correlated dimensions.
func (l *lab) correlatedCloud(n int) []float32 {
	mix := [3][3]float64{{1.2, 0, 0}, {-0.6, 0.7, 0}, {0.3, 0.4, 0.5}}
	shift := [3]float64{0.5, -1, 0.2}
	x := make([]float32, 3*n)
	kernel.Normal(x, kernel.Key{Seed: l.seed(1000), Stream: kernel.StreamCloud}, 0)
	for i := 0; i < len(x); i += 3 {
		var row [3]float64
		for j := range row {
			row[j] = shift[j]
			for k := range 3 {
				row[j] += mix[j][k] * float64(x[i+k])
			}
		}
		for j, v := range row {
			x[i+j] = float32(v)
		}
	}
	return x
}

// minimiser: for a fixed cloud theta's gradient is zero at the moments of the cloud, whatever the weight
// of the noise levels, and elsewhere it is that of the closed form.
func minimiser(l *lab) error {
	for k, weight := range []string{"elbo", "simple"} {
		law, cloud := newGaussianLaw(3), l.correlatedCloud(128)
		mean, cov := cloudMoments(cloud, 3)
		found, err := l.gradients(law, weight, cloud, law.values(mean, cov), 10*k)
		if err != nil {
			return err
		}
		var worst float64
		for _, g := range found {
			worst = max(worst, max(0, math.Abs(g.mean())-float32Error)/g.se())
		}
		l.atMost("largest gradient of theta at the cloud's moments, standard errors, weight "+weight, worst, z)
		if err := l.gradientAway(weight, 10*k+1); err != nil {
			return err
		}
		if err := l.descend(weight, 10*k+2); err != nil {
			return err
		}
	}
	return nil
}

// gradientAway compares theta's gradient with the closed form, at N(0.5, spread), for a cloud of
// independent standard normals.
func (l *lab) gradientAway(weight string, k int) error {
	law := newAxesLaw(axesDim)
	cloud := make([]float32, 256*axesDim)
	kernel.Normal(cloud, kernel.Key{Seed: l.seed(1001), Stream: kernel.StreamCloud}, 0)
	found, err := l.gradients(law, weight, cloud, law.values(spreadOver([]float64{axesMean}), spreadOver(spread[:])), k)
	if err != nil {
		return err
	}
	mean, cov := cloudMoments(cloud, axesDim)
	process := diffusion.Process{Min: -10, Max: 10}
	w := one
	if weight == "simple" {
		w = sech(process)
	}
	for j, s := range spread {
		var byMean, byLogS sample
		var exactMean, exactLogS float64
		for c := j; c < axesDim; c += len(spread) {
			m, v := drift1{Process: process, m: axesMean, s: s}.thetaGradient(mean[c], cov.At(c, c), w)
			exactMean, exactLogS = exactMean+m, exactLogS+v
			byMean, byLogS = plus(byMean, found[c]), plus(byLogS, found[axesDim+c])
		}
		name := fmt.Sprintf("gradient of theta elsewhere, weight %s, s = %v, by ", weight, s)
		l.estimate(name+"the mean", exactMean, byMean.mean(), byMean.se(), float32Error*axesDim)
		l.estimate(name+"log s", exactLogS, byLogS.mean(), byLogS.se(), float32Error*axesDim)
	}
	return nil
}

// plus is the sum of two samples of one length; nil is zero.
func plus(x, y sample) sample {
	if x == nil {
		return append(x, y...)
	}
	for i, v := range y {
		x[i] += v
	}
	return x
}

// descend trains theta from N(0, I) to its minimum for a fixed cloud, and looks at the
// Kullback-Leibler divergence of the averaged theta from the cloud's moments. What the noise of the gradients leaves, of
// some (number of parameters)/(2 rows steps) times the noise levels' range, is far below the hundredth allowed.
func (l *lab) descend(weight string, k int) error {
	law, cloud := newGaussianLaw(3), l.correlatedCloud(128)
	m, err := l.frozen(law, weight, cloud, make([]float32, law.params.Size()), 0.02, k)
	if err != nil {
		return err
	}
	mean, cov := cloudMoments(cloud, 3)
	p := tensor(m, "prior/params")
	start := gaussianKL(mean, cov, []float64{0, 0, 0}, identity(3))
	steps := l.n(2000, 20000)
	average := make([]float64, len(p))
	for i := range steps {
		if _, err := l.step(m, method.Minibatch{Index: all(1), Number: uint32(i)}); err != nil {
			return err
		}
		if i >= steps/2 {
			for j, v := range p {
				average[j] += float64(v) / float64(steps-steps/2)
			}
		}
	}
	m2, s2 := law.moments(narrow(average))
	l.atMost(fmt.Sprintf("nats from the cloud's moments to theta after descent (%.3g before), weight %s", start, weight),
		gaussianKL(mean, cov, m2, s2), 0.01*start)
	return nil
}
