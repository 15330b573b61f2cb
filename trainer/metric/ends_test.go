package metric

import (
	"context"
	"errors"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// Long computations return ctx's error once ctx has ended, and no partial result.
func TestMetricsEnd(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	ended, end := context.WithCancel(t.Context())
	end()
	a, b := standard(700, 5, 1), standard(600, 5, 2)
	bs := DefaultBootstrap(1)
	for name, f := range map[string]func() (any, error){
		"FD":          func() (any, error) { return Frechet(ended, a, b) },
		"FD interval": func() (any, error) { return FrechetInterval(ended, a, b, bs, p) },
		"KID":         func() (any, error) { return KID(ended, a, b, DefaultKID(1), p) },
		"RBF": func() (any, error) {
			r, _, err := RBFMMD(ended, a, b, 0.95, 1, p)
			return r, err
		},
		"sliced": func() (any, error) { return SlicedWasserstein(ended, a, b, 40, 1, p) },
		"sliced interval": func() (any, error) {
			return SlicedWassersteinInterval(ended, a, b, 40, bs, p)
		},
		"precision": func() (any, error) { return PrecisionRecall(ended, a, b, 3, bs, p) },
		"nearest":   func() (any, error) { return Nearest(ended, a, b, p) },
		"values": func() (any, error) {
			return Values(ended, array{reference.Uniform(20, 1), 2}, 2, true)
		},
	} {
		if _, err := f(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Tasks that have not begun when ctx ends are skipped.
func TestRunUntil(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	done := 0
	err := runUntil(ctx, nil, 10, func(i int) {
		if done++; i == 3 {
			end()
		}
	})
	if !errors.Is(err, context.Canceled) || done != 4 {
		t.Errorf("%d of 10 tasks, ended in the 4th; %v", done, err)
	}
	end()
}
