package method

import (
	"math/bits"
	"slices"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/pool"
)

// lanes is how the datapoints of a minibatch lie in the lanes of the training (package comm): those
// of a lane follow each other, lane after lane. Every sum over rows is one for each lane first. A
// rank works on its own lanes alone.
type lanes struct {
	all, datapoints int // lanes of all ranks, and M
	first, count    int // own lanes
	points          int // of the minibatch, in all lanes

	ends   []int            // of own lanes, in the rank's part of the minibatch
	levels []diffusion.Lane // the same
	waves  []wave
	*ranks
}

func (s *Setup) newLanes() *lanes {
	first, last := s.own()
	return &lanes{
		all: s.lanes(), datapoints: s.Train.Len(), first: first, count: last - first,
		ends: make([]int, last-first), levels: make([]diffusion.Lane, last-first),
		ranks: s.ranks,
	}
}

// lanes is the number of lanes of all ranks.
func (s *Setup) lanes() int { return max(1, s.Lanes) }

// own is the rank's lanes, the first inclusive and the last exclusive.
func (s *Setup) own() (first, last int) {
	c := s.comm()
	return comm.Own(s.lanes(), c.Size(), c.Rank())
}

// part is the rank's datapoints, the first inclusive and the last exclusive.
func (s *Setup) part() (first, last int) {
	lo, hi := s.own()
	first, _ = comm.Block(s.Train.Len(), s.lanes(), lo)
	_, last = comm.Block(s.Train.Len(), s.lanes(), hi-1)
	return first, last
}

const panicOrder = "method: the datapoints of a minibatch are not in the order of their lanes"

// set makes index the minibatch, and returns the rank's part of it.
func (l *lanes) set(index []int) (own []int) {
	l.points = len(index)
	own, from, end := index, 0, 0
	for lane := range l.all {
		first, last := comm.Block(l.datapoints, l.all, lane)
		for ; end < len(index) && (index[end] < last || lane == l.all-1); end++ {
			if index[end] < first {
				panic(panicOrder)
			}
		}
		i := lane - l.first
		if i < 0 {
			from = end
		} else if i < l.count {
			l.ends[i] = end - from
			l.levels[i] = diffusion.Lane{Number: lane, Last: end - from}
			own = index[from:end]
		}
	}
	return own
}

// wave is a part of the minibatch, whose rows are in memory at once: all of it, or several whole
// lanes, or a part of one. What whole lanes have in the gradients by the weights is added along
// the tree of the lanes, and if a minibatch has several waves, sums of earlier ones wait.
type wave struct {
	first, last  int   // datapoints of the minibatch
	begins, ends bool  // the sum begins, or ends, with this wave
	lanes        []int // where lanes end, if they are whole
	points       int   // of the minibatch

	waiting, joins int // sums that wait, and those that this one joins when it ends
	holds          bool
}

// rows is the wave as a network sees it that has so many rows for each datapoint.
func (w *wave) rows(each int) layer.Wave {
	return layer.Wave{
		Rows: (w.last - w.first) * each, First: w.begins, Last: w.ends,
		Scale: float32(1 / float64(w.points*each)),
		Lanes: blas.Lanes{Ends: w.lanes, First: w.first, Each: each},
	}
}

// cut cuts the minibatch into waves. They are valid until the next call.
func (l *lanes) cut(s *Setup) []wave {
	l.waves = l.waves[:0]
	group, most := l.count, s.Wave/s.Options.Particles
	for group > 1 && l.widest(group) > most {
		group = l.half(group)
	}
	groups := pool.Pieces(l.count, group)
	for g := range groups {
		lo, hi := g*group, min((g+1)*group, l.count)
		w := wave{
			points: l.points, waiting: bits.OnesCount(uint(g)), joins: kernel.Joins(g, groups),
			holds: g < groups-1,
		}
		if group > 1 {
			w.first, w.last, w.begins, w.ends = l.start(lo), l.ends[hi-1], true, true
			w.lanes = l.ends[lo:hi]
			l.waves = append(l.waves, w)
			continue
		}
		l.cutLane(w, lo, s)
	}
	return l.waves
}

// cutLane appends the waves of one lane.
func (l *lanes) cutLane(w wave, lane int, s *Setup) {
	n := l.ends[lane] - l.start(lane)
	tiles := pool.CutWhole(n, s.Options.Particles, s.Wave, s.whole()).From(l.start(lane))
	for i := range tiles.Count {
		w.first, w.last = tiles.Points(i)
		w.begins, w.ends = i == 0, i == tiles.Count-1
		l.waves = append(l.waves, w)
	}
}

// start is the first datapoint of a lane.
func (l *lanes) start(lane int) int {
	if lane == 0 {
		return 0
	}
	return l.ends[lane-1]
}

// half is the largest power of two below a number of lanes.
func (l *lanes) half(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

// widest is the most datapoints of groups of so many lanes.
func (l *lanes) widest(group int) (n int) {
	for lo := 0; lo < l.count; lo += group {
		n = max(n, l.ends[min(lo+group, l.count)-1]-l.start(lo))
	}
	return n
}

// waiting is the most sums that wait while a minibatch goes through the networks.
func (s *Setup) waiting() int {
	first, last := s.own()
	if last-first == 1 || s.Wave >= s.Batch*s.Options.Particles {
		return 0
	}
	return kernel.Waiting(last - first)
}

// inOrder returns datapoints lo to hi of each lane, as a minibatch.
func (l *lanes) inOrder(lo, hi int) (index []int) {
	for i := range l.all {
		first, last := comm.Block(l.datapoints, l.all, i)
		for m := min(first+lo, last); m < min(first+hi, last); m++ {
			index = append(index, m)
		}
	}
	return slices.Clip(index)
}
