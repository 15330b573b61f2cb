package method

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/pool"
)

// memoryCase is a method whose memory is counted.
type memoryCase struct {
	name config.Method
	config.Options
	batch, workers, tile int
}

func (c memoryCase) String() string {
	return fmt.Sprintf("%s %s %s, %d draws, %d particles",
		c.name, c.Dynamics, c.Optimizer, c.ScoreDraws, c.Particles)
}

// memoryCases returns all methods with all options on which their arrays depend.
func memoryCases() (all []memoryCase) {
	for _, name := range config.Methods {
		for _, dynamics := range particle.AllDynamics {
			for _, optimizer := range optim.Kinds {
				for _, draws := range []int{1, 2} {
					o := smallEncoder()
					o.Dynamics, o.Optimizer, o.ScoreDraws = dynamics, optimizer, draws
					o.EMA, o.ParamDrag = float64(draws-1)*0.9, float64(draws-1)*0.1
					if draws == 2 {
						o.Condition, o.Classes = config.OfBoth, 3
					}
					if o.Particles = 3; validate(name, o) != nil {
						o.Particles = 1
					}
					all = append(all, memoryCase{name, o, 4, 1 + draws, 2})
				}
			}
		}
	}
	return all
}

// build makes the method from an arena.
func (c memoryCase) build(t *testing.T, a *memory.Arena, cloudDir string) buildable {
	t.Helper()
	p := pool.New(c.workers)
	t.Cleanup(p.Close)
	s := Setup{
		Options: c.Options, Train: testData(),
		Batch: c.batch, Tile: c.tile, Seed: testSeed, Pool: p, CloudDir: cloudDir,
	}
	m, err := find(c.name)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.networks(&s, testRow); err != nil {
		t.Fatal(err)
	}
	built, err := m.build(a, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = built.Close() })
	return built
}

func (c memoryCase) memory(t *testing.T, cloudInFile bool) Footprint {
	t.Helper()
	f, err := Memory(c.name, c.Options, Scale{
		Datapoints: testPoints, Batch: c.batch, Picture: testRow, Workers: c.workers,
		Tile: c.tile, CloudInFile: cloudInFile,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The memory that is counted in advance is that which a method takes from its arena, part by part.
// The method holds no more than that, also after both stages, when all weights are packed.
func TestMemory(t *testing.T) {
	for _, c := range memoryCases() {
		made := &memory.Arena{}
		m, want := c.build(t, made, ""), c.memory(t, false)
		if got := made.Parts(); !slices.Equal(got, want.Held) {
			t.Errorf("%v: %v was made, %v counted", c, got, want.Held)
		}
		for _, progress := range []float64{0, 0.6} {
			takeStep(t, m, Minibatch{Index: []int{4, 2, 8, 1}, Progress: progress})
		}
		if got := reference.ArrayBytes(m) - notCounted(m); got != want.Held.Total() {
			t.Errorf("%v: arrays of %d bytes, %v counted", c, got, want.Held)
		}
		checkGenerator(t, c, m, want)
		checkDiagnosis(t, c, m, want)
	}
}

// notCounted returns the bytes that are left out: counts of steps and means, lanes and waves, bands
// and their sums of squares, the descriptions of networks and data, and the minibatch, which
// belongs to the caller.
func notCounted(m Method) int64 {
	small := func(s Setup, nets ...*network) (all []any) {
		all = append(all, s.Options.DecoderWidths, s.Options.EncoderWidths, s.Train)
		all = append(all, s.Decoder, s.Prior, s.Encoder, s.Classes)
		for _, n := range nets {
			all = append(all, n.opt.Steps, n.gSquare, n.pSquare, n.sums, n.bands)
		}
		return all
	}
	var all []any
	conditions := func(c *conditioning) []any { return []any{c.counts, c.source} }
	add := func(m Method) {
		switch m := m.(type) {
		case *variational:
			all = append(all, m.counts, m.now.index, m.lanes)
			all = append(all, conditions(m.conditions)...)
			all = append(all, small(m.setup, m.encoder, m.decoder, m.prior)...)
		case *flow:
			all = append(all, m.counts, m.meanSquare, m.now.index, m.lanes)
			all = append(all, conditions(m.conditions)...)
			all = append(all, small(m.setup, m.decoder, m.prior)...)
		case *staged:
			all = append(all, m.counts, m.frozen, m.now.index, m.lanes)
			all = append(all, conditions(m.conditions)...)
			all = append(all, small(m.setup, m.prior)...)
		}
	}
	add(m)
	if s, ok := m.(*staged); ok {
		add(s.first)
	}
	return reference.ArrayBytes(all)
}

func checkGenerator(t *testing.T, c memoryCase, m buildable, want Footprint) {
	t.Helper()
	made := &memory.Arena{}
	g := m.generator(made, true)
	// All weights are packed.
	if err := g.Sample(t.Context(), make([]float32, testDim), 1, generate.Spec{
		Solver: "ddim", Steps: 1, Seed: 1,
	}); err != nil {
		t.Fatal(err)
	}
	if g.Encodes() {
		d := g.Latent()
		g.Encode(make([]float32, d), make([]float32, d), make([]float32, testDim), nil)
	}
	got := reference.ArrayBytes(g) - reference.ArrayBytes(g.Model())
	if got != want.Generator || made.Total() != got {
		t.Errorf("%v: a generator of %d bytes, %d made, %d counted", c, got, made.Total(),
			want.Generator)
	}
}

func checkDiagnosis(t *testing.T, c memoryCase, m buildable, want Footprint) {
	t.Helper()
	made := &memory.Arena{}
	if m.diagnosis(made); made.Total() != want.Diagnose || want.Diagnose == 0 {
		t.Errorf("%v: %d bytes made for Diagnose, %d counted", c, made.Total(), want.Diagnose)
	}
}

// Particles in a file are counted apart, without making the file.
func TestMemoryOfAFileCloud(t *testing.T) {
	for _, c := range memoryCases() {
		made := &memory.Arena{}
		c.build(t, made, t.TempDir())
		inFile, inMemory := c.memory(t, true), c.memory(t, false)
		if got := made.Parts(); !slices.Equal(got, inFile.Held) {
			t.Errorf("%v: %v was made, %v counted", c, got, inFile.Held)
		}
		if inFile.Cloud != inMemory.Cloud ||
			inFile.Cloud != inMemory.Held.Total()-inFile.Held.Total() {
			t.Errorf("%v: a file of %d bytes, in memory %d; without it %v, with it %v",
				c, inFile.Cloud, inMemory.Cloud, inFile.Held, inMemory.Held)
		}
	}
}

// Counting needs hardly any memory itself, even for a model larger than any machine.
func TestCountingIsCheap(t *testing.T) {
	for _, name := range config.Methods {
		o := smallEncoder()
		o.DecoderWidths, o.EncoderWidths = []int{1 << 16}, []int{1 << 16}
		o.Particles, o.Latent, o.ScoreWidth, o.ScoreBlocks = 1<<20, 1<<16, 1<<16, 10
		c := memoryCase{name, o, 4, 64, 64}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		sum := c.memory(t, false).Held.Total()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 || sum < 1<<40 {
			t.Errorf("%s: counting %d bytes allocates %d", name, sum, got)
		}
	}
}
