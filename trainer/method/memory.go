package method

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/particle"
)

// buildable is a Method whose memory can be counted, also that of what it makes later.
type buildable interface {
	Method
	// generator is Generator with its arrays from the arena.
	generator(a *memory.Arena, ema bool) *generate.Generator
	// diagnosis is memory for Diagnose.
	diagnosis(a *memory.Arena) (index []int, rows []float32)
}

// Scale is what decides, besides its options, how much memory a method takes.
type Scale struct {
	Datapoints int // to train on
	Batch      int // most datapoints in a minibatch
	Dim        int // numbers in an image
	Workers    int

	CloudInFile bool // positions and velocities of particles lie in a file (Setup.CloudDir)
}

// Footprint is the memory of a method.
type Footprint struct {
	Held      memory.Parts // as long as it lives
	Generator int64        // by each of its generators
	Diagnose  int64        // while Diagnose runs
	Cloud     int64        // of the particles and velocities: held, or the size of their file
}

// Memory counts the arrays of the named method by building it without them. A few numbers for each
// network are left out.
func Memory(name config.Method, o config.Options, s Scale) (Footprint, error) {
	m, err := find(name)
	if err != nil {
		return Footprint{}, err
	}
	setup := Setup{
		Options: o, Train: sized{datapoints: s.Datapoints, dim: s.Dim}, Batch: s.Batch,
		planned: s.Workers,
	}
	if s.CloudInFile {
		setup.CloudDir = "." // where an arena that counts makes no file
	}
	m.networks(&setup, s.Dim)
	held, generator, diagnose := memory.Counting(), memory.Counting(), memory.Counting()
	built, err := m.build(held, setup)
	if err != nil {
		return Footprint{}, err
	}
	built.generator(generator, true)
	built.diagnosis(diagnose)
	f := Footprint{Held: held.Parts(), Generator: generator.Total(), Diagnose: diagnose.Total()}
	if m.encoder == nil {
		f.Cloud = particle.FileBytes(s.Datapoints, o.Particles, o.Latent, momentum(o))
	}
	return f, nil
}

// workers is the number of the pool's workers, or of those that a plan expects.
func (s *Setup) workers() int {
	if s.Pool == nil {
		return s.planned
	}
	return s.Pool.Workers()
}

// sized is a data set of which only the size is known.
type sized struct {
	data.Dataset
	datapoints, dim int
}

func (s sized) Len() int          { return s.datapoints }
func (s sized) Shape() data.Shape { return data.Shape{H: 1, W: s.dim, C: 1} }
