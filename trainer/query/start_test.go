package query_test

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/infer"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/query"
)

// New rows start as those of the training did: at the components with cloud_init = pca, from where
// the energy falls less than from N(0, I), and at N(0, I) otherwise.
func TestStartAsTrained(t *testing.T) {
	for _, start := range config.Starts {
		m := trained(t, start)
		energy := map[query.Start]float64{}
		draws := map[query.Start][]float32{}
		starts := []query.Start{query.StartAuto, query.StartNormal}
		if start == config.FromComponents {
			starts = append(starts, query.StartComponents)
		}
		for _, from := range starts {
			o := query.Options{Particles: 8, Seed: 3, Start: from, Settling: &infer.Settling{
				Window: 2, Descend: 4, Keep: 1, KeepMost: 1,
			}}
			r := query.Rows{Images: near(50, 7)}
			_, err := m.Latents(t.Context(), r, o, func(l query.Latents) error {
				draws[from] = append(draws[from], l.Draws...)
				for _, e := range l.Energy {
					energy[from] += e / 50
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		want := query.StartNormal
		if start == config.FromComponents {
			want = query.StartComponents
			if energy[query.StartComponents] > energy[query.StartNormal]-1 {
				t.Errorf("energies after a few moves: %v", energy)
			}
		} else if _, err := m.Latents(t.Context(), query.Rows{Images: near(5, 7)},
			query.Options{Start: query.StartComponents}, nil); err == nil {
			t.Error("a model from N(0, I) starts at components")
		}
		if !slices.Equal(draws[query.StartAuto], draws[want]) {
			t.Errorf("cloud_init = %s: rows do not start at %s", start, want)
		}
	}
}

// near returns rows of 6 numbers near a plane.
func near(n int, seed uint64) data.Table {
	at, noise := reference.Normals(2*n, seed, 0.5), reference.Normals(6*n, seed+1, 0.05)
	for i := range noise {
		a, b := at[i/6*2], at[i/6*2+1]
		noise[i] += a*float32(i%6)/5 + b*float32(5-i%6)/5
	}
	return data.Table{D: 6, X: noise}
}

// trained returns a model of such rows.
func trained(t *testing.T, start config.Start) *query.Model {
	t.Helper()
	c := method.Default()
	c.Epochs, c.Batch, c.Latent, c.CloudInit, c.ObsNoise = 100, 50, 2, start, 0.1
	c.DecoderWidths, c.ScoreWidth, c.ScoreBlocks = []int{16}, 16, 1
	m, err := trainer.Train(t.Context(), c, near(200, 5))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	asked, err := m.Query()
	if err != nil {
		t.Fatal(err)
	}
	return asked
}
