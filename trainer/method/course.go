package method

import "github.com/plume-ml/plume/trainer/memory"

// course says from which states of a step the parameters learn. A step makes K moves of the
// particles, through the states z_0, ..., z_K. The particle methods differ in little else. By
// default the parameters learn from z_{K-1}, where the last move starts, so that parameters and
// particles move at once.
type course struct {
	final   bool // the parameters learn from z_K instead, after the moves
	average bool // they learn from K states: z_0 to z_{K-1}, or with final z_1 to z_K
	cold    bool // z_0 is drawn from N(0, I) at every step
}

// passes returns how often a step of K moves evaluates the networks: before each move, and with
// final at z_K too.
func (c course) passes(moves int) int {
	if c.final {
		return moves + 1
	}
	return moves
}

// counted reports whether the parameters learn from z_i, for i before the last state evaluated.
func (c course) counted(i int) bool { return c.average && (i > 0 || !c.final) }

// summed returns the number of states before z_i that are counted.
func (c course) summed(i int) int {
	switch {
	case !c.average:
		return 0
	case c.final:
		return max(0, i-1)
	}
	return i
}

// build builds a flow with course c.
func (c course) build(a *memory.Arena, s Setup) (buildable, error) { return c.flow(a, s) }
