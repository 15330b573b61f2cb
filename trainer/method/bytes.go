package method

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/prior"
)

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
	Cloud     int64        // of positions and velocities of the particles: held, or the size of their file
}

// Memory adds up the arrays that the named method makes, without making them. What has a number
// for each tile or layer is left out.
func Memory(name string, o config.Options, s Scale) (Footprint, error) {
	m, err := find(name)
	if err != nil {
		return Footprint{}, err
	}
	return m.footprint(newDecoder(o, s.Dim), m.prior(o), o, s), nil
}

// flowFootprint is the memory of a Flow, its generators and diagnostics.
func flowFootprint(decoder model.Net, prior prior.Prior, o config.Options, s Scale) Footprint {
	return Footprint{
		Held:      flowBytes(decoder, prior, o, s),
		Generator: generatorBytes(decoder, prior, s),
		Diagnose:  memory.Array[float32](s.Batch, o.Particles, o.Latent) + memory.Array[int](s.Batch),
		Cloud:     particle.FileBytes(s.Datapoints, o.Particles, o.Latent, o.Dynamics != "overdamped"),
	}
}

// flowBytes is the memory of a Flow.
func flowBytes(decoder model.Net, prior prior.Prior, o config.Options, s Scale) memory.Parts {
	momentum := o.Dynamics != "overdamped"
	rows := s.Batch * o.Particles
	particles := particle.Bytes(s.Datapoints, o.Particles, o.Latent, momentum) + particle.BatchBytes(rows, o.Latent, momentum)
	if s.CloudInFile {
		particles -= particle.FileBytes(s.Datapoints, o.Particles, o.Latent, momentum)
	}
	params := decoder.Layout().Size() + prior.Layout().Size()
	moments, average := momentBytes(o, params)
	images := memory.Array[float32](s.Batch, s.Dim)
	return memory.Parts{
		{Name: "parameters", Bytes: memory.Array[float32](params)},
		{Name: "packed weights", Bytes: decoder.PackedBytes(true) + prior.PackedBytes(true)},
		{Name: "gradients", Bytes: memory.Array[float32](params)},
		{Name: "moments", Bytes: moments},
		{Name: "average", Bytes: average},
		{Name: "particles", Bytes: particles},
		{Name: "activations", Bytes: decoder.TapeBytes(rows) + prior.TapeBytes(rows) + images + memory.Array[float32](2, rows)},
	}
}

// generatorBytes is the memory of a Generator that uses the parameters of a Flow.
func generatorBytes(decoder model.Net, prior prior.Prior, s Scale) int64 {
	rows := generatorTile * generatorTiles(s.Workers, s.Dim)
	return decoder.TapeBytes(rows) + decoder.PackedBytes(false) + prior.SamplerBytes(rows) + prior.PackedBytes(false)
}
