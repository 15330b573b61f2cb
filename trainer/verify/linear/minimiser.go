package linear

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// correlatedCloud returns n particles of three correlated dimensions.
func correlatedCloud(l *lab.Lab, n int) []float32 {
	mix := [3][3]float64{{1.2, 0, 0}, {-0.6, 0.7, 0}, {0.3, 0.4, 0.5}}
	shift := [3]float64{0.5, -1, 0.2}
	x := make([]float32, 3*n)
	kernel.Normal(x, kernel.Key{Seed: l.Seed(1000), Stream: particle.StreamCloud}, 0)
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

// minimiser: for a fixed cloud theta's gradient is zero at the moments of the cloud, whatever the
// weight of the noise levels and the density they are drawn from, and elsewhere it is the closed
// form.
func minimiser(l *lab.Lab) error {
	var all []lab.Levels
	for _, density := range diffusion.Densities {
		for _, weight := range diffusion.Weights {
			all = append(all, lab.Levels{Weight: weight, Density: density})
		}
	}
	for k, levels := range all {
		law, cloud := exactnet.NewGaussian(3), correlatedCloud(l, 128)
		mean, cov := cloudMoments(cloud, 3)
		found, err := l.Gradients(law, levels, cloud, law.Values(mean, cov), 10*k)
		if err != nil {
			return err
		}
		var worst float64
		for _, g := range found {
			worst = max(worst, max(0, math.Abs(g.Mean())-lab.Float32Error)/g.SE())
		}
		const quantity = "largest gradient of theta at the cloud's moments, standard errors, "
		l.AtMost(quantity+"weight "+levels.String(), worst, lab.Z)
		if err := gradientAway(l, levels, 10*k+1); err != nil {
			return err
		}
		if err := descend(l, levels, 10*k+2); err != nil {
			return err
		}
	}
	return nil
}

// gradientAway compares theta's gradient with the closed form, at N(0.5, spread), for a cloud of
// independent standard normals.
func gradientAway(l *lab.Lab, levels lab.Levels, k int) error {
	law := exactnet.NewAxes(axesDim)
	cloud := make([]float32, 256*axesDim)
	kernel.Normal(cloud, kernel.Key{Seed: l.Seed(1001), Stream: particle.StreamCloud}, 0)
	theta := law.Values(spreadOver([]float64{axesMean}), spreadOver(spread[:]))
	found, err := l.Gradients(law, levels, cloud, theta, k)
	if err != nil {
		return err
	}
	mean, cov := cloudMoments(cloud, axesDim)
	w := one
	if levels.Weight == diffusion.Simple {
		w = sech(lab.Process)
	}
	for j, s := range spread {
		var byMean, byLogS lab.Sample
		var exactMean, exactLogS float64
		for c := j; c < axesDim; c += len(spread) {
			drift := drift1{Process: lab.Process, m: axesMean, s: s}
			m, v := drift.thetaGradient(mean[c], cov.At(c, c), w)
			exactMean, exactLogS = exactMean+m, exactLogS+v
			byMean, byLogS = plus(byMean, found[c]), plus(byLogS, found[axesDim+c])
		}
		name := fmt.Sprintf("gradient of theta elsewhere, weight %s, s = %v, by ", levels, s)
		l.EstimateMean(name+"the mean", exactMean, byMean, lab.Float32Error*axesDim)
		l.EstimateMean(name+"log s", exactLogS, byLogS, lab.Float32Error*axesDim)
	}
	return nil
}

// plus adds y to x, of the same length or nil for zero.
func plus(x, y lab.Sample) lab.Sample {
	if x == nil {
		return append(x, y...)
	}
	for i, v := range y {
		x[i] += v
	}
	return x
}

// descend trains theta from N(0, I) to its minimum for a fixed cloud, and checks the
// Kullback-Leibler divergence from the cloud's moments to the averaged theta. The noise of the
// gradients leaves about (number of parameters)/(2 rows steps) times the range of noise levels,
// far below the accepted hundredth.
func descend(l *lab.Lab, levels lab.Levels, k int) error {
	law, cloud := exactnet.NewGaussian(3), correlatedCloud(l, 128)
	m, err := l.Frozen(law, levels, cloud, make([]float32, law.Layout().Size()), 0.02, k)
	if err != nil {
		return err
	}
	mean, cov := cloudMoments(cloud, 3)
	p := lab.Tensor(m, "prior/params")
	start := gaussianKL(mean, cov, []float64{0, 0, 0}, identity(3))
	steps := l.N(2000, 20000)
	average := make([]float64, len(p))
	for i := range steps {
		if _, err := l.StepAll(m, 1, i); err != nil {
			return err
		}
		if i >= steps/2 {
			for j, v := range p {
				average[j] += float64(v) / float64(steps-steps/2)
			}
		}
	}
	m2, s2 := law.Moments(exactnet.Narrow(average))
	const quantity = "nats from the cloud's moments to theta after descent (%.3g before), weight %s"
	l.AtMost(fmt.Sprintf(quantity, start, levels), gaussianKL(mean, cov, m2, s2), 0.01*start)
	return nil
}
