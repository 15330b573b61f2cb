package bench

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
)

var barrierFlag = flag.Duration("barrier", 10*time.Microsecond,
	"time that a phase of BenchmarkCores takes besides its tasks: to wake workers, and to wait")

// phaseTimes are the times of the tasks of each phase of a step.
type phaseTimes [][]time.Duration

// makespan is the time that workers need for tasks that they take in order, each as soon as it is
// free (list scheduling).
func makespan(tasks []time.Duration, workers int) time.Duration {
	free := make([]time.Duration, workers)
	for _, t := range tasks {
		i := 0
		for k, at := range free {
			if at < free[i] {
				i = k
			}
		}
		free[i] += t
	}
	return slices.Max(free)
}

// step is the time of a step by so many workers: phases follow each other.
func (p phaseTimes) step(workers int, barrier time.Duration) (sum time.Duration) {
	for _, tasks := range p {
		if sum += makespan(tasks, workers); workers > 1 && len(tasks) > 1 {
			sum += barrier
		}
	}
	return sum
}

func TestMakespan(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		tasks   []time.Duration
		workers int
		want    time.Duration
	}{
		{nil, 3, 0},
		{[]time.Duration{3 * ms, 2 * ms, 2 * ms}, 1, 7 * ms},
		{[]time.Duration{3 * ms, 2 * ms, 2 * ms}, 2, 4 * ms},
		{[]time.Duration{2 * ms, 2 * ms, 3 * ms}, 2, 5 * ms}, // the longest comes too late
		{[]time.Duration{3 * ms, 2 * ms, 2 * ms}, 8, 3 * ms},
	} {
		if got := makespan(c.tasks, c.workers); got != c.want {
			t.Errorf("%v by %d workers: %v, expected %v", c.tasks, c.workers, got, c.want)
		}
	}
	p := phaseTimes{{2 * ms, 2 * ms}, {ms}, {}}
	if got := p.step(2, ms); got != 4*ms {
		t.Errorf("a step of %v, expected 4 ms", got)
	}
}

// coreSteps is how many steps are measured; the fastest time of each task counts, since other load
// can only make it longer.
const coreSteps = 7

// measureTasks returns the times of the tasks of a step that is cut for so many workers.
func measureTasks(
	b *testing.B, c config.Config, images data.Dataset, workers int,
) (fastest phaseTimes) {
	b.Helper()
	var now phaseTimes
	p := pool.Serial(workers, func(took []time.Duration) { now = append(now, took) })
	m, err := method.New(c.Method, method.Setup{
		Options: c.Options, Train: images, Batch: c.Batch, Tile: c.Tile, Seed: 1, Pool: p,
	})
	if err != nil {
		b.Fatal(err)
	}
	batch := method.Minibatch{Index: data.Range(0, c.Batch)}
	for k := range coreSteps + 1 {
		now = nil
		if _, err := m.Step(batch); err != nil {
			b.Fatal(err)
		}
		if batch.Repeat = 1; k == 0 { // the first step gathers and allocates
			continue
		}
		if fastest == nil {
			fastest = now
		}
		for i, tasks := range now {
			for j, t := range tasks {
				fastest[i][j] = min(fastest[i][j], t)
			}
		}
	}
	return fastest
}

// BenchmarkCores says what share of many cores a step would use: the speed-up over one core, by
// the number of cores. The times of the tasks are measured on one core, and the workers' turns are
// computed. What cores share, memory above all, is not in it.
func BenchmarkCores(b *testing.B) {
	type work struct {
		name   string
		config config.Config
		images data.Dataset
	}
	var all []work
	for _, s := range shapes() {
		c := method.Default()
		c.Options, c.Batch = s.options, s.batch
		all = append(all, work{s.name, c, images()})
	}
	c, pictures := convolutions(b)
	all = append(all, work{"C", c, pictures})
	for _, w := range all {
		for _, cores := range []int{16, 64, 128} {
			b.Run(fmt.Sprintf("shape=%s/cores=%d", w.name, cores), func(b *testing.B) {
				for b.Loop() {
					whole := measureTasks(b, w.config, w.images, 1)
					alone := whole.step(1, 0)
					cut := measureTasks(b, w.config, w.images, cores)
					took := cut.step(cores, *barrierFlag)
					b.ReportMetric(alone.Seconds()/took.Seconds()/float64(cores), "share")
					b.ReportMetric(1e3*took.Seconds(), "ms/step")
					b.ReportMetric(1e3*alone.Seconds(), "ms/alone")
					b.ReportMetric(cut.step(1, 0).Seconds()/alone.Seconds(), "work") // of the cut
					report(b, cut, cores)
				}
			})
		}
	}
}

// report logs where the cores' time goes, by phase.
func report(b *testing.B, p phaseTimes, cores int) {
	for i, tasks := range p {
		var sum, longest time.Duration
		for _, t := range tasks {
			sum, longest = sum+t, max(longest, t)
		}
		took := makespan(tasks, cores)
		b.Logf("phase %d: %d tasks, %v in all, longest %v, on %d cores %v: %.0f %%", i, len(tasks),
			sum, longest, cores, took,
			100*math.Max(0, sum.Seconds()/took.Seconds()/float64(cores)))
	}
}
