package pca

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/pool"
)

// ways are all ways to the components; each takes all sets of at least some hundred values.
var ways = map[string]func(x *images, k int) way{
	"covariance": func(x *images, k int) way { return newCovariance(nil, x, k) },
	"gram":       func(x *images, k int) way { return newGram(nil, x, k) },
	"krylov":     func(x *images, k int) way { return newKrylov(nil, x, k) },
}

// imagesOf are images ready to be centred.
func imagesOf(t *testing.T, a array, o Options) *images {
	x := newImages(nil, a.Len(), a.dim, o.Pool)
	x.ctx, x.rows, x.tell = t.Context(), a, o.Pass
	return x
}

func fitBy(t *testing.T, way string, a array, k int, o Options) *PCA {
	t.Helper()
	x := imagesOf(t, a, o)
	if err := x.center(); err != nil {
		t.Fatal(err)
	}
	p, err := ways[way](x, k).find()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rolling is n rows of correlated numbers: their variances fall as steeply as those of pictures.
func rolling(n, dim int, seed uint64) array {
	rows := make([]float32, n*dim)
	kernel.Normal(rows, kernel.Key{Seed: seed}, 0)
	for i := range n {
		row := rows[i*dim : (i+1)*dim]
		for j := 1; j < dim; j++ {
			row[j] = 0.9*row[j-1] + 0.1*row[j]
		}
	}
	return array{rows, dim}
}

// wantComponents checks p against the covariance of its images in float64, decomposed as a whole:
// the variances to 1e-6 of themselves or 1e-8 of the largest, that the components are orthonormal
// to 1e-10, and that each is an eigenvector to residual, by the definition of PCA.Residual.
func wantComponents(t *testing.T, p *PCA, a array, residual float64) {
	t.Helper()
	_, cov := reference.Moments(a.rows, a.dim)
	sym := mat.NewSymDense(a.dim, nil)
	for i := range a.dim {
		for j := range i + 1 {
			sym.SetSym(i, j, cov.At(i, j))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(sym, false) {
		t.Fatal("the reference did not converge")
	}
	want := eigen.Values(nil)
	slices.Reverse(want)
	for i, v := range p.variances {
		wantClose(t, "variance", v, want[i], 1e-6*want[i]+1e-8*want[0])
	}
	wantClose(t, "total variance", p.total, mat.Trace(cov), 1e-12*p.total)
	wantOrthonormal(t, p)
	var image mat.Dense
	image.Mul(cov, p.components)
	for c, v := range p.variances {
		square := 0.0
		for i := range a.dim {
			square += math.Pow(image.At(i, c)-v*p.components.At(i, c), 2)
		}
		if r := math.Sqrt(square) / max(v, want[0]/100); !(r <= residual) {
			t.Errorf("component %d has the residual %.2g, expected at most %.2g", c, r, residual)
		}
		if sign(mat.Col(nil, c, p.components)) < 0 {
			t.Errorf("the largest entry of component %d is negative", c)
		}
	}
	if !p.Converged() || p.Residual() > residual {
		t.Errorf("said to have the residual %.2g", p.Residual())
	}
}

func wantOrthonormal(t *testing.T, p *PCA) {
	t.Helper()
	var gram mat.Dense
	gram.Mul(p.components.T(), p.components)
	if off := offIdentity(&gram); !(off <= 1e-10) {
		t.Errorf("components are orthonormal to %.2g", off)
	}
}

// All ways find what a full decomposition finds: steep and flat spectra, more and fewer images than
// values.
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

// Clusters of equal variances, one of them larger than a block of vectors, the last cut by k: the
// variances are those of the spectrum, and components of a cluster span its space.
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
				// the components' parts in the space of their cluster and those before
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

// Data of low rank have components beyond it: of no variance, but orthonormal.
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

// Columns that never vary, and images of any magnitude.
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

// Fit takes each way where it is the shortest, and as many components as there are.
func TestWaysOfPCA(t *testing.T) {
	for _, c := range []struct{ m, dim, k, passes int }{
		{40, 5000, 39, 5},   // Gram: mean, variance, products, components, check
		{5, 400, 4, 5},      // fewer images than components
		{600, 100, 64, 3},   // covariance
		{2, 70000, 1, 5},    // one block of a few large images
		{140, 70000, 64, 5}, // several blocks
	} {
		a, passes := rolling(c.m, c.dim, 1), 0
		p, err := Fit(t.Context(), a, c.dim, 64, Options{Pass: func(n int) { passes = n }})
		if err != nil || p.K() != c.k || passes != c.passes || !p.Converged() {
			t.Errorf("%+v: %d components after %d passes, %v", c, p.K(), passes, err)
		}
		wantOrthonormal(t, p)
	}
}

// The same bits on any number of workers, and without any.
func TestPCAOnWorkers(t *testing.T) {
	a := rolling(700, 1500, 1)
	few := rolling(100, 1500, 2)
	small := rolling(700, 200, 3)
	for name, set := range map[string]array{"krylov": a, "gram": few, "covariance": small} {
		alone := mustFit(t, set, set.dim, 64)
		distance := mustDistance(t, alone, set)
		for _, workers := range []int{1, 2, 3, 8} {
			p := pool.New(workers)
			found, err := Fit(t.Context(), set, set.dim, 64, Options{Pool: p})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(found.variances, alone.variances) || !slices.Equal(found.mean,
				alone.mean) || found.total != alone.total ||
				found.residual != alone.residual ||
				!slices.Equal(found.components.RawMatrix().Data,
					alone.components.RawMatrix().Data) {
				t.Errorf("%s: %d workers find other bits", name, workers)
			}
			if got, err := found.Distance(t.Context(), set, p); err != nil || got != distance {
				t.Errorf("%s: FD %v with %d workers, %v without; %v", name, got, workers, distance,
					err)
			}
			p.Close()
		}
	}
}

// counted counts the images that are gathered.
type counted struct {
	array
	seen int
	each func()
}

func (c *counted) Gather(dst []float32, idx []int) {
	c.seen += len(idx)
	c.each()
	c.array.Gather(dst, idx)
}

// When ctx ends in a pass, there is no other.
func TestPCAEnds(t *testing.T) {
	for name, a := range map[string]array{"krylov": rolling(600, 1500, 1),
		"gram": rolling(100, 1500, 2), "covariance": rolling(600, 100, 3)} {
		for last := 1; last <= 3; last++ {
			ctx, end := context.WithCancel(t.Context())
			passes := 0
			_, err := Fit(ctx, a, a.dim, 64, Options{Pass: func(n int) {
				if passes = n; n == last {
					end()
				}
			}})
			if !errors.Is(err, context.Canceled) || passes != last {
				t.Errorf("%s, ended in pass %d: %d passes, %v", name, last, passes, err)
			}
			end()
		}
	}
	// four blocks, of which the first is read to its end
	long := &counted{array: rolling(4*blockRows, 50, 1)}
	ctx, stop := context.WithCancel(t.Context())
	long.each = stop
	if _, err := Fit(ctx, long, 50, 4, Options{}); !errors.Is(err, context.Canceled) ||
		long.seen != blockRows {
		t.Errorf("%d images were read after the end: %v", long.seen, err)
	}
	p := mustFit(t, rolling(600, 100, 1), 100, 64)
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := p.Distance(ended, rolling(600, 100, 1), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("distance: %v", err)
	}
}

// A search that is cut short says how good what it found is.
func TestPCACutShort(t *testing.T) {
	a := array{reference.Uniform(900*600, 1), 600}
	x := imagesOf(t, a, Options{})
	if err := x.center(); err != nil {
		t.Fatal(err)
	}
	x.most = 4
	p, err := newKrylov(nil, x, 20).find()
	if err != nil {
		t.Fatal(err)
	}
	wantOrthonormal(t, p)
	if p.Converged() || !(p.Residual() > 1e-3 && p.Residual() < 1) {
		t.Errorf("residual %.2g after 2 steps on a flat spectrum", p.Residual())
	}
	if whole := mustFit(t, a, a.dim, 20); !(p.FractionOfVariance() < whole.FractionOfVariance()) {
		t.Error("as good as the whole search")
	}
}

// Values that are not finite are found wherever they are, and named.
func TestPCANamesValues(t *testing.T) {
	for _, value := range []float64{math.NaN(), math.Inf(1)} {
		a := rolling(600, 300, 1)
		a.rows[550*300+7] = float32(value)
		_, err := Fit(t.Context(), a, 300, 64, Options{})
		wantError(t, err, "not finite", "image 550")
	}
	_, err := Fit(t.Context(), array{make([]float32, 3*5000), 5000}, 5000, 64, Options{})
	wantError(t, err, "3 equal images")
}
