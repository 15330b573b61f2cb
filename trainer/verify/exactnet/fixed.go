package exactnet

import (
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
)

// FixedScore is a score network with constant parameters P.
type FixedScore struct {
	model.ScoreNet
	P []float32
}

// Layout implements model.ScoreNet: there is nothing to train.
func (FixedScore) Layout() *model.Layout { return &model.Layout{} }

// NewScoreTape implements model.ScoreNet.
func (s FixedScore) NewScoreTape(
	a *memory.Arena, _ []float32, rows int, use model.Use,
) model.ScoreTape {
	return fixedScoreTape{s.ScoreNet.NewScoreTape(a, s.P, rows, use)}
}

type fixedScoreTape struct{ model.ScoreTape }

func (fixedScoreTape) GradTasks() int { return 0 }

// FixedNet is a network with constant parameters P.
type FixedNet struct {
	model.Net
	P []float32
}

// Layout implements model.Net: there is nothing to train.
func (FixedNet) Layout() *model.Layout { return &model.Layout{} }

// NewTape implements model.Net.
func (n FixedNet) NewTape(a *memory.Arena, _ []float32, rows int, use model.Use) model.Tape {
	return fixedTape{n.Net.NewTape(a, n.P, rows, use)}
}

type fixedTape struct{ model.Tape }

func (fixedTape) GradTasks() int { return 0 }
