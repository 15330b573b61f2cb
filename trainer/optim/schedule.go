package optim

import "math"

// Schedule names the path of a step size or a learning rate over a training.
type Schedule string

// The schedules.
const (
	Constant  Schedule = "constant"
	Geometric Schedule = "geometric" // each step multiplies by the same factor
	Cosine    Schedule = "cosine"    // along half a cosine
)

// Schedules lists all schedules.
var Schedules = []Schedule{Constant, Geometric, Cosine}

// At is the value when a share done of the training is over, from start at 0 to end at 1. A
// constant schedule stays at start.
func (s Schedule) At(start, end, done float64) float64 {
	switch s {
	case Geometric:
		return start * math.Pow(end/start, done)
	case Cosine:
		return end + (start-end)*(1+math.Cos(math.Pi*done))/2
	}
	return start
}
