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
	"github.com/plume-ml/plume/trainer/prior"
)

// lanes is how the datapoints of a minibatch lie in the lanes of the training (package comm): those
// of a lane follow each other, lane after lane. Every sum over rows is one for each lane first.
type lanes struct {
	count, datapoints int // lanes, and M
	ends              []int
	sums              []float64          // of the lanes
	parts             []diffusion.Levels // likewise
	waves             []wave
}

func (s *Setup) newLanes() *lanes {
	n := max(1, s.Lanes)
	return &lanes{
		count: n, datapoints: s.Train.Len(), ends: make([]int, n), sums: make([]float64, n),
		parts: make([]diffusion.Levels, n),
	}
}

const panicOrder = "method: the datapoints of a minibatch are not in the order of their lanes"

// set makes index the minibatch.
func (l *lanes) set(index []int) {
	end := 0
	for i := range l.count {
		for last := l.block(i); end < len(index) && (index[end] < last || i == l.count-1); {
			end++
		}
		l.ends[i] = end
	}
	for i, first := 1, l.block(0); i < l.count; i, first = i+1, l.block(i) {
		for _, m := range index[l.ends[i-1]:l.ends[i]] {
			if m < first {
				panic(panicOrder)
			}
		}
	}
}

// block is the datapoint after the last one of a lane.
func (l *lanes) block(lane int) int {
	_, last := comm.Block(l.datapoints, l.count, lane)
	return last
}

// points is the datapoints of the minibatch.
func (l *lanes) points() int { return l.ends[l.count-1] }

// laneSum is the sum of x, which has so many numbers for each datapoint of the minibatch.
func laneSum[T float32 | float64](l *lanes, x []T, each int) float64 {
	from := 0
	for i, end := range l.ends {
		l.sums[i] = sum(x[from*each : end*each])
		from = end
	}
	return comm.Sum(l.sums)
}

// levels are the sums of a prior by noise level, which has so many rows for each datapoint of the
// minibatch.
func (l *lanes) levels(t prior.Tape, each int) (sum diffusion.Levels) {
	from := 0
	for i, end := range l.ends {
		l.parts[i] = t.Levels(from*each, end*each)
		from = end
	}
	for b := range diffusion.LevelBins {
		for i, p := range l.parts {
			l.sums[i] = p.Draws[b]
		}
		sum.Draws[b] = comm.Sum(l.sums)
		for i, p := range l.parts {
			l.sums[i] = p.Loss[b]
		}
		sum.Loss[b] = comm.Sum(l.sums)
		for i, p := range l.parts {
			l.sums[i] = p.Unlearned[b]
		}
		sum.Unlearned[b] = comm.Sum(l.sums)
	}
	return sum
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
			points: l.points(), waiting: bits.OnesCount(uint(g)), joins: kernel.Joins(g, groups),
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
	if s.Lanes <= 1 || s.Wave >= s.Batch*s.Options.Particles {
		return 0
	}
	return kernel.Waiting(s.Lanes)
}

// inOrder returns datapoints lo to hi of each lane, as a minibatch.
func (l *lanes) inOrder(lo, hi int) (index []int) {
	for i := range l.count {
		first, last := comm.Block(l.datapoints, l.count, i)
		for m := min(first+lo, last); m < min(first+hi, last); m++ {
			index = append(index, m)
		}
	}
	return slices.Clip(index)
}
