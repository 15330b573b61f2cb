package compare

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

// calibrator holds the data, the workers and the clock that all probes use.
type calibrator struct {
	train data.Dataset
	pools map[int]*pool.Pool // by threads
	clock func() time.Time
}

func (b *calibrator) close() {
	for _, p := range b.pools {
		p.Close()
	}
}

// probe is a contestant that is timed at the beginning or at the end of its training.
type probe struct {
	method   method.Method
	points   int // number of datapoints
	batches  *data.Batches
	repeats  int
	progress float64

	number      int
	times       []float64 // of a minibatch with all its repeats
	evaluations []float64 // of a minibatch, as of an epoch
}

// late is the progress at which the second stage of a method is timed.
const late = 1 - 1.0/(1<<20)

// probe builds a contestant's method as a run would, but without the warm-up of the prior: its
// steps are cheaper, and timing them would plan too many epochs.
func (b *calibrator) probe(c config.Config, progress float64) (*probe, error) {
	if b.pools[c.Threads] == nil {
		b.pools[c.Threads] = pool.New(c.Threads)
	}
	points, err := c.Datapoints(b.train)
	if err != nil {
		return nil, err
	}
	options := c.Options
	options.PriorWarmup = 0
	m, err := method.New(c.Method, method.Setup{
		Options: options, Train: points, Batch: min(c.Batch, points.Len()), Tile: c.Tile,
		Lanes: c.Lanes, Seed: c.Seed, Pool: b.pools[c.Threads],
	})
	return &probe{
		method: m, points: points.Len(), repeats: c.BatchRepeats, progress: progress,
		batches: data.NewLaneBatches(points.Len(), c.Batch, max(1, c.Lanes), c.Seed),
	}, err
}

// round trains on two minibatches, with all their repeats, and times the second: the first finds
// another contestant's data in the caches, which does not happen in a run. The first call also pays
// one-off costs, which are recorded apart.
func (b *calibrator) round(ctx context.Context, p *probe) error {
	took, err := b.minibatch(ctx, p)
	if err != nil {
		return err
	}
	if len(p.times) == 0 {
		p.times = append(p.times, took)
	}
	took, err = b.minibatch(ctx, p)
	p.times = append(p.times, took)
	return err
}

// minibatch trains on one minibatch, with all its repeats, and returns the time in seconds. A
// contestant that diverges here is timed like others; its runs will report the divergence.
func (b *calibrator) minibatch(ctx context.Context, p *probe) (took float64, err error) {
	index := p.batches.At(0, p.number%p.batches.PerEpoch())
	var spent float64
	began := b.clock()
	for repeat := range p.repeats {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		stats, err := p.method.Step(method.Minibatch{
			Index: index, Number: uint32(p.number), Repeat: repeat, Progress: p.progress,
		})
		if err != nil && !errors.Is(err, method.ErrDiverged) {
			return 0, err
		}
		spent += stats.Evaluations
	}
	took = b.clock().Sub(began).Seconds()
	p.evaluations = append(p.evaluations, spent/float64(len(index))*float64(p.points))
	p.number++
	return took, nil
}

// seconds and evaluated are the costs of an epoch.
func (p *probe) seconds() float64 { return low(p.times[1:]) * float64(p.batches.PerEpoch()) }

func (p *probe) evaluated() float64 { return p.evaluations[len(p.evaluations)-1] }

// onceSeconds and onceEvaluations are the one-off costs: the costs of the first round less those of
// a later one.
func (p *probe) onceSeconds() float64 { return max(0, p.times[0]-low(p.times[1:])) }

func (p *probe) onceEvaluations() float64 {
	return (p.evaluations[0] - p.evaluated()) / float64(p.batches.PerEpoch())
}

// quantile is the quantile of the timings that counts. Disturbances only add time, but the minimum
// of a few timings would depend on luck.
const quantile = 0.25

// low returns the lower quartile, a robust estimate of an undisturbed timing; between two values
// the larger.
func low(times []float64) float64 {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[int(math.Ceil(quantile*float64(len(sorted)-1)))]
}
