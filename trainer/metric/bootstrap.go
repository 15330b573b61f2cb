package metric

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plume-ml/plume/trainer/pool"
)

// Estimate is a number and an interval that holds what it estimates with the probability asked for.
//
// The Fréchet and the Wasserstein distance of finite sets are biased upwards, the more the smaller
// the sets. For these the interval is for the expectation at the sets' own sizes, so that it can be
// compared with another distance, or a Floor, at equal sizes. Bias is by how much resampling the
// sets raises the number again: Value - Bias estimates the distance of the two distributions, and
// for the Fréchet distance Low - Bias to High - Bias is its interval. Unbiased numbers have Bias 0.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Bias  float64 `json:"bias,omitempty"`
}

// Bootstrap says how intervals are found: by drawing from each set as many rows as it has, with
// replacement, and by how the number varies over such resamples (Efron and Tibshirani 1993).
type Bootstrap struct {
	Resamples int     // at least 2/(1 - Level)
	Level     float64 // probability of the interval, in (0, 1)
	Seed      uint64
}

// DefaultBootstrap takes 400 resamples for an interval of 95 %.
func DefaultBootstrap(seed uint64) Bootstrap {
	return Bootstrap{Resamples: 400, Level: 0.95, Seed: seed}
}

func (b Bootstrap) check() error {
	if err := checkLevel(b.Level); err != nil {
		return err
	}
	if least := int(math.Ceil(2/(1-b.Level) - 1e-9)); b.Resamples < least ||
		b.Resamples > maxDraws {
		return fmt.Errorf("metric: %d resamples, expected %d to %d for an interval of %g %%",
			b.Resamples, least, maxDraws, 100*b.Level)
	}
	return nil
}

func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("metric: interval of probability %g, expected more than 0 and less "+
			"than 1", level)
	}
	return nil
}

// tails are the quantiles of sorted values between which the middle ones lie, a share of Level.
func (b Bootstrap) tails(sorted []float64) (low, high float64) {
	return quantile(sorted, (1-b.Level)/2), quantile(sorted, (1+b.Level)/2)
}

// quantile is the q-quantile of sorted values, linear between order statistics (type 7 of Hyndman
// and Fan 1996).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-2)
	if i < 0 {
		return sorted[0]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// around is the interval for the expectation of a biased number: the middle of the resampled
// values, moved so that their mean is where the number is. Resampling biases the number once more
// by about as much as it is biased already, so that the interval of what it would be without end of
// data lies lower again by as much (Low - Bias to High - Bias).
func (b Bootstrap) around(value float64, resampled []float64) Estimate {
	mean := 0.0
	for _, v := range resampled {
		mean += v / float64(len(resampled))
	}
	slices.Sort(resampled)
	low, high := b.tails(resampled)
	return Estimate{
		Value: value, Low: value + low - mean, High: value + high - mean, Bias: mean - value,
	}
}

// statistic is the percentile interval of a number found from a set of n rows: f gives it for the
// set that holds row i counts[i] times. It is for numbers with no bias to speak of, and is called
// by several goroutines at once.
func (b Bootstrap) statistic(
	n int, value float64, f func(counts []uint16) float64, p *pool.Pool,
) (Estimate, error) {
	if err := b.check(); err != nil {
		return Estimate{}, err
	}
	if n < 1 {
		return Estimate{}, errors.New("metric: interval from no rows, expected 1 or more")
	}
	draws := pool.NewScratch(p, func() *tally { return newTally(n) })
	resampled := make([]float64, b.Resamples)
	pool.Each(p, b.Resamples, func(r int) {
		draws.Use(func(t *tally) { resampled[r] = f(t.draw(b.Seed, 0, r)) })
	})
	slices.Sort(resampled)
	e := Estimate{Value: value}
	e.Low, e.High = b.tails(resampled)
	return e, nil
}

// MeanInterval is the mean of the values, one for each row, and its percentile interval. Values
// that are not finite are errors.
func MeanInterval(values []float64, b Bootstrap, p *pool.Pool) (Estimate, error) {
	n := float64(len(values))
	mean := 0.0
	for i, v := range values {
		if !finite(v) {
			return Estimate{}, fmt.Errorf("metric: mean of values of which number %d is %v, "+
				"expected finite ones", i, v)
		}
		mean += v / n
	}
	return b.statistic(len(values), mean, func(counts []uint16) float64 {
		sum := 0.0
		for i, c := range counts {
			sum += float64(c) * values[i]
		}
		return sum / n
	}, p)
}

// MedianInterval is the median of the values and its percentile interval.
func MedianInterval(values []float64, b Bootstrap, p *pool.Pool) (Estimate, error) {
	if len(values) == 0 {
		return Estimate{}, errors.New("metric: median of no values, expected 1 or more")
	}
	sorted := slices.Sorted(slices.Values(values))
	return b.statistic(len(values), quantile(sorted, 0.5), func(counts []uint16) float64 {
		return medianOf(sorted, counts)
	}, p)
}

// medianOf is the median of sorted values of which value i is there counts[i] times, as many in all
// as values.
func medianOf(sorted []float64, counts []uint16) float64 {
	n, seen := len(sorted), 0
	lower := math.NaN()
	for i, c := range counts {
		seen += int(c)
		if math.IsNaN(lower) && seen > (n-1)/2 {
			lower = sorted[i]
		}
		if seen > n/2 {
			return (lower + sorted[i]) / 2
		}
	}
	return lower
}

// ShareInterval is the share of n independent trials that hit and the score interval of its
// probability (Wilson 1927), which keeps its level also where almost all or almost none hit.
func ShareInterval(hits, n int, level float64) (Estimate, error) {
	if err := checkLevel(level); err != nil {
		return Estimate{}, err
	}
	if n < 1 || hits < 0 || hits > n {
		return Estimate{}, fmt.Errorf("metric: share of %d hits in %d trials, expected 1 trial or "+
			"more and no more hits than trials", hits, n)
	}
	z := distuv.UnitNormal.Quantile((1 + level) / 2)
	m, share := float64(n), float64(hits)/float64(n)
	scale := 1 / (1 + z*z/m)
	middle := (share + z*z/(2*m)) * scale
	half := z * scale * math.Sqrt(share*(1-share)/m+z*z/(4*m*m))
	return Estimate{
		Value: share, Low: max(0, min(share, middle-half)), High: min(1, max(share, middle+half)),
	}, nil
}
