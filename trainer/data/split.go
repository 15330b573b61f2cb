package data

import (
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/kernel"
)

// Split divides the M images of ds into a training and a held-out part. It holds out
// round(holdout*M) images, which depend only on the seed. Both parts are views of ds, in its order.
// With holdout = 0, train is ds itself and held is empty.
//
// It is an error if holdout is outside [0, 1), if it is above 0 and rounds to no image, or if fewer
// than two images are left to train on.
func Split(ds Dataset, holdout float64, seed uint64) (train, held Dataset, err error) {
	if !(holdout >= 0 && holdout < 1) {
		return nil, nil, fmt.Errorf("data: --holdout is %v; expected a share in [0, 1)", holdout)
	}
	m := ds.Len()
	h := heldOut(m, holdout)
	if m-h < 2 {
		text := KindOf(ds).Words(fmt.Sprintf("holding out %d of %d images leaves %d to train on",
			h, m, m-h))
		return nil, nil, fmt.Errorf("data: %s: %s; expected at least 2", ds.Name(), text)
	}
	if holdout == 0 {
		return ds, Subset(ds, nil), nil
	}
	if h == 0 {
		text := KindOf(ds).Words(fmt.Sprintf("--holdout %v of %d images is none", holdout, m))
		return nil, nil, fmt.Errorf("data: %s: %s; expected at least one, or 0 to hold out nothing",
			ds.Name(), text)
	}
	order := make([]int, m)
	kernel.Perm(order, kernel.Key{Seed: seed, Stream: StreamSplit})
	slices.Sort(order[:h])
	slices.Sort(order[h:])
	return Subset(ds, order[h:]), Subset(ds, order[:h]), nil
}

func heldOut(m int, holdout float64) int { return int(math.Round(holdout * float64(m))) }

// Streams of the noise that this package draws (trainer/ALGORITHM.md, section 9).
const (
	StreamShuffle kernel.Stream = 6 // order of the minibatches
	StreamSplit   kernel.Stream = 7 // split into training and held-out images
)
