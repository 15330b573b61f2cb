package metric

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
)

// MMDResult is an unbiased estimate of a squared maximum mean discrepancy (Gretton et al. 2012,
// lemma 6),
//
//	mean over i != j of k(x_i, x_j) + mean over i != j of k(y_i, y_j)
//	- 2 mean over i, j of k(x_i, y_j),
//
// about 0, of either sign, for sets from one distribution. The standard error is the jackknife over
// the rows of both sets. The interval is the normal one with it; it is too wide if the
// distributions agree, since the estimate then varies less.
type MMDResult struct {
	Estimate
	StdErr float64 `json:"std_err"`
}

// similarity is a positive definite function of two rows, in terms of their product and squared
// lengths.
type similarity func(product float32, norm1, norm2 float64) float64

// comparison is the sums of the similarities of each row with the others of its own set, and with
// the rows of the other set.
type comparison struct{ within, across []float64 }

// compare returns the sums of similarities of the rows of a.
func compare(
	ctx context.Context, a, b *Features, normA, normB []float64, k similarity, p *pool.Pool,
) (comparison, error) {
	c := comparison{make([]float64, a.N), make([]float64, a.N)}
	err := products(ctx, p, a.N, func(lo, hi int, scratch []float32) {
		sumRows(ctx, c.within[lo:hi], a, a, lo, hi, normA, normA, k, true, scratch)
		sumRows(ctx, c.across[lo:hi], a, b, lo, hi, normA, normB, k, false, scratch)
	})
	return c, err
}

// sumRows sets sums to the sums of the similarities of rows lo to hi of a with the rows of b; with
// same, a and b are one set, and a row is not compared with itself.
func sumRows(
	ctx context.Context, sums []float64, a, b *Features, lo, hi int, normA, normB []float64,
	k similarity, same bool, scratch []float32,
) {
	clear(sums)
	eachTile(ctx, a, b, lo, hi, scratch, func(tile blas.Matrix, j int) {
		for i := range sums {
			sum := 0.0
			for c, g := range tileRow(tile, i) {
				if !same || lo+i != j+c {
					sum += k(g, normA[lo+i], normB[j+c])
				}
			}
			sums[i] += sum
		}
	})
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

// uStatistic returns the estimate from the sums over all pairs of rows: of the first set, of n
// rows, of the second, of m, and of both.
func uStatistic(xx, yy, xy, n, m float64) float64 {
	return xx/(n*(n-1)) + yy/(m*(m-1)) - 2*xy/(n*m)
}

// mmd returns the estimate with its interval, for sets of at least 3 rows.
func mmd(
	ctx context.Context, name string, a, b *Features, k similarity, level float64, p *pool.Pool,
) (MMDResult, error) {
	normA, normB := squareNorms(a), squareNorms(b)
	x, err := compare(ctx, a, b, normA, normB, k, p)
	if err != nil {
		return MMDResult{}, err
	}
	y, err := compare(ctx, b, a, normB, normA, k, p)
	if err != nil {
		return MMDResult{}, err
	}
	n, m := float64(a.N), float64(b.N)
	xx, yy, xy := total(x.within), total(y.within), total(x.across)
	value := uStatistic(xx, yy, xy, n, m)
	if !finite(value) {
		return MMDResult{}, fmt.Errorf("metric: %s: %v; the features are too large for float32 "+
			"products", name, value)
	}
	withoutX := jackknife(x, func(within, across float64) float64 {
		return uStatistic(xx-2*within, yy, xy-across, n-1, m)
	})
	withoutY := jackknife(y, func(within, across float64) float64 {
		return uStatistic(xx, yy-2*within, xy-across, n, m-1)
	})
	half := distuv.UnitNormal.Quantile((1+level)/2) * math.Sqrt(withoutX+withoutY)
	return MMDResult{
		Estimate: Estimate{Value: value, Low: value - half, High: value + half},
		StdErr:   math.Sqrt(withoutX + withoutY),
	}, nil
}

// jackknife returns the variance of a number over the rows of one set, given the number without
// each of them (Efron and Stein 1981): (n - 1)/n times the sum of squared deviations from the mean.
func jackknife(c comparison, without func(within, across float64) float64) float64 {
	n := float64(len(c.within))
	left := make([]float64, len(c.within))
	mean := 0.0
	for i := range left {
		left[i] = without(c.within[i], c.across[i])
		mean += left[i] / n
	}
	sum := 0.0
	for _, v := range left {
		sum += (v - mean) * (v - mean)
	}
	return (n - 1) / n * sum
}
