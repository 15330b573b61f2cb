package method

import (
	"cmp"
	"context"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/particle"
)

// newCloud makes the cloud of a flow for the rank's datapoints, in memory or in a file.
func (s *Setup) newCloud(a *memory.Arena) (*particle.Cloud, error) {
	first, last := s.part()
	n, d, velocities := s.Options.Particles, s.Options.Latent, momentum(s.Options)
	if s.CloudDir == "" {
		return particle.NewCloud(a, first, last-first, n, d, velocities, s.Seed), nil
	}
	ctx := cmp.Or(s.Ctx, context.Background())
	return particle.NewFileCloud(
		ctx, a, s.CloudDir, first, last-first, n, d, velocities, s.Seed)
}

// momentum reports whether particles have velocities.
func momentum(o config.Options) bool { return o.Dynamics.Velocities() }

// Err implements Method.
func (f *flow) Err() error { return f.cloud.Err() }

// Close implements Method.
func (f *flow) Close() error { return f.cloud.Close() }

// Err implements Method.
func (t *staged) Err() error { return t.first.Err() }

// Close implements Method.
func (t *staged) Close() error { return t.first.Close() }

// Err implements Method. There are no particles in a file.
func (v *variational) Err() error { return nil }

// Close implements Method.
func (v *variational) Close() error { return nil }
