package data

import "github.com/plume-ml/plume/kernel"

// Batches divides m datapoints into minibatches, with every datapoint once per epoch. The order
// depends only on the seed and the epoch, so a run can be resumed without saving it. Batches is not
// safe for concurrent use.
type Batches struct {
	m, n  int // datapoints, minibatches per epoch
	seed  uint64
	epoch int // that order belongs to; -1: none yet
	order []int
}

// NewBatches divides m datapoints into ceil(m/batch) minibatches whose sizes differ by at most one.
// It panics unless m and batch are positive.
func NewBatches(m, batch int, seed uint64) *Batches {
	if m < 1 || batch < 1 {
		panic("data: NewBatches needs at least one datapoint and one per batch")
	}
	return &Batches{m: m, n: (m-1)/batch + 1, seed: seed, epoch: -1}
}

// PerEpoch is the number of minibatches in an epoch.
func (b *Batches) PerEpoch() int { return b.n }

// At returns the datapoints of minibatch k of an epoch, both counted from 0. The slice stays valid
// and must not be modified. Only the first call for an epoch allocates.
func (b *Batches) At(epoch, k int) []int {
	if epoch < 0 || k < 0 || k >= b.n {
		panic("data: Batches.At needs epoch >= 0 and 0 <= k < PerEpoch()")
	}
	if epoch != b.epoch {
		b.order = make([]int, b.m)
		kernel.Perm(b.order,
			kernel.Key{Seed: b.seed, Step: uint32(epoch), Stream: StreamShuffle})
		b.epoch = epoch
	}
	lo, hi := k*b.m/b.n, (k+1)*b.m/b.n
	return b.order[lo:hi:hi]
}
