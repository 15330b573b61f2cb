package machine

import (
	"context"
	"sync"
	"time"
)

// Options say how long to measure. Zero fields mean the defaults in the comments.
type Options struct {
	// Rounds is the number of rounds for every quantity (10). The best counts: other load can only
	// make a round slower, so the best of several short ones is nearest to the machine's rate.
	Rounds int
	// Round is the least time of a round (10 ms): long beside the time to start the workers, and
	// short enough to fall between two disturbances.
	Round time.Duration
	// Memory is the number of bytes over which the bandwidth is measured: by default four times the
	// last-level cache, at least 128 MiB and at least 16 MiB for each worker.
	Memory int
}

const (
	defaultRounds = 10
	defaultRound  = 10 * time.Millisecond
)

// meter measures rates.
type meter struct {
	ctx context.Context
	Options
	now func() time.Time
}

func newMeter(ctx context.Context, o Options) *meter {
	if o.Rounds <= 0 {
		o.Rounds = defaultRounds
	}
	if o.Round <= 0 {
		o.Round = defaultRound
	}
	return &meter{ctx, o, time.Now}
}

// work does something a number of times, and returns the amount done.
type work func(times int) float64

// best is the highest rate per second of all workers together, each with its own work at the same
// time. The first rounds, which also touch the memory, determine the number of times that fills a
// round and do not count.
func (m *meter) best(workers []work) (rate float64, err error) {
	limit := time.Duration(4*m.Rounds) * m.Round // for calls longer than a round
	spent, times := time.Duration(0), 1
	for rounds := 0; rounds < m.Rounds && (rounds == 0 || spent < limit); {
		if err := m.ctx.Err(); err != nil {
			return 0, err
		}
		amount, took := m.round(workers, times)
		if took < m.Round {
			times *= 2
			continue
		}
		rounds++
		spent += took
		rate = max(rate, amount/took.Seconds())
	}
	return rate, nil
}

// round lets all workers start at once and waits for the last.
func (m *meter) round(workers []work, times int) (amount float64, took time.Duration) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	amounts := make([]float64, len(workers))
	ready.Add(len(workers))
	for i, do := range workers {
		done.Go(func() {
			ready.Done()
			<-start
			amounts[i] = do(times)
		})
	}
	ready.Wait()
	began := m.now()
	close(start)
	done.Wait()
	took = m.now().Sub(began)
	for _, a := range amounts {
		amount += a
	}
	return amount, took
}
