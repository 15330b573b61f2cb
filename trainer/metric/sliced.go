package metric

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/pool"
)

const (
	slicedName     = "sliced Wasserstein distance"
	directionBlock = 16 // directions of one task
	maxDirections  = maxDraws
)

// SlicedWasserstein returns the sliced Wasserstein distance of order 2 (Rabin et al. 2011; Bonneel
// et al. 2015), estimated from random directions: the root of the mean, over directions u uniform
// on the unit sphere, of the squared distance W2(u.a, u.b)^2 of the projections, which sorting
// gives exactly, also for sets of different sizes. It is in the unit of the features, and biased
// upwards since the sets are finite.
//
// No directions, no rows, rows of different lengths and numbers that are not finite are errors. It
// ends with ctx's error soon after ctx ends.
func SlicedWasserstein(
	ctx context.Context, a, b *Features, directions int, seed uint64, p *pool.Pool,
) (float64, error) {
	if err := checkSliced(a, b, directions); err != nil {
		return 0, err
	}
	squares := make([]float64, directions)
	err := sliced(ctx, a, b, directions, seed, p, func(d int, x, y *projection) {
		squares[d] = wasserstein(x, y)
	})
	if err != nil {
		return 0, err
	}
	value := math.Sqrt(total(squares) / float64(directions))
	if !finite(value) {
		return 0, fmt.Errorf("metric: %s: %v; the features are too large for float32 products",
			slicedName, value)
	}
	return value, nil
}

// SlicedWassersteinInterval is SlicedWasserstein with a bootstrap interval and bias (see Estimate),
// over the rows of both sets; the directions stay the same. The square is resampled, and the root
// of its interval and bias taken: Value - Bias estimates the distance of the distributions, without
// an interval.
func SlicedWassersteinInterval(
	ctx context.Context, a, b *Features, directions int, bs Bootstrap, p *pool.Pool,
) (Estimate, error) {
	if err := bs.check(); err != nil {
		return Estimate{}, err
	}
	value, err := SlicedWasserstein(ctx, a, b, directions, bs.Seed, p)
	if err != nil {
		return Estimate{}, err
	}
	countsA, countsB := bs.allCounts(a.N, 0, p), bs.allCounts(b.N, 1, p)
	squares := make([]float64, directions*bs.Resamples)
	err = sliced(ctx, a, b, directions, bs.Seed, p, func(d int, x, y *projection) {
		for r := range bs.Resamples {
			if ctx.Err() != nil {
				return
			}
			x.take(countsA[r*a.N : (r+1)*a.N])
			y.take(countsB[r*b.N : (r+1)*b.N])
			squares[d*bs.Resamples+r] = wasserstein(x, y)
		}
	})
	if err != nil {
		return Estimate{}, err
	}
	resampled := make([]float64, bs.Resamples)
	for i, v := range squares {
		resampled[i%bs.Resamples] += v / float64(directions)
	}
	return rootOf(bs.around(value*value, resampled)), nil
}

// rootOf returns the estimate of a distance from that of its square.
func rootOf(e Estimate) Estimate {
	root := func(v float64) float64 { return math.Sqrt(max(0, v)) }
	return Estimate{
		Value: root(e.Value), Low: root(e.Low), High: root(e.High),
		Bias: root(e.Value) - root(e.Value-e.Bias),
	}
}

func checkSliced(a, b *Features, directions int) error {
	if directions < 1 || directions > maxDirections {
		return fmt.Errorf("metric: %s over %d directions, expected 1 to %d", slicedName, directions,
			maxDirections)
	}
	return checkPair(slicedName, a, b, 1)
}

// allCounts returns how often each of the n rows of a set is in each resample, Resamples x n.
func (b Bootstrap) allCounts(n, set int, p *pool.Pool) []uint16 {
	counts := make([]uint16, b.Resamples*n)
	tallies := pool.NewScratch(p, func() *tally { return newTally(n) })
	pool.Each(p, b.Resamples, func(r int) {
		tallies.Use(func(t *tally) { copy(counts[r*n:(r+1)*n], t.draw(b.Seed, set, r)) })
	})
	return counts
}

// slice is scratch memory for the projections of both sets on a block of directions.
type slice struct {
	axes     []float32 // directionBlock x K
	onA, onB []float32 // products, N x directionBlock
	x, y     *projection
}

// sliced calls f with the sorted projections of both sets on each direction d.
func sliced(
	ctx context.Context, a, b *Features, directions int, seed uint64, p *pool.Pool,
	f func(d int, x, y *projection),
) error {
	spaces := pool.NewScratch(p, func() *slice {
		return &slice{
			axes: make([]float32, directionBlock*a.K),
			onA:  make([]float32, a.N*directionBlock),
			onB:  make([]float32, b.N*directionBlock),
			x:    newProjection(a.N),
			y:    newProjection(b.N),
		}
	})
	return runUntil(ctx, p, pool.Pieces(directions, directionBlock), func(block int) {
		spaces.Use(func(s *slice) {
			setRandomAxes(s.axes, drawDirections.key(seed, 0, block))
			project(s.onA, a, s.axes)
			project(s.onB, b, s.axes)
			for i := range min(directionBlock, directions-block*directionBlock) {
				s.x.sort(s.onA, i)
				s.y.sort(s.onB, i)
				f(block*directionBlock+i, s.x, s.y)
			}
		})
	})
}

// setRandomAxes sets axes to directionBlock random unit vectors, uniform on the sphere.
func setRandomAxes(axes []float32, key kernel.Key) {
	k := len(axes) / directionBlock
	for i := range directionBlock {
		axis, square := axes[i*k:(i+1)*k], 0.0
		kernel.Normal(axis, key, uint64(i)*kernel.Groups(k))
		for _, v := range axis {
			square += float64(v) * float64(v)
		}
		kernel.Scale(axis, float32(1/math.Sqrt(square)))
	}
}

// project sets out to the rows' products with the axes, N x directionBlock.
func project(out []float32, f *Features, axes []float32) {
	blas.Default().Gemm(blas.N, blas.T, 1, blas.Dense(f.X, f.N, f.K).Left(),
		blas.Dense(axes, directionBlock, f.K), 0, blas.Dense(out, f.N, directionBlock))
}

// projection is a set on one direction, in ascending order.
type projection struct {
	values []float32
	places []int32  // the rows of the values
	counts []uint16 // how often each value is there; their sum is the number of values
	order  []placed
}

type placed struct {
	value float32
	place int32
}

func newProjection(n int) *projection {
	return &projection{make([]float32, n), make([]int32, n), make([]uint16, n), make([]placed, n)}
}

// sort sets the projection to column i of the products, each row once.
func (s *projection) sort(products []float32, i int) {
	for r := range s.order {
		s.order[r] = placed{products[r*directionBlock+i], int32(r)}
	}
	slices.SortFunc(s.order, func(x, y placed) int {
		switch {
		case x.value < y.value:
			return -1
		case x.value > y.value:
			return 1
		}
		return 0
	})
	for r, o := range s.order {
		s.values[r], s.places[r], s.counts[r] = o.value, o.place, 1
	}
}

// take sets the projection to the set that holds row r counts[r] times.
func (s *projection) take(counts []uint16) {
	for i, r := range s.places {
		s.counts[i] = counts[r]
	}
}

// wasserstein returns the squared Wasserstein distance of order 2 of x and y on the line: the
// integral of the squared difference of their quantile functions, which are constant between
// multiples of 1/n and of 1/m. Shares are counted in units of 1/(n m), exactly.
func wasserstein(x, y *projection) float64 {
	n, m := len(x.values), len(y.values)
	sum := 0.0
	i, j := -1, -1
	leftX, leftY := 0, 0 // the unused shares of values i and j
	for used := 0; used < n*m; {
		for leftX == 0 {
			i++
			leftX = int(x.counts[i]) * m
		}
		for leftY == 0 {
			j++
			leftY = int(y.counts[j]) * n
		}
		share := min(leftX, leftY)
		d := float64(x.values[i]) - float64(y.values[j])
		sum += float64(share) * d * d
		used, leftX, leftY = used+share, leftX-share, leftY-share
	}
	return sum / (float64(n) * float64(m))
}
