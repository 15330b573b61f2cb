package method

import (
	"math"

	"github.com/plume-ml/plume/trainer/config"
)

// rates are the schedules of a method's step size and learning rate.
type rates struct {
	options *config.Options
	slow    float64 // factor of both; 0: none
}

// learningRate is that of decoder and encoder when the share done of training is done.
func (r *rates) learningRate(done float64) float64 {
	o := r.options
	return r.slowed(progress(o.LRSchedule, o.LR, o.LR*o.LREnd, done))
}

// stepSize is that of the particles' moves.
func (r *rates) stepSize(done float64) float64 {
	o := r.options
	return r.slowed(progress(o.StepSchedule, o.StepSize, o.StepSizeEnd, done))
}

// Slow implements Method.
func (r *rates) Slow(factor float64) { r.slow = factor }

func (r *rates) slowed(rate float64) float64 {
	if r.slow == 0 {
		return rate
	}
	return rate * r.slow
}

// progress runs a value from start to end: geometrically, along half a cosine, or not at all.
func progress(kind string, start, end, done float64) float64 {
	switch kind {
	case "geometric":
		return start * math.Pow(end/start, done)
	case "cosine":
		return end + (start-end)*(1+math.Cos(math.Pi*done))/2
	}
	return start
}
