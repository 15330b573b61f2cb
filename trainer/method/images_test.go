package method

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

// Images are those that Decode makes: the same bits where whole tiles are asked for in order,
// and up to the order of sums in a product where rows have other neighbours.
func TestImages(t *testing.T) {
	f := newFlow(t, "ipld", small(), testPoints)
	g := f.Generator(false)
	const n = 2*generatorTile + 9
	z := normals(n*f.setup.Options.Latent, 5, 1)
	all := make([]float32, n*testDim)
	g.Decode(all, z)
	images := g.Images(z)
	if images.Len() != n {
		t.Errorf("%d images of %d latents", images.Len(), n)
	}
	var got []float32
	for lo := 0; lo < n; lo += generatorTile {
		idx := []int{}
		for i := lo; i < min(n, lo+generatorTile); i++ {
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
	// Other rows share the products' tiles: the rounding of sums of some dozen terms, sixteen of 2^-24.
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
	const n = 5*generatorTile + 3
	var want []float32
	for _, workers := range []int{1, 2, 3, 8} {
		f := startFlow(t, "ipld", small(), testPoints, workers)
		for i, x := range []*network{f.decoder, f.prior} {
			copy(x.p, normals(len(x.p), uint64(20+i), 0.4))
		}
		g := f.Generator(false)
		if len(g.free) != workers {
			t.Errorf("%d workers: memory for %d tiles", workers, len(g.free))
		}
		got := make([]float32, n*testDim)
		if err := g.Sample(t.Context(), got, n, "ancestral", 3, 7); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d workers: other samples", workers)
		}
		if len(g.free) != cap(g.free) {
			t.Errorf("%d workers: %d of %d tiles came back", workers, len(g.free), cap(g.free))
		}
	}
}

func TestGeneratorTiles(t *testing.T) {
	for _, c := range []struct{ workers, dim, want int }{
		{1, 1, 1}, {64, 784, 64}, {2, generatorNumbers / generatorTile, 1}, {8, generatorNumbers / generatorTile / 3, 3}, {8, 1 << 24, 1},
	} {
		if got := generatorTiles(c.workers, c.dim); got != c.want {
			t.Errorf("%d workers, images of %d numbers: %d tiles, expected %d", c.workers, c.dim, got, c.want)
		}
	}
}
