package metric

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
)

// Overlap says how far generated and real features cover each other. Around each row of a set lies
// a closed ball that reaches to the row's k-th nearest neighbour in the set; the set's manifold is
// the union of its balls. Precision and recall are those of Kynkäänniemi et al. 2019, density and
// coverage those of Naeem et al. 2020.
type Overlap struct {
	Neighbours int      `json:"neighbours"` // k
	Precision  Estimate `json:"precision"`  // share of the generated rows in the real manifold
	Recall     Estimate `json:"recall"`     // share of the real rows in the generated manifold
	Density    Estimate `json:"density"`    // real balls around a generated row, over k: mean
	Coverage   Estimate `json:"coverage"`   // share of the real balls that hold a generated row
}

const overlapName = "precision and recall"

// PrecisionRecall measures the overlap with k nearest neighbours, usually 3. It depends on the
// sizes of the sets: compare at equal sizes. The intervals are for other rows from the same
// distributions, with the manifolds fixed, since resampled rows, many of them equal, would have
// smaller balls: score intervals for the shares, the bootstrap for the density. Which ball a row is
// in is decided in float64.
//
// Fewer than k + 1 rows, rows of different lengths and numbers that are not finite are errors. It
// ends with ctx's error soon after ctx ends.
func PrecisionRecall(
	ctx context.Context, generated, real *Features, k int, bs Bootstrap, p *pool.Pool,
) (Overlap, error) {
	if k < 1 {
		return Overlap{}, fmt.Errorf("metric: %s with %d neighbours, expected 1 or more",
			overlapName, k)
	}
	if err := checkPair(overlapName, generated, real, k+1); err != nil {
		return Overlap{}, err
	}
	if err := bs.check(); err != nil {
		return Overlap{}, err
	}
	c, err := newCrossing(ctx, generated, real, k, p)
	if err != nil {
		return Overlap{}, err
	}
	if err := c.find(ctx, p); err != nil {
		return Overlap{}, err
	}
	return c.overlap(k, bs, p)
}

// crossing is which rows of two sets lie in whose balls.
type crossing struct {
	generated, real *cloud
	reachGenerated  []float64 // squared radius of each ball
	reachReal       []float64
	balls           []float64     // real balls in which each generated row lies
	recalled        []atomic.Bool // real rows in a generated ball
	covered         []atomic.Bool // real balls with a generated row
}

func newCrossing(
	ctx context.Context, generated, real *Features, k int, p *pool.Pool,
) (*crossing, error) {
	g, r := newCloud(generated), newCloud(real)
	c := &crossing{
		generated: g, real: r, balls: make([]float64, g.N),
		recalled: make([]atomic.Bool, r.N), covered: make([]atomic.Bool, r.N),
	}
	var err error
	if c.reachGenerated, err = reach(ctx, g, k, p); err != nil {
		return nil, err
	}
	c.reachReal, err = reach(ctx, r, k, p)
	return c, err
}

// reach returns the squared distance of each row to the k-th nearest of the others.
func reach(ctx context.Context, c *cloud, k int, p *pool.Pool) ([]float64, error) {
	nearest, err := nearestRows(ctx, c, c, k, true, p)
	if err != nil {
		return nil, err
	}
	out := make([]float64, c.N)
	for i := range out {
		out[i] = nearest[(i+1)*k-1].square
	}
	return out, nil
}

func (c *crossing) find(ctx context.Context, p *pool.Pool) error {
	return products(ctx, p, c.generated.N, func(lo, hi int, scratch []float32) {
		eachTile(ctx, c.generated.Features, c.real.Features, lo, hi, scratch,
			func(tile blas.Matrix, j int) {
				for i := lo; i < hi; i++ {
					c.row(i, j, tileRow(tile, i-lo))
				}
			})
	})
}

// row decides which balls generated row i and the real rows from first on share, given their
// products.
func (c *crossing) row(i, first int, products []float32) {
	doubt := c.generated.doubt(i, c.real)
	reachG := c.reachGenerated[i]
	for o, g := range products {
		j := first + o
		square := c.generated.squares[i] + c.real.squares[j] - 2*float64(g)
		reachR := c.reachReal[j]
		if square-doubt > max(reachG, reachR) {
			continue
		}
		if !(square+doubt <= min(reachG, reachR)) {
			square = squareDistance(c.generated.Row(i), c.real.Row(j))
		}
		if square <= reachR {
			c.balls[i]++
			c.covered[j].Store(true)
		}
		if square <= reachG {
			c.recalled[j].Store(true)
		}
	}
}

func (c *crossing) overlap(k int, bs Bootstrap, p *pool.Pool) (Overlap, error) {
	hits := 0
	density := make([]float64, len(c.balls))
	for i, n := range c.balls {
		density[i] = n / float64(k)
		if n > 0 {
			hits++
		}
	}
	out := Overlap{Neighbours: k}
	var err error
	if out.Density, err = MeanInterval(density, bs, p); err != nil {
		return Overlap{}, err
	}
	for _, s := range []struct {
		to      *Estimate
		hits, n int
	}{
		{&out.Precision, hits, c.generated.N},
		{&out.Recall, count(c.recalled), c.real.N},
		{&out.Coverage, count(c.covered), c.real.N},
	} {
		if *s.to, err = ShareInterval(s.hits, s.n, bs.Level); err != nil {
			return Overlap{}, err
		}
	}
	return out, nil
}

func count(flags []atomic.Bool) (n int) {
	for i := range flags {
		if flags[i].Load() {
			n++
		}
	}
	return n
}
