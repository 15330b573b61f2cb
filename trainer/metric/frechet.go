package metric

import (
	"context"
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/pool"
)

const frechetName = "Fréchet distance"

// Frechet returns the squared Fréchet distance between two sets of features, each seen as a normal
// distribution. In features of an Inception network it is the FID (Heusel et al. 2017), in others
// it is not. Sets with fewer rows than numbers in a row, whose covariances are singular, are
// allowed. It is biased upwards, by about the distance of two sets of these sizes from one
// distribution (Floor).
//
// Fewer than two rows, rows of different lengths and numbers that are not finite are errors. It
// returns ctx's error as soon as ctx ends; a decomposition, which cannot be interrupted, then runs
// to its end in the background.
func Frechet(ctx context.Context, a, b *Features) (float64, error) {
	if err := checkPair(frechetName, a, b, 2); err != nil {
		return 0, err
	}
	return abandoning(ctx, func() (float64, error) {
		return NewGaussian(a.dense()).Frechet(NewGaussian(b.dense()))
	})
}

// abandoning calls f, or returns ctx's error as soon as ctx ends: f, which must not write to
// anything shared, then runs to its end in the background.
func abandoning(ctx context.Context, f func() (float64, error)) (float64, error) {
	type result struct {
		value float64
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		if r.err == nil {
			r.err = ctx.Err()
		}
		return r.value, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// dense returns a copy in float64.
func (f *Features) dense() *mat.Dense {
	x := make([]float64, len(f.X))
	for i, v := range f.X {
		x[i] = float64(v)
	}
	return mat.NewDense(f.N, f.K, x)
}

// FrechetInterval is Frechet with a bootstrap interval and bias (see Estimate). A resample takes
// time for moments and a decomposition, N K^2 + K^3, so it is meant for features of up to some
// hundred numbers. It ends with ctx's error soon after ctx ends.
func FrechetInterval(
	ctx context.Context, a, b *Features, bs Bootstrap, p *pool.Pool,
) (Estimate, error) {
	if err := bs.check(); err != nil {
		return Estimate{}, err
	}
	value, err := Frechet(ctx, a, b)
	if err != nil {
		return Estimate{}, err
	}
	pairs := pool.NewScratch(p, func() [2]*resampler {
		return [2]*resampler{newResampler(a), newResampler(b)}
	})
	resampled, failed := make([]float64, bs.Resamples), make([]error, bs.Resamples)
	err = runUntil(ctx, p, bs.Resamples, func(r int) {
		pairs.Use(func(pair [2]*resampler) {
			x, y := pair[0].draw(bs.Seed, 0, r), pair[1].draw(bs.Seed, 1, r)
			resampled[r], failed[r] = x.Frechet(y)
		})
	})
	if err := errors.Join(append(failed, err)...); err != nil {
		return Estimate{}, err
	}
	return bs.around(value, resampled), nil
}

// resampler resamples a set, in scratch memory of its own.
type resampler struct {
	from *Features
	*tally
	rows []float64
}

func newResampler(f *Features) *resampler {
	return &resampler{f, newTally(f.N), make([]float64, len(f.X))}
}

// draw returns the distribution of resample r. Its root's rows are the rows drawn, about their
// mean, each times the square root of how often it was drawn.
func (s *resampler) draw(seed uint64, set, r int) *Gaussian {
	f := s.from
	counts := s.tally.draw(seed, set, r)
	mean := make([]float64, f.K)
	for i, c := range counts {
		if c == 0 {
			continue
		}
		for j, v := range f.Row(i) {
			mean[j] += float64(c) / float64(f.N) * float64(v)
		}
	}
	m := 0
	for i, c := range counts {
		if c == 0 {
			continue
		}
		weight := math.Sqrt(float64(c))
		row := s.rows[m*f.K : (m+1)*f.K]
		for j, v := range f.Row(i) {
			row[j] = weight * (float64(v) - mean[j])
		}
		m++
	}
	return centred(mean, mat.NewDense(m, f.K, s.rows[:m*f.K]), f.N)
}
