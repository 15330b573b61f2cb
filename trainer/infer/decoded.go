package infer

import (
	"math"

	"github.com/plume-ml/plume/trainer/likelihood"
)

// Decoded is the mean and the variance of E[x|z] over an image's particles, D numbers each, missing
// pixels among them, and the mean of the variance of x given z (Noise). They are taken at the end
// of each window of kept moves.
type Decoded struct {
	Mean, Var, Noise []float64

	n float64 // images that were added; until finish, all are sums

	missing []int     // the values that ess is about
	chains  []float64 // sums of these for each particle, N x missing
	count   int       // N
}

func newDecoded(dim int) *Decoded {
	all := make([]float64, 3*dim)
	return &Decoded{Mean: all[:dim], Var: all[dim : 2*dim], Noise: all[2*dim:]}
}

// judge prepares ess, for what is missing of an image with so many particles.
func (d *Decoded) judge(missing []bool, particles int) {
	for j, is := range missing {
		if is {
			d.missing = append(d.missing, j)
		}
	}
	d.count, d.chains = particles, make([]float64, particles*len(d.missing))
}

// add adds images, one of each particle, given as the decoder's outputs.
func (d *Decoded) add(l likelihood.Likelihood, out []float32) {
	mean, noise, width := make([]float32, l.Dim()), make([]float64, l.Dim()), l.Outputs()
	for k := 0; len(out) > 0; k, out = k+1, out[width:] {
		d.n++
		l.Mean(mean, out[:width])
		l.Variance(noise, out[:width])
		for j, v := range mean {
			d.Mean[j] += float64(v)
			d.Var[j] += float64(v) * float64(v)
			d.Noise[j] += noise[j]
		}
		for i, j := range d.missing {
			d.chains[k*len(d.missing)+i] += float64(mean[j])
		}
	}
}

// ess is how many independent draws the mean of the missing values is worth: the sum of their
// variances over that of the variances of their means, which the means of the chains tell; at most
// the number of images that were added. It is infinite if nothing is missing.
func (d *Decoded) ess() float64 {
	if len(d.missing) == 0 {
		return math.Inf(1)
	}
	chains, each := float64(d.count), d.n/float64(d.count)
	all, between := 0.0, 0.0
	for i, j := range d.missing {
		mean := d.Mean[j] / d.n
		all += max(0, d.Var[j]/d.n-float64(mean*mean))
		for k := range d.count {
			e := d.chains[k*len(d.missing)+i]/each - mean
			between += float64(e*e) / (chains - 1)
		}
	}
	if between <= all/each { // also if all are the same
		return d.n
	}
	return chains * all / between
}

// finish makes the sums the mean and the variance; that of n images has n-1 degrees of freedom.
func (d *Decoded) finish() {
	for j, sum := range d.Mean {
		mean := sum / d.n
		d.Mean[j], d.Var[j] = mean, max(0, d.Var[j]-sum*mean)/(d.n-1)
		d.Noise[j] /= d.n
	}
	d.chains = nil
}

// decode adds what the decoder makes of the particles of a tile whose positions are kept.
func (w *settling) decode(at []*course, tile int) {
	first, last := w.now.tiles.Points(tile)
	keeps := false
	for _, c := range at[first:last] {
		keeps = keeps || c.stage == keeping
	}
	if !keeps {
		return
	}
	lo, hi := w.now.tiles.Rows(tile)
	pass := w.decoder.Take(lo, hi)
	defer pass.Release()
	copy(pass.In(0), w.batch.Rows(w.batch.Z, lo, hi))
	pass.SetCondition(w.given, lo, w.cloud.N)
	pass.Forward()
	out, size := pass.Out(), w.cloud.N*w.likelihood.Outputs()
	for i, c := range at[first:last] {
		if c.stage == keeping {
			c.decoded.add(w.likelihood, out[i*size:(i+1)*size])
		}
	}
}
