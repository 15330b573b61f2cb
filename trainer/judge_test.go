package trainer

import (
	"testing"

	"github.com/plume-ml/plume/trainer/record"
)

// Clipped moves are warned of in the second half of a run, once: before, particles are on their
// way.
func TestClippedMovesWarn(t *testing.T) {
	for epochs, first := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3} {
		var at []int
		epoch := 0
		tr := &Trainer{cfg: smallRun()}
		tr.cfg.Epochs = epochs
		WithHook(Hook{OnWarning: func(string) { at = append(at, epoch) }})(tr)
		for epoch = 1; epoch <= epochs; epoch++ {
			tr.judge(record.Epoch{Epoch: epoch, Clipped: 2 * clipTolerance})
		}
		if len(at) != 1 || at[0] != first {
			t.Errorf("%d epochs: warnings in %v; expected one in %d", epochs, at, first)
		}
	}
}
