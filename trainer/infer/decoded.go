package infer

import "github.com/plume-ml/plume/trainer/likelihood"

// Decoded is the mean and the variance of E[x|z] over an image's particles, D numbers each, missing
// pixels among them, and the mean of the variance of x given z (Noise). They are taken at the end
// of each window of kept moves.
type Decoded struct {
	Mean, Var, Noise []float64

	n float64 // images that were added; until finish, all are sums
}

func newDecoded(dim int) *Decoded {
	all := make([]float64, 3*dim)
	return &Decoded{Mean: all[:dim], Var: all[dim : 2*dim], Noise: all[2*dim:]}
}

// add adds images, given as the decoder's outputs.
func (d *Decoded) add(l likelihood.Likelihood, out []float32) {
	mean, noise, width := make([]float32, l.Dim()), make([]float64, l.Dim()), l.Outputs()
	for ; len(out) > 0; out = out[width:] {
		d.n++
		l.Mean(mean, out[:width])
		l.Variance(noise, out[:width])
		for j, v := range mean {
			d.Mean[j] += float64(v)
			d.Var[j] += float64(v) * float64(v)
			d.Noise[j] += noise[j]
		}
	}
}

// finish makes the sums the mean and the variance; that of n images has n-1 degrees of freedom.
func (d *Decoded) finish() {
	for j, sum := range d.Mean {
		mean := sum / d.n
		d.Mean[j], d.Var[j] = mean, max(0, d.Var[j]-sum*mean)/(d.n-1)
		d.Noise[j] /= d.n
	}
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
