package method

import (
	"cmp"
	"context"

	"github.com/plume-ml/plume/trainer/particle"
)

// newCloud makes the cloud of a flow, in memory or in a file.
func (s *Setup) newCloud() (*particle.Cloud, error) {
	m, o := s.Train.Len(), &s.Options
	momentum := o.Dynamics != "overdamped"
	if s.CloudDir == "" {
		return particle.NewCloud(m, o.Particles, o.Latent, momentum, s.Seed), nil
	}
	ctx := cmp.Or(s.Ctx, context.Background())
	return particle.NewFileCloud(ctx, s.CloudDir, m, o.Particles, o.Latent, momentum, s.Seed)
}

// Err implements Method.
func (f *Flow) Err() error { return f.cloud.Err() }

// Close implements Method.
func (f *Flow) Close() error { return f.cloud.Close() }

// Err implements Method.
func (t *Staged) Err() error { return t.first.Err() }

// Close implements Method.
func (t *Staged) Close() error { return t.first.Close() }

// Err implements Method: there are no particles that could lie in a file.
func (v *Variational) Err() error { return nil }

// Close implements Method.
func (v *Variational) Close() error { return nil }
