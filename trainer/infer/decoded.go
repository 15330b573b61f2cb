package infer

// Decoded is the mean and the variance of what the decoder makes of an image's particles, D numbers
// each, missing pixels among them. They are taken at the end of each window of kept moves.
// Variances do not include the noise of a pixel, sigma_x^2.
type Decoded struct {
	Mean, Var []float64

	n float64 // images that were added; until finish, Mean and Var are sums
}

func newDecoded(dim int) *Decoded {
	return &Decoded{Mean: make([]float64, dim), Var: make([]float64, dim)}
}

// add adds images, as rows of out.
func (d *Decoded) add(out []float32) {
	dim := len(d.Mean)
	for ; len(out) > 0; out = out[dim:] {
		d.n++
		for j, v := range out[:dim] {
			d.Mean[j] += float64(v)
			d.Var[j] += float64(v) * float64(v)
		}
	}
}

// finish makes the sums the mean and the variance; that of n images has n-1 degrees of freedom.
func (d *Decoded) finish() {
	for j, sum := range d.Mean {
		mean := sum / d.n
		d.Mean[j], d.Var[j] = mean, max(0, d.Var[j]-sum*mean)/(d.n-1)
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
	out, size := pass.Out(), w.cloud.N*w.likelihood.Dim
	for i, c := range at[first:last] {
		if c.stage == keeping {
			c.decoded.add(out[i*size : (i+1)*size])
		}
	}
}
