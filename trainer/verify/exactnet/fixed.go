package exactnet

import "github.com/plume-ml/plume/trainer/model"

// FixedScore is a score network whose parameters are not trained.
type FixedScore struct {
	model.ScoreNet
	P []float32
}

func (FixedScore) Layout() *model.Layout { return &model.Layout{} }

func (s FixedScore) NewScoreTape(_ []float32, rows int) model.ScoreTape {
	return fixedScoreTape{s.ScoreNet.NewScoreTape(s.P, rows)}
}

type fixedScoreTape struct{ model.ScoreTape }

func (fixedScoreTape) GradTasks() int { return 0 }

// FixedNet is a network whose parameters are not trained.
type FixedNet struct {
	model.Net
	P []float32
}

func (FixedNet) Layout() *model.Layout { return &model.Layout{} }

func (n FixedNet) NewTape(_ []float32, rows int) model.Tape {
	return fixedTape{n.Net.NewTape(n.P, rows)}
}

type fixedTape struct{ model.Tape }

func (fixedTape) GradTasks() int { return 0 }
