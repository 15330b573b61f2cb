package method

import "github.com/plume-ml/plume/trainer/memory"

// course says which of the states z_0 .. z_K, between which a step's K inner moves lie, the
// parameters learn from; the particle methods differ in little else. The zero value is z_{K-1}, at
// which the last move begins: parameters and particles move at once.
type course struct {
	final   bool // z_K instead: the parameters follow the particles
	average bool // the mean over all K such states: z_0 to z_{K-1}, or z_1 to z_K
	cold    bool // z_0 is drawn from N(0, I) at every step
}

// passes is how often a step of K moves evaluates the networks: before each move, and for final at
// z_K too.
func (c course) passes(moves int) int {
	if c.final {
		return moves + 1
	}
	return moves
}

// counted reports whether the parameters learn from z_i, besides from the last state evaluated.
func (c course) counted(i int) bool { return c.average && (i > 0 || !c.final) }

// summed is the number of states before z_i that are counted.
func (c course) summed(i int) int {
	switch {
	case !c.average:
		return 0
	case c.final:
		return max(0, i-1)
	}
	return i
}

// build makes a flow that follows c.
func (c course) build(a *memory.Arena, s Setup) (buildable, error) { return c.flow(a, s) }
