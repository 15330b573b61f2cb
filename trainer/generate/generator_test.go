package generate

import (
	"slices"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

const testLatent, testDim = 3, 5

// random is a small model with random parameters.
func random() Model {
	m := Model{
		Decoder: model.NewMLP(nil, testLatent, 7, 6, testDim),
		Prior: &prior.Diffusion{
			Bound: diffusion.Bound{Process: diffusion.Process{Min: -6, Max: 5}, Draws: 1},
			Score: model.NewResidualScore(nil, testLatent, 6, 2, 4),
		},
	}
	m.DecoderP = reference.Normals(m.Decoder.Layout().Size(), 20, 0.4)
	m.PriorP = reference.Normals(m.Prior.Layout().Size(), 21, 0.4)
	return m
}

// Images are those of Decode: the same bits if whole tiles are read in order, and up to the order
// of sums in a product if rows have other neighbours.
func TestImages(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	g := New(nil, random(), p.Workers(), p)
	const n = 2*tileRows + 9
	z := reference.Normals(n*testLatent, 5, 1)
	all := make([]float32, n*testDim)
	g.Decode(all, z, nil)
	images := g.Images(z, nil)
	if images.Len() != n {
		t.Errorf("%d images of %d latents", images.Len(), n)
	}
	var got []float32
	for lo := 0; lo < n; lo += tileRows {
		idx := []int{}
		for i := lo; i < min(n, lo+tileRows); i++ {
			idx = append(idx, i)
		}
		block := make([]float32, len(idx)*testDim)
		images.Gather(block, idx)
		got = append(got, block...)
	}
	if !slices.Equal(got, all) {
		t.Error("tile by tile, the images are not those of all latents at once")
	}

	idx := []int{n - 1, 0, 70, 70}
	scattered, want := make([]float32, len(idx)*testDim), []float32(nil)
	images.Gather(scattered, idx)
	for _, i := range idx {
		want = append(want, all[i*testDim:(i+1)*testDim]...)
	}
	// Rows have other neighbours in the products, hence the rounding of sums of some dozen terms,
	// sixteen times 2^-24.
	if d := reference.Distance(scattered, reference.Wide(want)); !(d <= 1e-6) {
		t.Errorf("scattered images are %.2g away from those of all latents", d)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for a dst that is too short")
		}
	}()
	images.Gather(scattered[1:], idx)
}

// Sampling does not depend on the number of workers, nor on how many of them have memory for a
// tile of their own.
func TestGeneratorWorkers(t *testing.T) {
	const n = 5*tileRows + 3
	var want []float32
	for _, workers := range []int{1, 2, 3, 8} {
		p := pool.New(workers)
		defer p.Close()
		g := New(nil, random(), p.Workers(), p)
		if g.decoding.Passes != workers || g.sampling.Passes != workers {
			t.Errorf("%d workers: memory for %d and %d tiles", workers, g.decoding.Passes,
				g.sampling.Passes)
		}
		got := make([]float32, n*testDim)
		if err := g.Sample(t.Context(), got, n, Spec{
			Solver: "ancestral", Steps: 3, Seed: 7,
		}); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d workers: other samples", workers)
		}
		for _, tape := range []taker{g.decoder, g.sampler.(taker)} {
			allFree(t, tape, workers)
		}
	}
}

type taker interface{ Take(lo, hi int) *model.Pass }

// allFree takes as many passes as there are, which would not end if one were still under way.
func allFree(t *testing.T, tape taker, passes int) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		for range passes {
			tape.Take(0, 1)
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Errorf("not all of %d passes are free afterwards", passes)
	}
}

func TestGeneratorTiles(t *testing.T) {
	for _, c := range []struct{ workers, dim, want int }{
		{1, 1, 1}, {64, 784, 64}, {2, tileNumbers / tileRows, 1},
		{8, tileNumbers / tileRows / 3, 3}, {8, 1 << 24, 1},
	} {
		if got := Tiles(c.workers, c.dim); got != c.want {
			t.Errorf("%d workers, images of %d numbers: %d tiles, expected %d",
				c.workers, c.dim, got, c.want)
		}
	}
}

// A model whose prior has other parameters, and an encoder that is not there, are programming
// errors.
func TestPanics(t *testing.T) {
	p := pool.New(1)
	defer p.Close()
	panics := func(what string, do func()) {
		defer func() {
			if recover() == nil {
				t.Errorf("%s does not panic", what)
			}
		}()
		do()
	}
	short := random()
	short.PriorP = short.PriorP[1:]
	panics("a prior with a parameter too few", func() { New(nil, short, 1, p) })
	g := New(nil, random(), p.Workers(), p)
	if g.Encodes() {
		t.Error("it has an encoder")
	}
	panics("encoding without an encoder", func() { g.Encode(nil, nil, nil, nil) })
}
