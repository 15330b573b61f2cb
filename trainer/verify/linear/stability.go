package linear

import (
	"errors"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// stability: particles stay bounded with a step size just below the limit, and diverge just above
// it. The limit is 2/p overdamped and 2 (2 - friction)/p underdamped, where p is the largest
// posterior precision. For the exact transition it is the step size at which the linear map has
// spectral radius one.
func stability(l *lab.Lab) error {
	for k, c := range []posterior{
		{friction: 1, dynamics: particle.Overdamped, draws: 1, score: true},
		{friction: 0.3, dynamics: particle.Underdamped, draws: 1, score: true},
		{friction: 0.3, dynamics: particle.Exact, draws: 1, score: true},
	} {
		limit := math.Inf(1)
		for j := range spread {
			limit = min(limit, stableStep(c.dynamics, c.friction, c.chainOf(j).p))
		}
		stable, unstable := 0.0, math.Inf(1)
		for i, share := range []float64{0.5, 0.9, 0.98, 1.02, 1.1} {
			c.h = share * limit
			grows, err := c.grows(l, 100*k+i)
			if err != nil {
				return err
			}
			if grows {
				unstable = min(unstable, c.h)
			} else {
				stable = max(stable, c.h)
			}
		}
		friction := mark(c.friction < 1, fmt.Sprintf(", friction %v", c.friction))
		what := fmt.Sprintf("largest stable h, %s%s", c.dynamics, friction)
		l.Bracket(what, limit, stable, unstable)
	}
	return nil
}

// grows says whether the mean square of the particles doubles between move 200 and move 400, or
// some went so far that they were redrawn. With a step size 2 % above the limit it grows by e^16
// overdamped, and still threefold with the exact transition. At 2 % below, e^-16 of the start is
// left, or 30 % of it with the exact transition, which adds a third.
func (c posterior) grows(l *lab.Lab, k int) (bool, error) {
	m, err := c.start(l, k)
	if err != nil {
		return false, err
	}
	var before float64
	for i := range 40 {
		s, err := l.StepAll(m, posteriorPoints, i)
		if errors.Is(err, method.ErrDiverged) || s.Redrawn > 0 {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if i == 19 {
			before = meanSquare(lab.Tensor(m, "cloud/z"))
		}
	}
	return meanSquare(lab.Tensor(m, "cloud/z")) > 2*before, nil
}

func meanSquare(x []float32) (s float64) {
	for _, v := range x {
		s += float64(v) * float64(v) / float64(len(x))
	}
	return s
}
