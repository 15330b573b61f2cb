package method

import "github.com/plume-ml/plume/trainer/likelihood"

// Stats are sums over the rows of a step; add them up for the means over an epoch.
type Stats struct {
	Steps       float64
	Evaluations float64 // passes of a row, forward and back, through one network
	Rows        float64 // rows that entered the losses
	SquareError float64 // squared pixel errors
	DataLoss    float64 // -log p(x|z), nats
	PriorLoss   float64 // the bound on -log p(z), nats
	Entropy     float64 // of an encoder's q(z|x), nats; 0 where q is particles
	Moved       float64 // particle moves, inner ones included; 0 where nothing moves
	Clipped     float64 // of them, clipped
	Redrawn     float64 // of them, drawn anew by the guard
	Anchor      float64 // coefficient of the scale anchor, summed over the steps

	// GradientNorm is the Euclidean norm of the gradient of decoder, prior and encoder in this
	// step, 0 of those that made none. It is not summed.
	GradientNorm [3]float64
}

// Values points to the fields that are sums, in their order, for sums and checkpoints.
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
}

// setData sets the sums that follow from the squared errors of a step's rows.
func (s *Stats) setData(l likelihood.Gaussian, square []float32) {
	s.Rows = float64(len(square))
	s.SquareError = sum(square)
	s.DataLoss = l.NegLog(s.SquareError, s.Rows)
}

func sum(x []float32) (s float64) {
	for _, v := range x {
		s += float64(v)
	}
	return s
}
