package pca

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
)

// array is data.Rows in memory.
type array struct {
	rows []float32
	dim  int
}

func (a array) Len() int { return len(a.rows) / a.dim }

func (a array) Gather(dst []float32, idx []int) {
	for i, r := range idx {
		copy(dst[i*a.dim:(i+1)*a.dim], a.rows[r*a.dim:])
	}
}

func skewed(n, dim int, seed uint64) array { return array{reference.Skewed(n, dim, seed), dim} }

// cross returns 2D points mean +- r_i q_i, q_i the columns of q, whose mean is mean and whose
// covariance (over 2D - 1) has the eigenvectors q_i and the standard deviations std exactly.
func cross(q *mat.Dense, mean, std []float64) array {
	dim := len(mean)
	var rows []float32
	for i, s := range std {
		r := s * math.Sqrt(float64(2*dim-1)/2)
		for _, side := range []float64{r, -r} {
			for j := range dim {
				rows = append(rows, float32(mean[j]+side*q.At(j, i)))
			}
		}
	}
	return array{rows, dim}
}

func mustFit(t *testing.T, rows data.Rows, dim, k int) *PCA {
	t.Helper()
	p, err := Fit(t.Context(), rows, dim, k, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustDistance(t *testing.T, p *PCA, a array) float64 {
	t.Helper()
	d, err := p.Distance(t.Context(), a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wantClose(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %v, expected %v within %g", what, got, want, tol)
	}
}

// float32 rows of size 1 are off by 6e-8; sums over a few of them stay below this.
const rounding = 1e-6

func compareAbs(a, b float64) int {
	if math.Abs(a) < math.Abs(b) {
		return -1
	}
	return 1
}

// wantError checks that an error names everything a user needs.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}

// ways are all ways to find the components. Each works for every set with some hundred values or
// more.
var ways = map[string]func(x *images, k int) way{
	"covariance": func(x *images, k int) way { return newCovariance(nil, x, k) },
	"gram":       func(x *images, k int) way { return newGram(nil, x, k) },
	"krylov":     func(x *images, k int) way { return newKrylov(nil, x, k) },
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

// rolling returns n rows of correlated numbers, whose variances fall as steeply as those of
// pictures.
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

// wantComponents compares p with a full decomposition of the covariance of its images in float64:
// the variances to 1e-6 of themselves or 1e-8 of the largest. The components must be orthonormal to
// 1e-10, and eigenvectors to the given residual, as defined by PCA.Residual.
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
		t.Errorf("the residual is reported as %.2g", p.Residual())
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
