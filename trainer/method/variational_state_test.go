package method

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

// Encode runs the encoder on each image, and the latents are the means.
func TestEncode(t *testing.T) {
	v := newVariational(t, "vae+diffusion", smallEncoder(), 5)
	g := v.Generator(false)
	const n = 69 // more than a tile
	x := reference.Normals(n*testDim, 9, 1)
	d := v.setup.Options.Latent
	mean, logvar := make([]float32, n*d), make([]float32, n*d)
	g.Encode(mean, logvar, x, nil)
	p := params(v.setup.Encoder.Layout(), reference.Wide(v.encoder.p))
	decoder := params(v.setup.Decoder.Layout(), reference.Wide(v.decoder.p))
	var wantMean, wantLogvar []float64
	for i := range n {
		m, l := reference.Encoder(p, 2, reference.Wide(x[i*testDim:(i+1)*testDim]))
		wantMean, wantLogvar = append(wantMean, m...), append(wantLogvar, l...)
	}
	near(t, "means", mean, wantMean, gradTolerance)
	near(t, "log-variances", logvar, wantLogvar, gradTolerance)

	idx := []int{7, 2}
	got := make([]float32, len(idx)*testDim)
	reconstruct(v, g, got, idx)
	var want []float64
	for _, i := range idx {
		m, _ := reference.Encoder(p, 2,
			reference.Wide(v.setup.Train.(table).X[i*testDim:(i+1)*testDim]))
		want = append(want, reference.MLP(decoder, 3, m)...)
	}
	near(t, "reconstructions", got, want, gradTolerance)

	flow := startMethod(t, "pgd", smallEncoder(), 5, 1, 4).Generator(false)
	defer func() {
		if flow.Encodes() || recover() == nil {
			t.Error("a method without an encoder encodes")
		}
	}()
	flow.Encode(mean, logvar, x, nil)
}

// Diagnose measures latents drawn from q: here exactly N(mean, std), whatever the image, and N(0,
// 1).
func TestVariationalDiagnose(t *testing.T) {
	o := smallEncoder()
	o.EncoderWidths, o.Particles = nil, 400
	v := startMethod(t, "vae", o, 4, 2, 64).(*variational)
	clear(v.encoder.p)
	bias := v.setup.Encoder.Layout().View(v.encoder.p, "layer0.bias")
	bias[0], bias[3] = 2, -3 // mean 2, variance exp(-3) to 1 %
	before := stateOf(v)
	d := v.Diagnose(0.3)
	// 3,600 draws: standard errors of 1.2 % of a standard deviation, and 3 % of a mean square.
	if d.Cloud.StdMin < 0.21 || d.Cloud.StdMin > 0.24 || d.Cloud.StdMax < 0.95 ||
		d.Cloud.StdMax > 1.06 ||
		d.Cloud.MeanSquare < 1.9 || d.Cloud.MeanSquare > 2.12 || d.LR != o.LR ||
		!math.IsNaN(d.StepSize) || !math.IsNaN(d.ExtraTemperature) {
		t.Errorf("diagnosed %+v, expected std 0.22 to 1, mean square (4.05 + 2)/3", d)
	}
	if name := before.diff(stateOf(v)); name != "" {
		t.Errorf("diagnosing changes %s", name)
	}
}
