package query

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/run"
)

// Trained is the latents that training rows Lo to Lo+len(Rows)-1 have at the end of training.
type Trained struct {
	Lo   int
	Rows []run.Row
	// Particles is rows x N x d; nil for a method that has an encoder in their place.
	Particles []float32
	// Mean and Std, rows x d, are those of the encoder's q(z|x); nil for a method with particles.
	Mean, Std []float32
}

// trainedBlock is how many rows are passed on at a time.
const trainedBlock = 1024

// HasParticles reports whether the run's training rows have particles, and not an encoder in their
// place.
func (s *Stored) HasParticles() bool { return !s.generator.Encodes() }

// TrainedParticles is how many particles a training row has.
func (s *Stored) TrainedParticles() int { return s.run.Config.Particles }

// Trained passes on the latents of the training rows, block by block, which are valid until use
// returns: the memory does not grow with the number of rows. Of a method with an encoder
// it reads the run's data, as how says. It stops early, with ctx's error, when ctx ends.
func (s *Stored) Trained(ctx context.Context, how Read, use func(Trained) error) error {
	if !s.HasParticles() {
		return s.encoded(ctx, how, use)
	}
	dir, err := s.run.Checkpoint()
	if err != nil {
		return err
	}
	return s.run.EachParticle(ctx, dir, s.Latent(), trainedBlock,
		func(lo int, rows []run.Row, z []float32) error {
			return use(Trained{Lo: lo, Rows: rows, Particles: z})
		})
}

// particles reads the particles of the newest checkpoint.
func (s *Stored) particles() (*run.Cloud, error) {
	dir, err := s.run.Checkpoint()
	if err != nil {
		return nil, err
	}
	c, err := s.run.Cloud(dir, s.Latent())
	if err != nil {
		return nil, err
	}
	if has := memory.Machine(); has > 0 && c.Bytes() > has {
		return nil, fmt.Errorf("the particles take %s of memory, and this machine has %s",
			memory.Human(c.Bytes()), memory.Human(has))
	}
	c.Make()
	_, err = checkpoint.LoadSome(dir, []checkpoint.Tensor{c.Z})
	return c, checkpoint.ForReader(err)
}

// LabelName is the name of the class that the run's data number so; "" of -1.
func (s *Stored) LabelName(label int) string {
	if label < 0 {
		return ""
	}
	if read := s.sampler.Info().Read; read != nil && label < len(read.ClassNames) {
		return read.ClassNames[label]
	}
	return strconv.Itoa(label)
}

// Points reads what the run was trained on: its training rows and, with flip, their mirror images.
func (s *Stored) Points(ctx context.Context, how Read) (data.Dataset, error) {
	own, err := s.run.ReadData(ctx, how.Path, how.Report, how.Warn)
	return own.Points, err
}

// encoded passes on the encoder's means and standard deviations of the training rows.
func (s *Stored) encoded(ctx context.Context, how Read, use func(Trained) error) error {
	points, err := s.Points(ctx, how)
	if err != nil {
		return err
	}
	r, err := s.Rows(points)
	if err != nil {
		return err
	}
	g := s.generator
	for lo := 0; lo < points.Len(); lo += trainedBlock {
		index := data.Range(lo, min(lo+trainedBlock, points.Len()))
		x := make([]float32, len(index)*g.Dim())
		points.Gather(x, index)
		t := Trained{
			Lo: lo, Mean: make([]float32, len(index)*g.Latent()),
			Std: make([]float32, len(index)*g.Latent()),
		}
		g.Encode(t.Mean, t.Std, x, s.conditionsOf(r, index))
		for i, logvar := range t.Std {
			t.Std[i] = float32(math.Exp(float64(logvar) / 2))
		}
		for _, i := range index {
			origin := points.Origin(i)
			t.Rows = append(t.Rows, run.Row{
				Source: origin.Row, File: origin.File, Label: points.Label(i),
				Flipped: origin.Flipped,
			})
		}
		if err := use(t); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
