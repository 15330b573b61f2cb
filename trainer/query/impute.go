package query

import (
	"context"
	"errors"

	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/likelihood"
)

// Imputations are rows Lo to Lo+len(Missing)-1 with their missing values filled in.
type Imputations struct {
	Lo int
	// Completions is rows x N x D: what is known of the row and, where it is not, a value for each
	// of N draws of its latent z. Of pictures it is E[x|z], without the noise of a value; of a
	// model with a likelihood by columns a draw of x given z.
	Completions []float32
	// Mean and Std, rows x D, are the mean of a missing value and its standard deviation under the
	// model, the noise of a value given its latent included. Of a known value they are the value
	// and 0.
	Mean, Std []float32
	Missing   []int  // of each row: how many values
	Settled   []bool // as in Latents
}

// Impute draws the latents of rows given what is known of them, which Rows.Missing tells, and fills
// in the rest, block by block. It stops early as Latents does.
func (m *Model) Impute(
	ctx context.Context, r Rows, o Options, use func(Imputations) error,
) (Summary, error) {
	patient := o.Settling == nil
	o = m.withDefaults(o)
	if err := m.check(r, o); err != nil {
		return Summary{}, err
	}
	if r.Missing == nil {
		return Summary{}, errors.New("nothing is missing: expected values that are not known")
	}
	o, wide := o.decoding(), 2
	if m.byColumns() {
		o.kept = infer.Standard(o.Particles).StepSize
		if patient {
			o.Settling.KeepMost, o.Settling.DecodedESS = columnMoves, columnDraws
			wide += o.Particles
		}
	}
	return m.each(ctx, r, o, wide*m.generator.Dim(), func(b block) error {
		return use(m.impute(b, r, o))
	})
}

// What is filled in is the mean over draws, whose error adds its square to that of the posterior's
// mean: a share of 1/columnDraws of a value's variance. The cells of a row tell little of each
// other, in comparison with the pixels of a picture: their variances are large. So they are worth
// columnDraws draws, or columnMoves moves, at the step size of the descent: moves of a fourth of it
// forget four times as slowly. How all three were chosen is in bench/study.
const columnDraws, columnMoves = 64, 1600

// byColumns reports whether the rows are of columns, with a likelihood of their own.
func (m *Model) byColumns() bool {
	_, is := m.generator.Model().Likelihood.(*likelihood.Mixed)
	return is
}

// impute fills in the rows of a block.
func (m *Model) impute(b block, r Rows, o Options) Imputations {
	n, dim := b.hi-b.lo, m.generator.Dim()
	out := Imputations{Lo: b.lo, Completions: make([]float32, n*o.Particles*dim)}
	m.complete(out.Completions, b, m.repeated(r, b, o.Particles), o)
	x, all := make([]float32, dim), out.Completions
	for i, image := range b.posterior.Images() {
		r.Images.Gather(x, []int{b.lo + i})
		at, count := len(out.Mean), 0
		out.Mean = appendFloats(out.Mean, image.Decoded.Mean)
		out.Std = appendRoots(out.Std, image.Decoded.Var, image.Decoded.Noise)
		for j, missing := range r.missing(b.lo + i) {
			if missing {
				count++
				continue
			}
			out.Mean[at+j], out.Std[at+j] = x[j], 0
			for k := range o.Particles {
				all[(i*o.Particles+k)*dim+j] = x[j]
			}
		}
		out.Missing = append(out.Missing, count)
		out.Settled = append(out.Settled, image.Settled)
	}
	return out
}

// complete sets x to rows for the latents of a block.
func (m *Model) complete(x []float32, b block, conditions []float32, o Options) {
	z := b.posterior.Latents()
	if m.generator.Model().Likelihood.Noisy() {
		m.generator.Draw(x, z, conditions, o.Seed, b.lo*o.Particles)
		return
	}
	m.generator.Decode(x, z, conditions)
}

// Condition returns the condition of row i; nil for a model without conditions.
func (m *Model) Condition(r Rows, i int) []float32 { return m.conditionsOf(r, []int{i}) }

// repeated returns the conditions of a block's rows, n times each; nil for a model without.
func (m *Model) repeated(r Rows, b block, n int) []float32 {
	var index []int
	for i := b.lo; i < b.hi; i++ {
		for range n {
			index = append(index, i)
		}
	}
	return m.conditionsOf(r, index)
}
