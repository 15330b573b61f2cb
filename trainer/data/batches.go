package data

import (
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/comm"
)

// Batches divides m datapoints into minibatches, with every datapoint once per epoch. The order
// depends only on the seed and the epoch, so a run can be resumed without saving it. Batches is not
// safe for concurrent use.
type Batches struct {
	m, lanes int
	n        int // minibatches per epoch
	seed     uint64
	epoch    int   // that order belongs to; -1: none yet
	order    []int // minibatch after minibatch
}

const panicBatches = "data: minibatches need at least one datapoint each, of each lane"

// NewBatches divides m datapoints into ceil(m/batch) minibatches whose sizes differ by at most one.
// It panics unless m and batch are positive.
func NewBatches(m, batch int, seed uint64) *Batches { return NewLaneBatches(m, batch, 1, seed) }

// NewLaneBatches divides m datapoints into minibatches of at most batch datapoints. Each lane
// (package comm) has an order of its own, and a part of every minibatch; the parts differ in size
// by at most one, and follow each other in the minibatch. It panics unless lanes is positive, m and
// batch are as large, and batch twice that if there are several.
func NewLaneBatches(m, batch, lanes int, seed uint64) *Batches {
	if lanes < 1 || m < lanes || batch < min(m, lanes*min(lanes, 2)) {
		panic(panicBatches)
	}
	b := &Batches{m: m, lanes: lanes, n: 1, seed: seed, epoch: -1}
	if longest := (m-1)/lanes + 1; batch < m {
		b.n = (longest-1)/(batch/lanes) + 1
	}
	return b
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
		b.shuffle(epoch)
	}
	lo, hi := b.start(k), b.start(k+1)
	return b.order[lo:hi:hi]
}

// start is where minibatch k begins in order.
func (b *Batches) start(k int) (n int) {
	for l := range b.lanes {
		first, last := comm.Block(b.m, b.lanes, l)
		n += (last - first) * k / b.n
	}
	return n
}

// shuffle orders the datapoints of an epoch, those of lane l by the words from group 2^33 l on.
func (b *Batches) shuffle(epoch int) {
	key := kernel.Key{Seed: b.seed, Step: uint32(epoch), Stream: StreamShuffle}
	own := make([]int, b.m)
	for l := range b.lanes {
		first, last := comm.Block(b.m, b.lanes, l)
		kernel.PermAt(own[first:last], key, uint64(l)<<33)
		for i := range own[first:last] {
			own[first+i] += first
		}
	}
	if b.epoch, b.order = epoch, own; b.lanes == 1 {
		return
	}
	b.order = make([]int, 0, b.m)
	for k := range b.n {
		for l := range b.lanes {
			first, last := comm.Block(b.m, b.lanes, l)
			lo, hi := comm.Block(last-first, b.n, k)
			b.order = append(b.order, own[first+lo:first+hi]...)
		}
	}
}
