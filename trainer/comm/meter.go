package comm

import (
	"sync/atomic"
	"time"
)

// Meter is a Comm that counts what the calls of this rank cost. Calls under way are counted once
// they have returned, and times of calls at once are added.
type Meter struct {
	Comm
	bytes, nanoseconds atomic.Int64
}

// Measured returns c with counters, which are at 0.
func Measured(c Comm) *Meter { return &Meter{Comm: c} }

// Bytes is what this rank has sent so far. It is computed and not observed: a sum of n numbers on P
// ranks counts as 8 n (P-1)/P bytes, of which one half carries summands and the other one sums (as
// package mpi does it; see also MODEL.md); a Gather as the own part for each other rank; a
// Broadcast as the data for each other rank, at the root. What a transport adds is not in it.
func (m *Meter) Bytes() int64 { return m.bytes.Load() }

// Seconds is the time in calls so far: that of the exchange, and of waiting for other ranks.
func (m *Meter) Seconds() float64 { return time.Duration(m.nanoseconds.Load()).Seconds() }

// count adds a call that has begun at start.
func (m *Meter) count(start time.Time, bytes int) {
	m.nanoseconds.Add(int64(time.Since(start)))
	m.bytes.Add(int64(bytes))
}

// SumTree implements Comm.
func (m *Meter) SumTree(x []float32) error {
	defer m.count(time.Now(), 8*len(x)*(m.Size()-1)/m.Size())
	return m.Comm.SumTree(x)
}

// Gather implements Comm.
func (m *Meter) Gather(x []float64) error {
	defer m.count(time.Now(), 8*len(x)/m.Size()*(m.Size()-1))
	return m.Comm.Gather(x)
}

// Broadcast implements Comm.
func (m *Meter) Broadcast(x []byte, root int) ([]byte, error) {
	sent := 0
	if m.Rank() == root {
		sent = len(x) * (m.Size() - 1)
	}
	defer m.count(time.Now(), sent)
	return m.Comm.Broadcast(x, root)
}

// Barrier implements Comm.
func (m *Meter) Barrier() error {
	defer m.count(time.Now(), 0)
	return m.Comm.Barrier()
}
