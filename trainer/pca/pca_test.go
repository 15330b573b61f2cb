package pca

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// imagesOf returns images that are not yet centred.
func imagesOf(t *testing.T, a array, o Options) *images {
	x := newImages(nil, a.Len(), a.dim, o.Pool)
	x.ctx, x.rows, x.onPass = t.Context(), a, o.Pass
	return x
}

// All ways find the components of a full decomposition, for steep and flat spectra, and for more
// and fewer images than values.
func TestPCAAgainstDecomposition(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	for name, a := range map[string]array{
		"steep, many images": rolling(700, 300, 1), "steep, few images": rolling(200, 330, 2),
		"flat, many images": {reference.Uniform(700*280, 3), 280}, "flat, few " +
			"images": {reference.Uniform(150*280, 4), 280},
	} {
		for way := range ways {
			t.Run(name+"/"+way, func(t *testing.T) {
				found := fitBy(t, way, a, 40, Options{Pool: p})
				if found.K() != 40 {
					t.Fatalf("%d components", found.K())
				}
				wantComponents(t, found, a, refinedResidual)
			})
		}
	}
}

// The spectrum has clusters of equal variances, one larger than a block of vectors, the last cut by
// k. The variances are found, and the components of each cluster span its space.
func TestPCAOfClusters(t *testing.T) {
	const dim, first, second, k = 320, 20, 150, 40
	std := make([]float64, dim)
	for i := range std {
		switch {
		case i < first:
			std[i] = 0.3
		case i < first+second:
			std[i] = 0.2
		default:
			std[i] = 0.02
		}
	}
	q := reference.Rotation(dim, 5)
	a := cross(q, make([]float64, dim), std)
	for way := range ways {
		t.Run(way, func(t *testing.T) {
			p := fitBy(t, way, a, k, Options{})
			for i, v := range p.variances {
				wantClose(t, "variance", v, std[i]*std[i], rounding)
			}
			wantOrthonormal(t, p)
			for _, c := range []struct{ from, to, axes int }{{0, first, first},
				{first, k, first + second}} {
				// the part of the component in the space of its cluster and of those before
				var inside mat.Dense
				inside.Mul(q.Slice(0, dim, 0, c.axes).T(), p.components.Slice(0, dim, c.from, c.to))
				wantClose(
					t,
					"share within the cluster",
					math.Pow(mat.Norm(&inside, 2), 2),
					float64(c.to-c.from),
					1e-6,
				)
			}
		})
	}
}

// Components beyond the rank of the data have no variance but are orthonormal.
func TestPCAOfLowRank(t *testing.T) {
	const dim, rank, k = 300, 7, 30
	axes := rolling(rank, dim, 1)
	few := rolling(600, rank, 2)
	low := array{make([]float32, 600*dim), dim}
	for i := range low.rows {
		for c := range rank {
			low.rows[i] += 0.05 * few.rows[i/dim*rank+c] * axes.rows[c*dim+i%dim]
		}
	}
	equal := array{nil, dim} // three different images, many times
	for i := range 100 {
		equal.rows = append(equal.rows, axes.rows[i%3*dim:(i%3+1)*dim]...)
	}
	oneHot := array{make([]float32, 120*dim), dim} // exact in float32: nothing is left to rounding
	for i := range 120 {
		oneHot.rows[i*dim+i%4] = 1
	}
	for name, c := range map[string]struct {
		array
		rank int
	}{"mixtures": {low, rank}, "three images": {equal, 2}, "four images": {oneHot, 3}} {
		for way := range ways {
			t.Run(name+"/"+way, func(t *testing.T) {
				p := fitBy(t, way, c.array, k, Options{})
				wantComponents(t, p, c.array, refinedResidual)
				if v := p.variances[c.rank] / p.variances[0]; v > 1e-10 {
					t.Errorf("variance %d is %.2g of the first", c.rank, v)
				}
				wantClose(t, "FD to itself", mustDistance(t, p, c.array), 0, 1e-6*p.total)
			})
		}
	}
}

// Constant columns and images of any magnitude are handled.
func TestPCAOfUnevenColumns(t *testing.T) {
	for _, scale := range []float32{1, 1e-15, 1e15} {
		a := rolling(500, 290, 3)
		for i := range a.rows {
			if a.rows[i] *= scale; i%290%3 == 0 {
				a.rows[i] = scale / 2
			}
		}
		for way := range ways {
			p := fitBy(t, way, a, 20, Options{})
			wantComponents(t, p, a, refinedResidual)
			for c := range p.K() {
				for j := 0; j < 290; j += 3 {
					wantClose(t, "entry of a constant column", p.components.At(j, c), 0, rounding)
				}
			}
		}
	}
}
