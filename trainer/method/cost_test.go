package method

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// costly are methods of each engine, with the progress at which a step trains a diffusion.
var costly = map[config.Method]float64{
	"ipld": 0, "vae+diffusion": 0, "pgd+diffusion": 0.9, "two-stage": 0.9,
}

// clocked makes a method that counts its time, for some workers.
func clocked(
	t *testing.T, name config.Method, o config.Options, workers int, c *phase.Clock,
) Method {
	t.Helper()
	p := pool.New(workers)
	t.Cleanup(p.Close)
	m, err := New(name, Setup{
		Options: o, Train: testData(), Batch: testPoints, Tile: 4, Seed: testSeed, Pool: p,
		Clock: c,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The prior loss by noise level does not depend on the number of workers, and is that of all draws.
func TestLevelsOfAStep(t *testing.T) {
	for name, progress := range costly {
		o := smallEncoder()
		o.ScoreDraws, o.PriorShare = 2, 0.5
		var want diffusion.Levels
		for _, workers := range []int{1, 3} {
			m := clocked(t, name, o, workers, nil)
			got := takeStep(t, m, Minibatch{Index: everyPoint, Progress: progress}).Levels
			draws, loss := 0.0, 0.0
			for part, n := range got.Draws {
				draws += n
				loss += got.Loss[part]
			}
			if n := 2 * testPoints * o.Particles; int(draws) != n || !(loss > 0) {
				t.Errorf("%s: %v draws with loss %v, expected %d", name, draws, loss, n)
			}
			if workers == 1 {
				want = got
			} else if got != want {
				t.Errorf("%s: %+v with %d workers, %+v with one", name, got, workers, want)
			}
		}
	}
	held := smallEncoder()
	held.PriorWarmup = 1
	m := clocked(t, "ipld", held, 2, nil)
	if l := takeStep(t, m, Minibatch{Index: everyPoint}).Levels; l != (diffusion.Levels{}) {
		t.Errorf("a prior that is held has %+v", l)
	}
}

// weights is how many numbers a network's matrices have: each is multiplied once for a row.
func weights(n *network) (sum int) {
	for _, p := range n.layout.Params() {
		if strings.HasSuffix(p.Name, "weight") {
			sum += p.Len
		}
	}
	return sum
}

// A step's operations are those of its products: two for each weight and row, forward and for each
// gradient.
func TestOperationsOfAStep(t *testing.T) {
	o := smallEncoder()
	o.ScoreDraws, o.Particles, o.InnerSteps = 2, 3, 1
	rows := float64(testPoints * o.Particles)
	step := func(name config.Method) (Method, float64) {
		m := clocked(t, name, o, 2, nil)
		return m, takeStep(t, m, Minibatch{Index: everyPoint}).Operations
	}
	m, got := step("ipld")
	f := m.(*flow)
	once := float64(weights(f.decoder)) + 2*float64(weights(f.prior))
	if want := 6 * rows * once; got != want {
		t.Errorf("ipld: %v operations, expected %v", got, want)
	}
	m, got = step("vae+diffusion")
	v := m.(*variational)
	want := 6*rows*(float64(weights(v.decoder))+2*float64(weights(v.prior))) +
		6*testPoints*float64(weights(v.encoder))
	if got != want {
		t.Errorf("vae+diffusion: %v operations, expected %v", got, want)
	}
	o.InnerSteps = 2 // the first of two moves needs no gradient by weights
	m, got = step("ipld")
	if want := (6 + 4) * rows * once; got != want || m.(*flow).counted(0) {
		t.Errorf("two moves: %v operations, expected %v", got, want)
	}
}

// The phases of a step have time, those that it does not have have none, and no time is counted
// twice: together they last no longer than all workers.
func TestPhasesOfAStep(t *testing.T) {
	const workers = 2
	for name, phases := range map[config.Method]string{
		"ipld": "pack gather noise score-forward score-backward decoder-forward decoder-backward " +
			"reduce move optimizer",
		"pgd": "pack gather noise prior decoder-forward decoder-backward reduce move optimizer",
		"vae+diffusion": "pack gather encoder-forward encoder-backward noise score-forward " +
			"score-backward decoder-forward decoder-backward reduce optimizer",
		"vae": "pack gather encoder-forward encoder-backward prior decoder-forward " +
			"decoder-backward reduce optimizer",
	} {
		var c phase.Clock
		m := clocked(t, name, smallEncoder(), workers, &c)
		began := time.Now()
		takeStep(t, m, Minibatch{Index: everyPoint})
		took := time.Since(began)
		var sum time.Duration
		var seen []string
		for _, p := range phase.All() {
			if spent := c.Take(p); spent > 0 {
				sum += spent
				seen = append(seen, p.String())
			}
		}
		if got := strings.Join(seen, " "); sorted(got) != sorted(phases) {
			t.Errorf("%s: the phases %s, expected %s", name, got, phases)
		}
		if sum > workers*took {
			t.Errorf("%s: %v in a step of %v by %d workers", name, sum, took, workers)
		}
	}
}

func sorted(words string) string {
	list := strings.Fields(words)
	slices.Sort(list)
	return strings.Join(list, " ")
}
