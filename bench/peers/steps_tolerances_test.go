package main

import (
	"strings"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
)

func TestWays(t *testing.T) {
	for w, want := range map[way]struct {
		precision blas.Precision
		byHand    bool
	}{
		"float32": {blas.Float32, false}, "bf16": {blas.BF16, false},
		"bf16-pairs": {blas.BF16, false}, "compile-last": {blas.Float32, false},
		"by-hand-x2": {blas.Float32, true}, "bf16-by-hand-x2": {blas.BF16, true},
	} {
		if w.precision() != want.precision || w.byHand() != want.byHand {
			t.Errorf("%s: %s, by hand %v, want %v", w, w.precision(), w.byHand(), want)
		}
	}
	for _, backend := range []string{"native", "openblas"} {
		want := map[string]int{"native": 3, "openblas": 1}[backend]
		if list := plumeWays(backend, precisions); len(list) != want {
			t.Errorf("%s has the ways %v, want %d", backend, list, want)
		}
	}
	if list := plumeWays("native", []blas.Precision{blas.BF16}); len(list) != 2 {
		t.Errorf("native has %v in bf16, want two", list)
	}
}

// TestMissingTerms: what plume computes in bf16 is within the tolerances of bf16, as that of other
// sides must be, and is not if one of the step's terms is another. Terms that change less than the
// rounding, like an anchor, show in float32 alone; the scripts have one code for both.
func TestMissingTerms(t *testing.T) {
	t.Run("mlp", func(t *testing.T) {
		w, digits, dir := tiny(t, 0)
		o := &w.config.Options
		o.Latent, o.DecoderWidths, o.ScoreWidth, o.ScoreBlocks = 16, []int{64, 128}, 64, 3
		o.ScoreFeatures, w.config.Batch, w.clip = 16, 64, 0.03
		missTerms(t, w, digits, dir)
	})
	t.Run("conv", func(t *testing.T) {
		w, digits, dir := tinyConvolutions(t)
		o := &w.config.Options
		o.DecoderChannels, o.UNetChannels, o.ScoreWidth = []int{16, 16}, []int{16, 32}, 32
		o.ScoreFeatures, w.config.Batch = 16, 32
		missTerms(t, w, digits, dir)
	})
}

func missTerms(t *testing.T, w work, images data.Dataset, dir string) {
	r, err := w.record(dir, images)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range plumeWays("native", precisions) {
		if err := r.checkPlume(in, images); err != nil {
			t.Error(err)
		}
		for name, change := range map[string]func(c *config.Config){
			"prior_weight": func(c *config.Config) { c.PriorWeight = diffusion.ELBO },
			"prior_drift":  func(c *config.Config) { c.PriorDrift = diffusion.ScoreDrift },
			"friction":     func(c *config.Config) { c.Friction *= 1.3 },
			"step_size":    func(c *config.Config) { c.StepSize *= 1.1 },
			"score_lr":     func(c *config.Config) { c.ScoreLR *= 2 },
			"obs_noise":    func(c *config.Config) { c.ObsNoise *= 1.1 },
		} {
			bad := *r
			change(&bad.config)
			err := bad.checkPlume(in, images)
			if err == nil || !strings.Contains(err.Error(), "deviat") {
				t.Errorf("%s, %s: error %v", in, name, err)
			}
		}
	}
}
