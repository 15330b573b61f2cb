package evaluate

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/pool"
)

// floorRepeats is the number of random divisions of the real features over which the floor is
// averaged.
const floorRepeats = 4

// Foreign compares features of generated and of real images that another program computed, two .npy
// arrays of N x K. With the 2,048 features of Inception, the Fréchet distance is the FID and the
// kernel distance the KID. Of the options only Seed, Threads and Progress matter. The floor
// compares as many real features as there are generated ones with all other real ones, or random
// halves if there are too few.
func Foreign(ctx context.Context, generated, real string, o Options) (*Report, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	began := time.Now()
	a, err := metric.ReadFeatures(generated)
	if err != nil {
		return nil, err
	}
	b, err := metric.ReadFeatures(real)
	if err != nil {
		return nil, err
	}
	if a.K != b.K {
		return nil, fmt.Errorf("%s has features of %d numbers, and %s of %d; expected the same",
			generated, a.K, real, b.K)
	}
	p := pool.New(o.Threads)
	defer p.Close()
	e := &evaluation{
		Options: o, subject: &subject{pool: p}, ctx: ctx,
		report: &Report{Samples: a.N, Seed: o.Seed},
	}
	if err := e.slowly(func() error { return e.foreign(a, b) }); err != nil {
		return nil, err
	}
	e.report.Seconds = time.Since(began).Seconds()
	return e.report, ctx.Err()
}

// widestInterval is the largest width K of features for which the Fréchet distance gets an
// interval: each resample needs a decomposition, in time K^3.
const widestInterval = 256

func (e *evaluation) foreign(a, b *metric.Features) error {
	what := fmt.Sprintf("comparing %d generated with %d real features of %d numbers", a.N, b.N, a.K)
	e.doing.Do(func() { e.Progress(what) })
	e.doing.Set(what)
	fd := e.frechet(Metric{Name: "FD", Key: "fd", Note: "Fréchet distance of the features"})
	if a.K > widestInterval {
		fd.estimate = func(a, b *metric.Features) (metric.Estimate, error) {
			v, err := metric.Frechet(e.ctx, a, b)
			return metric.Estimate{Value: v, Low: math.NaN(), High: math.NaN()}, err
		}
		fd.Note += fmt.Sprintf(" (no interval: they have more than %d numbers)", widestInterval)
	}
	kid := e.kernelDistance(Metric{
		Name: "KID", Key: "kid", Note: "unbiased MMD^2 of the features with the cubic kernel",
	})
	r, err := metric.KID(e.ctx, a, b, metric.DefaultKID(e.Seed), e.pool)
	if err != nil {
		return err
	}
	kid.estimate = func(_, _ *metric.Features) (metric.Estimate, error) { return r.Estimate, nil }
	if r.SubsetSize < max(a.N, b.N) {
		kid.Note += fmt.Sprintf("; mean over %d subsets of %d, as papers give it: %.5f, standard "+
			"error %.5f", r.Subsets, r.SubsetSize, r.SubsetMean, r.SubsetStdErr)
	}
	for _, m := range []measure{fd, kid} {
		if e.ctx.Err() != nil {
			return e.ctx.Err()
		}
		e.doing.Set(m.Name)
		value, err := m.estimate(a, b)
		if err != nil {
			return err
		}
		e.doing.Set(m.Name + " of real features")
		floor, about := e.foreignFloor(m, a.N, b)
		m.Better = Lower
		m.Note += fmt.Sprintf("; of %d against %d; %s", a.N, b.N, about)
		e.add(m.measured(value, floor))
	}
	return nil
}

// foreignFloor returns a metric's floor for n generated features, NaN if there is none, and a note
// on it.
func (e *evaluation) foreignFloor(
	m measure, n int, real *metric.Features,
) (floor float64, about string) {
	part := min(n, real.N/2)
	found, err := metric.Floor(real, part, real.N-part, floorRepeats, e.Seed, m.alone)
	if err != nil {
		return math.NaN(), fmt.Sprintf("no floor: %v", err)
	}
	about = fmt.Sprintf("floor: mean over %d divisions of the real ones into %d and %d",
		found.Repeats, found.N, found.M)
	if part < n {
		about += ", too few for the floor at these sizes: that of a biased distance, such as the " +
			"Fréchet distance, is lower"
	}
	return found.Mean, about
}
