package evaluate

import (
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/metric"
)

// Posterior inference is the same for all methods (infer.Standard). The step size falls during the
// first burnShare of the moves, and averages are over the others. Only the start differs: the
// encoder's means, or N(0, I) without an encoder.
const (
	inferRows = 500
	burnShare = 2.0 / 3
)

// someHeldOut returns n held-out images, or all if there are fewer, in their order.
func (e *evaluation) someHeldOut(n int) data.Dataset {
	n = min(n, e.own.Held.Len())
	index := shuffled(e.own.Held.Len(), e.Seed)[:n]
	slices.Sort(index)
	return data.Subset(e.own.Held, index)
}

// posterior prepares the inference of some images. If the method has an encoder, particles start at
// its means.
func (e *evaluation) posterior(images data.Dataset, particles int) (*infer.Posterior, error) {
	m, err := e.inferring(1)
	if err != nil {
		return nil, err
	}
	s := infer.Standard(particles)
	s.Images, s.Conditions, s.Missing = images, e.conditions(images), data.MissingOf(images)
	s.Tile, s.Seed, s.Pool, s.Progress = e.config.Tile, e.Seed, e.pool, e.doing.At
	p := infer.New(m, s)
	if e.generator.Encodes() {
		e.startAtMeans(p.Latents(), images, particles)
	}
	return p, nil
}

// inferring is the trained model as inference needs it.
func (e *evaluation) inferring(draws int) (generate.Model, error) {
	return method.Inferring(e.config.Method, e.config.Options, e.generator.Model(), draws)
}

// startAtMeans sets all particles of each image to the mean of its q(z|x).
func (e *evaluation) startAtMeans(z []float32, images data.Dataset, particles int) {
	d := e.generator.Latent()
	e.eachBlock(images, func(lo int, idx []int, x, conditions []float32) {
		mean, logvar := make([]float32, len(idx)*d), make([]float32, len(idx)*d)
		e.generator.Encode(mean, logvar, x, conditions)
		for i := range idx {
			for n := range particles {
				copy(z[((lo+i)*particles+n)*d:], mean[i*d:(i+1)*d])
			}
		}
	})
}

// eachBlock calls f with consecutive blocks of images, the first of them number lo, and with their
// conditions.
func (e *evaluation) eachBlock(
	images data.Dataset, f func(lo int, idx []int, x, conditions []float32),
) {
	dim := e.generator.Dim()
	x := make([]float32, min(inferRows, images.Len())*dim)
	for lo := 0; lo < images.Len(); lo += inferRows {
		idx := data.Range(lo, min(lo+inferRows, images.Len()))
		images.Gather(x[:len(idx)*dim], idx)
		f(lo, idx, x[:len(idx)*dim], e.conditionsOf(images, idx))
	}
}

// squareErrors returns, for each image, the mean squared error between it and the image of its
// latent, of the values that are known.
func (e *evaluation) squareErrors(images data.Dataset, z []float32) []float64 {
	d, dim := e.generator.Latent(), e.generator.Dim()
	out, missing := make([]float64, images.Len()), data.MissingOf(images)
	decoded := make([]float32, min(inferRows, images.Len())*dim)
	e.eachBlock(images, func(lo int, idx []int, x, conditions []float32) {
		y := decoded[:len(x)]
		e.generator.Decode(y, z[lo*d:(lo+len(idx))*d], conditions)
		for i := range x {
			if missing == nil || !missing.Row(lo + i/dim)[i%dim] {
				v := float64(y[i]) - float64(x[i])
				out[lo+i/dim] += v * v
			}
		}
	})
	return e.perKnown(images, out)
}

// perKnown divides the squared errors of images by how many of their values are known, and leaves
// out images of which none is.
func (e *evaluation) perKnown(images data.Dataset, squares []float64) (means []float64) {
	missing, known := data.MissingOf(images), e.generator.Dim()
	for i, square := range squares {
		if missing != nil {
			known = missing.KnownIn(i)
		}
		if known > 0 {
			means = append(means, square/float64(known))
		}
	}
	return means
}

// reconstruction infers held-out images and reports how well their latents explain them.
func (e *evaluation) reconstruction() error {
	if !e.hasHeldOut("reconstruction") {
		return nil
	}
	images := e.someHeldOut(e.Images)
	p, err := e.posterior(images, 1)
	if err != nil {
		return err
	}
	moves := infer.Moves{Burn: int(math.Round(burnShare * float64(e.Moves)))}
	moves.Keep = e.Moves - moves.Burn
	e.doing.Set(fmt.Sprintf("posterior inference of %d held-out images, %d moves each",
		images.Len(), e.Moves))
	if err := p.Run(e.ctx, moves); err != nil {
		return err
	}
	e.inferred, e.inferredImages = meansOf(p), images
	start := "N(0, I)"
	if e.generator.Encodes() {
		start = "the encoder's means"
	}
	return e.reportReconstruction(p, images, fmt.Sprintf("%d held-out images, %d Langevin moves "+
		"from %s with the learned prior, averages of the last %d (%.2g %% of them clipped)",
		images.Len(), e.Moves, start, moves.Keep, 100*p.Clipped()))
}

// meansOf returns the posterior means, a row for each image.
func meansOf(p *infer.Posterior) (z []float32) {
	for _, image := range p.Images() {
		for _, v := range image.Mean {
			z = append(z, float32(v))
		}
	}
	return z
}

func (e *evaluation) reportReconstruction(
	p *infer.Posterior, images data.Dataset, note string,
) error {
	var square, energy, prior []float64
	for _, image := range p.Images() {
		square = append(square, image.SquareError)
		energy = append(energy, image.DataLoss+image.PriorLoss)
		prior = append(prior, image.PriorLoss)
	}
	const unit = "nats/image"
	for _, r := range []struct {
		Metric
		values []float64
	}{
		{Metric{
			Name: "reconstruction MSE", Key: "recon_mse",
			Note: "of the posterior's samples, pixels in [-1, 1]; " + note,
		}, e.perKnown(images, square)},
		{Metric{
			Name: "MSE of posterior mean", Key: "recon_mse_mean",
			Note: "of the image of the mean latent",
		}, e.squareErrors(images, e.inferred)},
		{Metric{
			Name: "energy", Key: "energy", Unit: unit,
			Note: "decoder NLL + bound on -log p(z), averaged over the posterior",
		}, energy},
		{Metric{
			Name: "energy of the prior", Key: "prior_energy", Unit: unit,
			Note: "bound on -log p(z)",
		}, prior},
	} {
		if err := e.reportMean(r.Metric, r.values); err != nil {
			return err
		}
	}
	return e.reportEncoder(images)
}

// reportEncoder reports how well the encoder's means explain the images, if there is an encoder.
func (e *evaluation) reportEncoder(images data.Dataset) error {
	if !e.generator.Encodes() {
		return nil
	}
	means := make([]float32, images.Len()*e.generator.Latent())
	e.startAtMeans(means, images, 1)
	return e.reportMean(Metric{
		Name: "encoder MSE", Key: "encoder_mse",
		Note: "of the images of the encoder's means, without inference",
	}, e.squareErrors(images, means))
}

// reportMean reports the mean of a number over the images.
func (e *evaluation) reportMean(m Metric, values []float64) error {
	value, err := metric.MeanInterval(values, e.bootstrap(), e.pool)
	m.Group, m.Better = Reconstruction, Lower
	e.add(m.measured(value, math.NaN()))
	return err
}
