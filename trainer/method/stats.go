package method

import "github.com/plume-ml/plume/trainer/likelihood"

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
