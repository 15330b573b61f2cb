package record

// Levels is the prior loss by the logSNR lambda of the noise: for each of some equal parts of the
// range from Min to Max, in nats per latent dimension. A part without a draw has NaN.
type Levels struct {
	Min Number `json:"min"`
	Max Number `json:"max"`
	// Loss is the mean over the draws in the part of span/2 |e|^2 / d. Its mean over the parts is
	// the integral in the bound, and so all of PriorLoss that training can lower.
	Loss []Number `json:"loss"`
	// Unlearned is what Loss would be for the score of N(0, I), which a network has before it
	// learns.
	Unlearned []Number `json:"unlearned"`
}

// Part returns the range of lambda of part i.
func (l *Levels) Part(i int) (lo, hi float64) {
	span, n := float64(l.Max-l.Min), float64(len(l.Loss))
	return float64(l.Min) + span*float64(i)/n, float64(l.Min) + span*float64(i+1)/n
}
