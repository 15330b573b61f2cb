package method

import (
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/prior"
)

// Stats are sums over the rows of a step. Sums of Stats (Add) give the means over an epoch.
type Stats struct {
	Steps       float64
	Evaluations float64 // passes of a row, forward and backward, through one network
	Rows        float64 // rows that entered the losses
	SquareError float64 // squared pixel errors
	DataLoss    float64 // -log p(x|z), nats
	PriorLoss   float64 // the bound on -log p(z), nats
	Entropy     float64 // of an encoder's q(z|x), nats; 0 for particles
	Moved       float64 // moves of particles, including inner ones
	Clipped     float64 // moves that were clipped
	Redrawn     float64 // particles that the guard drew anew
	Anchor      float64 // coefficient of the scale anchor, summed over the steps

	// Levels are the prior losses by noise level; empty for a prior without levels.
	Levels diffusion.Levels

	// Operations are about the floating-point operations of the parameters' products.
	Operations float64

	// GradientNorm is the Euclidean norm of the gradient of decoder, prior and encoder in this
	// step, 0 for those that had none. Add does not sum it.
	GradientNorm [3]float64
}

// Values returns pointers to the fields that are sums, in their order, for Add and for checkpoints.
// These have Levels elsewhere, and Operations not at all: their rate is one of the session.
func (s *Stats) Values() [11]*float64 {
	return [...]*float64{
		&s.Steps, &s.Evaluations, &s.Rows, &s.SquareError, &s.DataLoss, &s.PriorLoss, &s.Entropy,
		&s.Moved, &s.Clipped, &s.Redrawn, &s.Anchor,
	}
}

// Add adds t to s.
func (s *Stats) Add(t Stats) {
	from := t.Values()
	for i, v := range s.Values() {
		*v += *from[i]
	}
	s.Levels.Add(t.Levels)
	s.Operations += t.Operations
}

// lossRows are the losses of the rows of a rank's part of a minibatch.
type lossRows struct {
	data        []float64 // -log p(x|z), and the squared errors; nil: not summed
	square      []float32
	prior       []float32
	entropy     []float32  // of each datapoint; nil: there is none
	each, draws int        // rows of each datapoint, and those of the prior's loss
	tape        prior.Tape // whose levels count; nil: none
}

// losses sets the sums of the losses over all rows of the minibatch, on all ranks.
func (l *lanes) losses(s *Stats, r lossRows) {
	const square, data, prior, entropy, levels = 0, 1, 2, 3, 4
	sums := l.sum(levels+3*diffusion.LevelBins, func(_, from, end int, part []float64) {
		if r.data != nil {
			part[square] = sum(r.square[from*r.each : end*r.each])
			part[data] = sum(r.data[from*r.each : end*r.each])
		}
		part[prior] = sum(r.prior[from*r.draws : end*r.draws])
		if r.entropy != nil {
			part[entropy] = sum(r.entropy[from:end])
		}
		if r.tape != nil {
			own := r.tape.Levels(from*r.draws, end*r.draws)
			for k, x := range own.All() {
				copy(part[levels+k*diffusion.LevelBins:], x)
			}
		}
	})
	s.Rows = float64(l.points * r.each)
	s.SquareError, s.DataLoss = sums[square], sums[data]
	s.PriorLoss = float64(r.each/max(1, r.draws)) * sums[prior]
	s.Entropy = float64(r.each) * sums[entropy]
	for k, x := range s.Levels.All() {
		copy(x, sums[levels+k*diffusion.LevelBins:])
	}
}

func sum[T float32 | float64](x []T) (s float64) {
	for _, v := range x {
		s += float64(v)
	}
	return s
}
