package linear

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// posteriorMoments: the mean and the variance of the cloud after k moves from N(0, I) follow the
// recursion at every k, for all dynamics and for the noisy drift of the bound.
func posteriorMoments(l *lab.Lab) error {
	for i, c := range []posterior{
		{h: 0.05, friction: 1, dynamics: particle.Overdamped, draws: 1, score: true},
		{h: 0.05, friction: 1, dynamics: particle.Overdamped, draws: 1},
		{h: 0.02, friction: 0.3, dynamics: particle.Underdamped, draws: 1},
		{h: 0.02, friction: 0.3, dynamics: particle.Exact, draws: 1},
	} {
		if err := c.transient(l, i); err != nil {
			return err
		}
	}
	return nil
}

// transient checks the cloud after each of some steps.
func (c posterior) transient(l *lab.Lab, k int) error {
	m, err := c.start(l, k)
	if err != nil {
		return err
	}
	laws, moments := [len(spread)]chain{}, [len(spread)]gauss{}
	for j := range spread {
		laws[j], moments[j] = c.chainOf(j), atStart()
	}
	var worst [2]float64 // deviations of mean and variance, in standard errors
	const steps = 6
	for i := range steps {
		if _, err := l.StepAll(m, posteriorPoints, i); err != nil {
			return err
		}
		var centre [len(spread)]float64
		for j := range spread {
			moments[j] = laws[j].after(moments[j], posteriorMoves)
			centre[j] = moments[j].z
		}
		d := deviationsOf(lab.Tensor(m, "cloud/z"), centre)
		for j := range spread {
			worst[0] = max(worst[0], math.Abs(d.first[j].Mean())/d.first[j].SE())
			worst[1] = max(worst[1], math.Abs(d.square[j].Mean()-moments[j].zz)/d.square[j].SE())
		}
	}
	moves := posteriorMoves * steps
	name := fmt.Sprintf(" at every tenth of %d moves, standard errors, %s", moves, c.name())
	l.AtMost("largest error of E z"+name, worst[0], lab.Z)
	l.AtMost("largest error of Var z"+name, worst[1], lab.Z)
	return nil
}
