package infer

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/prior"
)

// Moves and images are counted, and both stop when the context ends, within an image too.
func TestProgressAndEnd(t *testing.T) {
	m := newLinearModel()
	post := m.inferred(t, prior.Gaussian{Latent: inferLatent}, 4, 2)
	var said []string
	post.setup.Progress = func(at string) { said = append(said, at) }
	run(t, post, Moves{Burn: 2, Keep: 3, Cov: true})
	for _, want := range []string{
		"rows 1 to 15 of 40, move 0 of 5", "rows 31 to 40 of 40, move 4 of 5",
	} {
		if !slices.Contains(said, want) {
			t.Errorf("%q is not among %q", want, said)
		}
	}
	joint := NewJoint(m.trained(prior.Gaussian{Latent: inferLatent}), 8, post.setup.Pool)
	ctx, cancel := context.WithCancel(t.Context())
	post.setup.Progress = func(at string) {
		said = append(said, at)
		if at == "3 of 40 rows" {
			cancel()
		}
	}
	_, err := post.Marginals(ctx, joint, 100, 9)
	if last := said[len(said)-1]; !errors.Is(err, context.Canceled) || last != "3 of 40 rows" {
		t.Errorf("ended in image 3: %v after %q", err, last)
	}
	dst := make([]float64, 5)
	x, z := make([]float32, inferDim), make([]float32, 5*inferLatent)
	if err := joint.Log(ctx, dst, Image{X: x}, z); err == nil || slices.Max(dst) != 0 {
		t.Errorf("densities %v after the end, %v", dst, err)
	}
	post.setup.Progress = func(at string) { t.Error("moves after the end: " + at) }
	if err := post.Run(ctx, Moves{Keep: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("moves after the end: %v", err)
	}
}
