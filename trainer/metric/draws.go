package metric

import "github.com/plume-ml/plume/kernel"

// purpose names what the metrics draw; with the seed and a number it addresses one fill of their
// stream.
type purpose uint32

const (
	drawDirections purpose = 1 // sliced Wasserstein: block of directions
	drawSubsets    purpose = 2 // KID: subset, one place for each set
	drawResamples  purpose = 3 // bootstrap: resample, one place for each set
	drawPairs      purpose = 4 // disjoint pairs of subsets: repeat
	drawDistances  purpose = 5 // rows between which the median distance is taken
)

const maxDraws = 1 << 24 // of one kind

// key is the key of number index of the given set, 0 or 1.
func (d purpose) key(seed uint64, set, index int) kernel.Key {
	return kernel.Key{
		Seed: seed, Step: uint32(d)<<28 | uint32(set)<<27 | uint32(index), Stream: StreamMetric,
	}
}

// choose draws m of the numbers below len(idx) without replacement, in random order, to the front
// of idx.
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

// draw draws as many rows as there are, with replacement, for resample r of the given set. Where
// each row lies is a word's product with their number, shifted: it is biased by n/2^32.
func (t *tally) draw(seed uint64, set, r int) []uint16 {
	clear(t.counts)
	kernel.Bits(t.words, drawResamples.key(seed, set, r), 0)
	for _, w := range t.words {
		t.counts[uint64(w)*uint64(len(t.counts))>>32]++
	}
	return t.counts
}

// Streams of the noise that this package draws (trainer/ALGORITHM.md, section 9).
const StreamMetric kernel.Stream = 13 // metrics: directions, subsets, resamples
