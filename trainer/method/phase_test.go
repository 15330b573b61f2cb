package method

import (
	"bytes"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/phase"
	"github.com/plume-ml/plume/trainer/pool"
)

// phaseWork names for each phase of a step a function that does most of the phase's work and runs
// in no other phase, or in none when another called it: "function < caller".
func phaseWork() map[string]phase.Phase {
	const score, decoder = " < diffusion.(*BoundTape).Evaluate", " < likelihood.Gaussian.Gradient"
	work := map[string]phase.Phase{
		"method.(*flow).gatherTile":        phase.Gather,
		"kernel.NoiseRows":                 phase.Noise,
		"model.(*Pass).Forward" + score:    phase.ScoreForward,
		"model.(*Pass).Backward" + score:   phase.ScoreBackward,
		"model.(*Pass).Forward" + decoder:  phase.DecoderForward,
		"model.(*Pass).Backward" + decoder: phase.DecoderBackward,
		"layer.(*conv).gradient":           phase.Reduce,
		"method.(*flow).moveTile":          phase.Move,
		"optim.(*Optimizer).Apply":         phase.Optimizer,
	}
	if blas.Info().Backend == "native" { // others pack within their products
		work["blas.(*Factor).Set"] = phase.Pack
	}
	return work
}

// phasedSteps are two steps of ipld in which together no phase has a small share: one with narrow
// networks and many rows, and one with wide networks, whose updates are expensive, and few rows.
func phasedSteps(t *testing.T) []func() {
	t.Helper()
	narrow := phasedOptions(2)
	narrow.Latent = 64
	return []func(){phasedStep(t, narrow, 2048, 64), phasedStep(t, phasedOptions(256), 4, 512)}
}

func phasedOptions(width int) config.Options {
	o := small()
	o.Dynamics, o.Optimizer, o.EMA = "underdamped", "adam", 0.999
	o.DecoderWidths, o.ScoreWidth, o.ScoreBlocks = []int{width}, width, 1
	return o
}

// phasedStep makes a step on all of some random images, gathered each time.
func phasedStep(t *testing.T, o config.Options, points, dim int) func() {
	t.Helper()
	p := pool.New(2)
	t.Cleanup(p.Close)
	m, err := New("ipld", Setup{
		Options: o, Train: table{D: dim, X: reference.Normals(points*dim, 3, 1)},
		Batch: points, Tile: (points + 7) / 8, Seed: testSeed, Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := Minibatch{Index: make([]int, points)}
	for i := range b.Index {
		b.Index[i] = i
	}
	return func() { mustStep(t, m.(*flow), b) }
}

// profileSteps profiles steps for about half a second.
func profileSteps(t *testing.T, steps []func()) *profile.Profile {
	t.Helper()
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < time.Second/2; {
		for _, step := range steps {
			step()
		}
	}
	pprof.StopCPUProfile()
	p, err := profile.Parse(&raw)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// calls are the functions on the stack of a sample, without the module's path.
func calls(s *profile.Sample) (names []string) {
	for _, location := range s.Location {
		for _, line := range location.Line {
			name := line.Function.Name
			names = append(names, name[strings.LastIndexByte(name, '/')+1:])
		}
	}
	return names
}

// tally counts samples of a step's profile.
type tally struct {
	work            map[string]phase.Phase
	inStep, without int            // all of a step, and those without a phase
	right, wrong    map[string]int // those of a function with its phase, and with another or none
}

// count adds the samples of a profile.
func (c *tally) count(p *profile.Profile) {
	for _, sample := range p.Sample {
		n, names := int(sample.Value[0]), calls(sample)
		label := strings.Join(sample.Label[phase.Label], " ")
		for name, want := range c.work {
			function, caller, called := strings.Cut(name, " < ")
			switch {
			case !slices.Contains(names, function) || called && !slices.Contains(names, caller):
			case label == want.String():
				c.right[name] += n
			default:
				c.wrong[name] += n
			}
		}
		if slices.Contains(names, "pool.(*Pool).await") {
			continue // a worker that waits for work is in no phase
		}
		if slices.Contains(names, "method.(*flow).Step") ||
			slices.Contains(names, "pool.(*Pool).help") {
			c.inStep += n
			if label == "" {
				c.without += n
			}
		}
	}
}

// enough reports whether every function has enough samples.
func (c *tally) enough() bool {
	for name := range c.work {
		if c.right[name]+c.wrong[name] < 3 {
			return false
		}
	}
	return true
}

// Samples are labelled with the phase of their function, and hardly any sample of a step has no
// label.
func TestProfileKnowsThePhases(t *testing.T) {
	if inPlainGo() {
		t.Skip("products take so much of a step that others are hardly sampled; labels do not " +
			"depend on the path")
	}
	steps := phasedSteps(t)
	c := tally{work: phaseWork(), right: map[string]int{}, wrong: map[string]int{}}
	// Every phase takes 2 % or more of the two steps, so that a few hundred samples will do: a
	// second or two, or minutes on a machine that is busy. In 3,000 one of 2 % cannot hide.
	for round := 0; round < 1000 && c.inStep < 3000 && !c.enough(); round++ {
		c.count(profileSteps(t, steps))
	}
	for name, p := range c.work {
		// A sample may fall between the entry of a function and its phase's, one in thousands.
		if right, wrong := c.right[name], c.wrong[name]; right < 2 || wrong > 1+right/10 {
			t.Errorf("%d samples of %s have the phase %v, %d another or none", right, name, p,
				wrong)
		}
	}
	// Outside of tasks a step wakes the workers and adds up the losses: at most 4 % of one this
	// short.
	if c.without > c.inStep/6 {
		t.Errorf("%d of %d samples of the step have no phase", c.without, c.inStep)
	}
}
