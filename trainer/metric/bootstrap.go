package metric

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plume-ml/plume/trainer/pool"
)

// Estimate is an estimated number with an interval for it, of a given probability.
//
// The Fréchet and the Wasserstein distance of finite sets are biased upwards, the more so the
// smaller the sets. Their intervals are for the expectation at the sets' own sizes, for comparison
// with another distance, or a Floor, at the same sizes. Bias is how much higher the number is, on
// average, for resamples of the sets: Value - Bias estimates the distance of the two distributions,
// and for the Fréchet distance Low - Bias to High - Bias is its interval. Unbiased numbers have
// Bias 0.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Bias  float64 `json:"bias,omitempty"`
}

// Bootstrap says how intervals are found: each set is resampled, with replacement and at its own
// size, and the interval follows from how the number varies over the resamples (Efron and
// Tibshirani 1993).
type Bootstrap struct {
	Resamples int     // at least 2/(1 - Level)
	Level     float64 // probability of the interval, in (0, 1)
	Seed      uint64
}

// DefaultBootstrap draws 400 resamples, for 95 % intervals.
func DefaultBootstrap(seed uint64) Bootstrap {
	return Bootstrap{Resamples: 400, Level: 0.95, Seed: seed}
}

func (b Bootstrap) check() error {
	if err := checkLevel(b.Level); err != nil {
		return err
	}
	least := int(math.Ceil(2/(1-b.Level) - 1e-9))
	if b.Resamples < least || b.Resamples > maxDraws {
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

// tails returns the quantiles of sorted values between which the middle share of Level lies.
func (b Bootstrap) tails(sorted []float64) (low, high float64) {
	return quantile(sorted, (1-b.Level)/2), quantile(sorted, (1+b.Level)/2)
}

// quantile returns the q-quantile of sorted values, interpolated linearly between order statistics
// (type 7 of Hyndman and Fan 1996).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-2)
	if i < 0 {
		return sorted[0]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// around returns the interval for the expectation of a biased number: the middle of the resampled
// values, shifted so that their mean is the number itself. Resampling adds about as much bias
// again, so the interval for infinitely many rows is lower by that amount (Low - Bias to High -
// Bias).
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

// statistic returns the percentile interval of a number found from a set of n rows; f finds it for
// the set that holds row i counts[i] times. It is meant for numbers with negligible bias. Several
// goroutines call f at once.
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

// MeanInterval returns the mean of the values, one for each row, with its percentile interval.
// Values that are not finite are errors.
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

// MedianInterval returns the median of the values with its percentile interval.
func MedianInterval(values []float64, b Bootstrap, p *pool.Pool) (Estimate, error) {
	if len(values) == 0 {
		return Estimate{}, errors.New("metric: median of no values, expected 1 or more")
	}
	sorted := slices.Sorted(slices.Values(values))
	return b.statistic(len(values), quantile(sorted, 0.5), func(counts []uint16) float64 {
		return medianOf(sorted, counts)
	}, p)
}

// medianOf returns the median of the set that holds value i of the sorted values counts[i] times;
// the counts sum to the number of values.
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

// ShareInterval returns the share of hits in n independent trials with the score interval of their
// probability (Wilson 1927), which is reliable also for shares near 0 and 1.
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
