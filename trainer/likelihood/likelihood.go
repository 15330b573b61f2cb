// Package likelihood is the density p(x|z) of a row of data given the decoder's output for its
// latent: Gaussian with one noise for all numbers, Clipped for numbers in [-1, 1], or Mixed, by
// columns.
package likelihood

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/phase"
)

// Likelihood is a density p(x|z) of rows of D numbers. Rows are row-major, and may be several in a
// call.
type Likelihood interface {
	// Dim is the number D of numbers in a row.
	Dim() int
	// Outputs is how many numbers the decoder gives for a row.
	Outputs() int
	// Gradient runs rows forward and backward through the decoder. Afterwards t is ready for Grad.
	// What is differentiated is -log p(x|z), or a bound of it from above.
	Gradient(t *model.Tape, r Rows)
	// NegLog is -log p(x|z) in nats of one row x (D numbers), of which some may be missing (D, or
	// nil: none), given the decoder's output for it.
	NegLog(out, x []float32, missing []bool) float64
	// Mean sets mean (n x D) to E[x|z] given the decoder's outputs for n latents.
	Mean(mean, out []float32)
	// Variance sets v (D) to the variances of a row's numbers given the decoder's output for it.
	Variance(v []float64, out []float32)
	// Draw sets x (n x D) to rows drawn from p(x|z), given the decoder's outputs for n latents and
	// a standard normal number for each of x.
	Draw(x, out, normal []float32)
	// Noisy reports whether a sample is a draw from p(x|z). Otherwise it is the mean, which is what
	// one wants to see of pictures.
	Noisy() bool
}

// Values of the configuration key likelihood; others are the columns of Mixed.
const (
	Gauss = "gaussian" // Gaussian
	Clip  = "clipped"  // Clipped
)

// New returns the likelihood that the configuration key of that name describes, for rows of dim
// numbers: Gaussian or Clipped with sigma = noise, or Mixed whose smallest scale is noise. Columns
// of another number of numbers are an error.
func New(text string, noise float64, dim int) (Likelihood, error) {
	gaussian := Gaussian{Sigma: noise, D: dim}
	switch text {
	case Gauss:
		return gaussian, nil
	case Clip:
		return Clipped{gaussian}, nil
	}
	columns, err := ParseColumns(text)
	if err == nil && columns.Dim() != dim {
		err = fmt.Errorf("%d numbers; expected %d, as many as a row has", columns.Dim(), dim)
	}
	if err != nil {
		return nil, fmt.Errorf("likelihood = %s: %w", text, err)
	}
	return NewMixed(columns, noise), nil
}

// Rows are rows Lo to Hi of a batch. Row i belongs to image i/Particles.
type Rows struct {
	Lo, Hi, Particles int
	Z                 []float32 // latents of these rows, Hi-Lo x d
	X                 []float32 // images of the whole batch, of D numbers each
	// Condition is what each image is to be like, rows as wide as the decoder's input
	// [model.Condition], for the whole batch; nil: no conditions.
	Condition []float32
	// Missing are the numbers of X that are not known, of the whole batch; nil: none. They have no
	// part in the likelihood, and may be any finite numbers.
	Missing []bool

	Clock *phase.Clock // counts the time by phase; nil: it is not counted

	// Of the whole batch, set for these rows: -log p(x|z) in nats, and |E[x|z] - x|^2, of what is
	// known.
	Loss   []float64
	Square []float32
	G      []float32 // set to the gradient by z of what is differentiated, Hi-Lo x d
}

// forward runs the rows through the decoder. The phase of the way back has begun.
func (r Rows) forward(t *model.Tape) (*model.Pass, phase.Span) {
	now := r.Clock.Enter(phase.DecoderForward)
	pass := t.Take(r.Lo, r.Hi)
	copy(pass.In(0), r.Z)
	pass.SetCondition(r.Condition, r.Lo, r.Particles)
	pass.Forward()
	return pass, now.Enter(phase.DecoderBackward)
}

// image returns the numbers of row i's image, and which of them are missing; nil: none.
func (r Rows) image(i, dim int) (x []float32, missing []bool) {
	at := i / r.Particles * dim
	if r.Missing != nil {
		missing = r.Missing[at : at+dim]
	}
	return r.X[at : at+dim], missing
}
