package query

import "context"

// Reconstructions are what the model makes of rows Lo to Lo+len(MSE)-1.
type Reconstructions struct {
	Lo        int
	Mean, Std []float32 // rows x D, of the decoder's outputs for latents of the posterior
	// MSE is the mean squared error of Mean, and DrawMSE that of the outputs for single latents,
	// both for each value that is known.
	MSE, DrawMSE []float64
	Energy       []float64 // nats, as in Latents
	Settled      []bool    // as in Latents
}

// Reconstruct draws the latents of rows, decodes them, and passes the results on block by block. It
// stops early as Latents does.
func (m *Model) Reconstruct(
	ctx context.Context, r Rows, o Options, use func(Reconstructions) error,
) (Summary, error) {
	o = m.withDefaults(o)
	if err := m.check(r, o); err != nil {
		return Summary{}, err
	}
	o = o.decoding()
	dim := m.generator.Dim()
	x := make([]float32, dim)
	return m.each(ctx, r, o, 2*dim, func(b block) error {
		out := Reconstructions{Lo: b.lo}
		for i, image := range b.posterior.Images() {
			at := len(out.Mean)
			out.Mean = appendFloats(out.Mean, image.Decoded.Mean)
			out.Std = appendRoots(out.Std, image.Decoded.Var, nil)
			r.Images.Gather(x, []int{b.lo + i})
			square, known := squareError(out.Mean[at:], x, r.missing(b.lo+i))
			out.MSE = append(out.MSE, square/known)
			out.DrawMSE = append(out.DrawMSE, image.SquareError/known)
			out.Energy = append(out.Energy, image.Energy())
			out.Settled = append(out.Settled, image.Settled)
		}
		return use(out)
	})
}

// decoding returns options with which what the decoder makes of the draws is averaged.
func (o Options) decoding() Options {
	s := *o.Settling
	s.Decode = true
	o.Settling = &s
	return o
}

// missing returns what is missing of row i; nil if nothing is.
func (r Rows) missing(i int) []bool {
	if r.Missing == nil {
		return nil
	}
	return r.Missing.Row(i)
}

// squareError is |y - x|^2 over the values that are known, and their number.
func squareError(y, x []float32, missing []bool) (square, known float64) {
	for j, v := range y {
		if missing == nil || !missing[j] {
			e := float64(v) - float64(x[j])
			square += e * e
			known++
		}
	}
	return square, known
}
