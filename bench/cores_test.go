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
	"github.com/plume-ml/plume/trainer/prior"
)

var barrierFlag = flag.Duration("barrier", 10*time.Microsecond,
	"time that a phase of BenchmarkCores takes besides its tasks: to wake workers, and to wait")

var bandwidthFlag = flag.Float64("bandwidth", 300,
	"GB/s that the memory of a server of BenchmarkCores delivers to all cores")

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

// bound is step where phases also take the time in which a memory moves their bytes, at so many
// a second.
func (p phaseTimes) bound(
	workers int, barrier time.Duration, moved []float64, bandwidth float64,
) (sum time.Duration) {
	for i := range p {
		least := time.Duration(moved[i] / bandwidth * float64(time.Second))
		sum += max(p[i:i+1].step(workers, barrier), least)
	}
	return sum
}

// moved is about how many bytes each phase of a step moves between memory and caches: gathering
// next to none; rows write what gradients read, lines being read before they are written, and
// read the weights of both passes once, since cores share a cache behind their own; gradients
// read that once, and read and write the parameters, their gradient, moments and average, and the
// weights of both passes, these with a read before they are written.
func moved(b *testing.B, c config.Config, images data.Dataset) []float64 {
	b.Helper()
	decoder, err := method.NewDecoder(c.Options, images.Shape())
	if err != nil {
		b.Fatal(err)
	}
	p, err := method.NewPrior(c.Method, c.Options)
	if err != nil {
		b.Fatal(err)
	}
	score := p.(*prior.Diffusion).Score
	const size, arrays, passes = 4, 5, 2
	rows := size * float64(c.Batch*c.Particles)
	kept := rows * float64(decoder.Kept()+score.Kept())
	parameters := size * float64(decoder.Layout().Size()+score.Layout().Size())
	return []float64{0, 2*kept + passes*parameters, kept + 2*(arrays+passes)*parameters}
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
	if got := p.bound(2, ms, []float64{7, 0.5, 0}, 1000); got != 8*ms {
		t.Errorf("with a memory's time, a step of %v, expected 8 ms", got)
	}
}

// coreSteps is how many steps are measured. The lower quartile of each task's times counts: other
// load can only make them longer, and so can caches, for the task that a phase begins with.
const coreSteps = 16

// timedTasks is a method whose step is cut for so many workers, and the times of its tasks in each
// step.
type timedTasks struct {
	method.Method
	batch method.Minibatch
	steps []phaseTimes
}

func newTimedTasks(
	b *testing.B, c config.Config, images data.Dataset, workers int,
) *timedTasks {
	b.Helper()
	t := &timedTasks{batch: method.Minibatch{Index: data.Range(0, c.Batch)}}
	p := pool.Serial(workers, func(took []time.Duration) {
		last := &t.steps[len(t.steps)-1]
		*last = append(*last, took)
	})
	m, err := method.New(c.Method, method.Setup{
		Options: c.Options, Train: images, Batch: c.Batch, Tile: c.Tile, Seed: 1, Pool: p,
	})
	if err != nil {
		b.Fatal(err)
	}
	t.Method = m
	t.step(b) // gathers and allocates
	t.batch.Repeat, t.steps = 1, nil
	return t
}

// step measures one step more.
func (t *timedTasks) step(b *testing.B) {
	b.Helper()
	t.steps = append(t.steps, nil)
	if _, err := t.Step(t.batch); err != nil {
		b.Fatal(err)
	}
}

// quartiles are the lower quartiles of the times of each task.
func (t *timedTasks) quartiles() (p phaseTimes) {
	for i, tasks := range t.steps[0] {
		p = append(p, nil)
		for j := range tasks {
			var times []time.Duration
			for _, s := range t.steps {
				times = append(times, s[i][j])
			}
			slices.Sort(times)
			p[i] = append(p[i], times[len(times)/4])
		}
	}
	return p
}

// measureTasks returns the times of the tasks of a step that is cut for one worker, and for so
// many: steps of both by turns, since a machine is not always as fast.
func measureTasks(
	b *testing.B, c config.Config, images data.Dataset, workers int,
) (whole, cut phaseTimes) {
	b.Helper()
	one, many := newTimedTasks(b, c, images, 1), newTimedTasks(b, c, images, workers)
	for range coreSteps {
		one.step(b)
		many.step(b)
	}
	return one.quartiles(), many.quartiles()
}

// BenchmarkCores says what share of many cores a step would use: the speed-up over one core, by
// the number of cores. The times of the tasks are measured on one core, and the workers' turns are
// computed; share/memory is what the bandwidth of a server's memory leaves of that.
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
					bytes := moved(b, w.config, w.images)
					whole, cut := measureTasks(b, w.config, w.images, cores)
					alone := whole.step(1, 0)
					took := cut.step(cores, *barrierFlag)
					b.ReportMetric(alone.Seconds()/took.Seconds()/float64(cores), "share")
					b.ReportMetric(1e3*took.Seconds(), "ms/step")
					took = cut.bound(cores, *barrierFlag, bytes, 1e9**bandwidthFlag)
					b.ReportMetric(alone.Seconds()/took.Seconds()/float64(cores), "share/memory")
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
