package query

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/infer"
)

// What is filled in by columns is the mean over more draws than that of pictures: with another seed
// it is less than 0.75 times as far off as after the usual moves, whose 400 at a fourth of the step
// size are worth less than half as many.
func TestImputesColumnsLonger(t *testing.T) {
	m := small(t, config.IPLD, 2, 0, func(c *config.Config) { c.Likelihood = "normal:9" })
	const few = 24
	r := Rows{Images: table(few), Missing: &data.Missing{D: dim, At: make([]bool, few*dim)}}
	for at := range r.Missing.At {
		r.Missing.At[at] = at%3 != 0
	}
	means := func(seed uint64, s *infer.Settling) (mean []float32) {
		o := Options{Seed: seed, Settling: s}
		_, err := m.Impute(t.Context(), r, o, func(a Imputations) error {
			mean = append(mean, a.Mean...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return mean
	}
	apart := func(s *infer.Settling) (square float64) {
		a, b := means(1, s), means(2, s)
		for i := range a {
			square += math.Pow(float64(a[i])-float64(b[i]), 2)
		}
		return math.Sqrt(square)
	}
	usual := infer.Patient()
	if long, short := apart(nil), apart(&usual); long > 0.75*short {
		t.Errorf("two seeds are %.3g apart, and %.3g after the usual moves", long, short)
	}
}
