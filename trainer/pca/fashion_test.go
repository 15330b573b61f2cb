package pca_test

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pca"
)

// The expected numbers are NumPy's (numpy.cov, numpy.linalg.eigh, and the eigenvalues of the
// product of both covariances for the root) for pixels u/127.5 - 1 in float64. Pixels in float32
// are off by up to 6e-8 each, which leaves some 1e-7 of these sums; 1e-5 is allowed.
func TestFashionAgainstNumPy(t *testing.T) {
	ds, err := data.Open(t.Context(), "fashion10k", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dim := ds.Shape().Dim()
	p, err := pca.Fit(t.Context(), ds, dim, 64, pca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.FractionOfVariance(), 0.8817937721851836; math.Abs(got-want) > 1e-5 {
		t.Errorf("fraction of variance %v, expected %v", got, want)
	}
	first := data.Subset(ds, data.Range(0, 2000))
	got, err := p.Distance(t.Context(), first, nil)
	if want := 0.6288122619; err != nil || math.Abs(got-want) > 1e-5 {
		t.Errorf("the first %d images are %v from all (%v), expected %v", first.Len(), got, err,
			want)
	}
}
