package method

import "github.com/plume-ml/plume/trainer/config"

// rates are the schedules of a method's step size and learning rate.
type rates struct {
	options *config.Options
	slow    float64 // factor of both (Slow); 0: not set
}

// learningRate returns the learning rate of decoder and encoder when the share done of the training
// is over.
func (r *rates) learningRate(done float64) float64 {
	o := r.options
	return r.slowed(o.LRSchedule.At(o.LR, o.LR*o.LREnd, done))
}

// stepSize returns the step size of the particles' moves.
func (r *rates) stepSize(done float64) float64 {
	o := r.options
	return r.slowed(o.StepSchedule.At(o.StepSize, o.StepSizeEnd, done))
}

// Slow implements Method.
func (r *rates) Slow(factor float64) { r.slow = factor }

func (r *rates) slowed(rate float64) float64 {
	if r.slow == 0 {
		return rate
	}
	return rate * r.slow
}
