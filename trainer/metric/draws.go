package metric

import "github.com/plume-ml/plume/kernel"

// purpose says what random numbers are for. With the seed, a set and an index it is their address
// in the stream.
type purpose uint32

const (
	drawDirections purpose = 1 // sliced Wasserstein: block of directions
	drawSubsets    purpose = 2 // KID: subset, one place for each set
	drawResamples  purpose = 3 // bootstrap: resample, one place for each set
	drawPairs      purpose = 4 // disjoint pairs of subsets: repeat
	drawDistances  purpose = 5 // rows for the median distance
)

const maxDraws = 1 << 24 // of one kind

// key returns the key of draw number index for the given set, 0 or 1.
func (d purpose) key(seed uint64, set, index int) kernel.Key {
	return kernel.Key{
		Seed: seed, Step: uint32(d)<<28 | uint32(set)<<27 | uint32(index), Stream: StreamMetric,
	}
}

// choose fills idx with a random permutation of 0 .. len(idx)-1 and returns its first m numbers: a
// draw without replacement.
func choose(idx []int, m int, key kernel.Key) []int {
	kernel.Perm(idx, key)
	return idx[:m]
}

// tally counts how often each row of a set is drawn.
type tally struct {
	counts []uint16
	words  []uint32
}

func newTally(n int) *tally { return &tally{make([]uint16, n), make([]uint32, n)} }

// draw draws as many rows as there are, with replacement, for resample r of the given set. A row's
// index is the upper half of a random word times their number, which is biased by n/2^32.
func (t *tally) draw(seed uint64, set, r int) []uint16 {
	clear(t.counts)
	kernel.Bits(t.words, drawResamples.key(seed, set, r), 0)
	for _, w := range t.words {
		t.counts[uint64(w)*uint64(len(t.counts))>>32]++
	}
	return t.counts
}

// StreamMetric is the stream of this package's random numbers (trainer/ALGORITHM.md, section 9).
const StreamMetric kernel.Stream = 13 // metrics: directions, subsets, resamples
