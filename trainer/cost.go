package trainer

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/machine"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/record"
)

// idle is the name of the workers' time without a task.
const idle = "idle"

// takePhases returns where the workers' time went in the steps since the last call.
func (t *Trainer) takePhases() map[string]record.Number {
	left := t.speed.seconds
	if t.pool != nil {
		left *= float64(t.pool.Workers())
	}
	all := map[string]record.Number{}
	for _, p := range phase.All() {
		if spent := t.clock.Take(p).Seconds(); spent > 0 {
			all[p.String()] = record.Number(spent)
			left -= spent
		}
	}
	if len(all) == 0 {
		return nil
	}
	all[idle] = record.Number(max(0, left))
	return all
}

// levels is the prior loss of the epoch by noise level; nil if there is none.
func (t *Trainer) levels() *record.Levels {
	s := &t.sums.Levels
	if *s == (diffusion.Levels{}) {
		return nil
	}
	l := &record.Levels{Min: record.Number(t.cfg.LambdaMin), Max: record.Number(t.cfg.LambdaMax)}
	for b, draws := range s.Draws {
		n := draws * float64(t.cfg.Latent)
		l.Loss = append(l.Loss, record.Number(s.Loss[b]/n))
		l.Unlearned = append(l.Unlearned, record.Number(s.Unlearned[b]/n))
	}
	return l
}

// peaks are the rates that were measured in this process. A process that trains several runs, as a
// comparison does, need not measure for each.
var peaks struct {
	sync.Mutex
	by map[peakOf]peak
}

// peakOf is what a rate was measured of.
type peakOf struct {
	workers   int
	precision blas.Precision
}

// peak is a rate of operations per second, and when it was last measured.
type peak struct {
	rate float64
	at   time.Time
}

// peakEvery is the least time between two measurements.
const peakEvery = time.Minute

// measurePeak measures the rate that products cannot exceed, in about 0.15 s: at the start of a
// session and with its reports. The highest counts, since other load can only make it lower. If ctx
// ends before it is measured for the first time, it is not known.
func (t *Trainer) measurePeak(ctx context.Context) {
	of := peakOf{t.pool.Workers(), t.cfg.Precision}
	peaks.Lock()
	defer peaks.Unlock()
	best := peaks.by[of]
	if time.Since(best.at) >= peakEvery {
		rate, err := machine.ProductPeak(ctx, of.workers, of.precision, machine.Options{})
		if err == nil {
			best = peak{max(best.rate, rate), time.Now()}
		}
	}
	if peaks.by == nil {
		peaks.by = map[peakOf]peak{}
	}
	t.peak, peaks.by[of] = best.rate, best
}

// peakShare is the share of that rate that the products reached in the time of the steps.
func (t *Trainer) peakShare() record.Number {
	if t.peak == 0 {
		return record.Number(math.NaN())
	}
	return record.Number(t.speed.operations / t.speed.seconds / t.peak / float64(t.size()))
}
