package linear

import (
	"errors"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// stability: a step just below the limit keeps the particles, one just above it throws them out; the
// limit is 2/p overdamped, 2 (2 - friction)/p underdamped, p the largest posterior precision; for the exact
// transition with a held drift it is the step at which its linear map has an eigenvalue of size one.
func stability(l *lab.Lab) error {
	for k, c := range []posterior{
		{friction: 1, dynamics: "overdamped", draws: 1, score: true},
		{friction: 0.3, dynamics: "underdamped", draws: 1, score: true},
		{friction: 0.3, dynamics: "exact", draws: 1, score: true},
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
		l.Bracket(fmt.Sprintf("largest stable h, %s%s", c.dynamics, friction), limit, stable, unstable)
	}
	return nil
}

// grows tells whether the particles are still growing after 200 moves, twofold in mean square in
// 200 more, or were so far out that they were drawn anew. 2 % beyond the limit an overdamped step makes the mean
// square grow e^16-fold in those moves, the exact transition still threefold; 2 % before it their starts are forgotten but
// for e^-16, or for 30 % of them, which add a third.
func (c posterior) grows(l *lab.Lab, k int) (bool, error) {
	m, err := c.start(l, k)
	if err != nil {
		return false, err
	}
	var before float64
	for i := range 40 {
		s, err := l.Step(m, method.Minibatch{Index: lab.All(posteriorPoints), Number: uint32(i)})
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
