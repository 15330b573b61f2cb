package comm

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
)

// Block returns the datapoints of a lane, the first inclusive and the last exclusive: the blocks of
// the lanes follow each other, and their sizes differ by at most one.
func Block(datapoints, lanes, lane int) (first, last int) {
	return datapoints * lane / lanes, datapoints * (lane + 1) / lanes
}

// Own returns the lanes of a rank, the first inclusive and the last exclusive.
func Own(lanes, ranks, rank int) (first, last int) { return Block(lanes, ranks, rank) }

// Check returns an error unless so many ranks can share the lanes. The lanes of a rank are a whole
// subtree of the tree of Add: there is one rank, or each has the same power of two of them.
func Check(lanes, ranks int) error {
	if lanes < 1 || ranks < 1 {
		return fmt.Errorf("%d lanes on %d ranks: expected one or more of each", lanes, ranks)
	}
	if each := lanes / ranks; ranks == 1 || lanes%ranks == 0 && each&(each-1) == 0 {
		return nil
	}
	return fmt.Errorf("lanes = %d on %d ranks: expected a number of ranks of which each has a "+
		"power of two of the lanes, or one rank; here %s", lanes, ranks, allowed(lanes))
}

// allowed lists the numbers of ranks that can share the lanes.
func allowed(lanes int) string {
	text := fmt.Sprint(lanes)
	ranks := lanes
	for ; ranks%2 == 0; ranks /= 2 {
		text = fmt.Sprintf("%d, %s", ranks/2, text)
	}
	if ranks > 1 {
		text = "1, " + text
	}
	return text
}

// Add adds vectors, at least one and all equally long, along the fixed tree; the sum is in the
// first. Neighbours are added, then neighbours of these sums, and so on; what has no neighbour goes
// up as it is. Contents of the other vectors are lost.
func Add[T float32 | float64](x [][]T) {
	for step := 1; step < len(x); step *= 2 {
		for i := 0; i+step < len(x); i += 2 * step {
			add(x[i], x[i+step])
		}
	}
}

// add is dst[k] += x[k].
func add[T float32 | float64](dst, x []T) {
	if dst32, ok := any(dst).([]float32); ok {
		kernel.Add(dst32, any(x).([]float32))
		return
	}
	for k, v := range x {
		dst[k] += v
	}
}
