package evaluate

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
)

// Errors are means over the values that are known, and rows of which none is have none. The decoder
// has zero parameters, so that its images are zero.
func TestErrorsOfKnownValues(t *testing.T) {
	p := pool.New(1)
	t.Cleanup(p.Close)
	decoder := model.NewMLP(nil, 1, 2)
	g := generate.New(nil, generate.Model{
		Decoder: decoder, DecoderP: make([]float32, decoder.Layout().Size()),
		Prior: prior.Gaussian{Latent: 1},
	}, 1, p)
	e := &evaluation{subject: &subject{generator: g}}
	rows := data.Table{
		D: 2, X: []float32{1, 7, 7, 7, 3, 4},
		Missing: []bool{false, true, true, true, false, false},
	}
	if got := e.squareErrors(rows, make([]float32, 3)); !slices.Equal(got, []float64{1, 12.5}) {
		t.Errorf("errors %v, expected 1 and 12.5", got)
	}
}
