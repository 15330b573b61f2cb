package method

import (
	"github.com/plume-ml/plume/trainer/comm"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/particle"
)

// buildable is a Method whose memory can be counted, including that of later calls.
type buildable interface {
	Method
	// generator is Generator with arrays from the arena.
	generator(a *memory.Arena, ema bool) *generate.Generator
	// diagnosis returns the arrays that Diagnose needs.
	diagnosis(a *memory.Arena) (index []int, rows []float32)
}

// Scale is what the memory of a method depends on, besides its options.
type Scale struct {
	Datapoints int // in the training data
	Batch      int // largest number of datapoints in a minibatch
	Tile, Wave int // Setup.Tile and Setup.Wave
	Lanes      int // Setup.Lanes
	Ranks      int // of which the memory is that of the first; 0: 1
	Picture    data.Shape
	Workers    int

	CloudInFile bool // positions and velocities of particles are in a file (Setup.CloudDir)
}

// Footprint is the memory of a method, in bytes.
type Footprint struct {
	Held      memory.Parts // for the life of the method
	Generator int64        // of each of its generators
	Diagnose  int64        // while Diagnose runs
	Start     int64        // while the particles are placed at the components of the images
	Cloud     int64        // of particles and velocities: part of Held, or the size of their file
}

// Memory counts the arrays of the named method without making them. It leaves out a few numbers for
// each network. An unknown method is an error.
func Memory(name config.Method, o config.Options, s Scale) (Footprint, error) {
	m, err := find(name)
	if err != nil {
		return Footprint{}, err
	}
	setup := Setup{
		Options: o, Train: sized{datapoints: s.Datapoints, shape: s.Picture}, Batch: s.Batch,
		Tile: s.Tile, Wave: s.Wave, Lanes: s.Lanes, planned: s.Workers,
	}
	if s.Ranks > 1 {
		setup.Comm = comm.Forecast{Ranks: s.Ranks}
	}
	if s.CloudInFile {
		setup.CloudDir = "." // a counting arena makes no file there
	}
	if err := m.networks(&setup, s.Picture); err != nil {
		return Footprint{}, err
	}
	held, generator, diagnose := memory.Counting(), memory.Counting(), memory.Counting()
	built, err := m.build(held, setup)
	if err != nil {
		return Footprint{}, err
	}
	built.generator(generator, true)
	built.diagnosis(diagnose)
	f := Footprint{Held: held.Parts(), Generator: generator.Total(), Diagnose: diagnose.Total()}
	if m.encoder == nil {
		first, last := setup.part()
		f.Start = startBytes(o, s.Datapoints, s.Picture)
		f.Cloud = particle.FileBytes(last-first, o.Particles, o.Latent, momentum(o))
	}
	return f, nil
}

// workers returns the number of the pool's workers, or the planned number without a pool.
func (s *Setup) workers() int {
	if s.Pool == nil {
		return s.planned
	}
	return s.Pool.Workers()
}

// sized is a data set that has a size but no data.
type sized struct {
	data.Dataset
	datapoints int
	shape      data.Shape
}

func (s sized) Len() int          { return s.datapoints }
func (s sized) Shape() data.Shape { return s.shape }
