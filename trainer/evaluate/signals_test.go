package evaluate

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/metric"
	"github.com/plume-ml/plume/trainer/npy"
)

// damped is n damped oscillations of t samples in units of their own, which begin at random and
// have random pitches, decays and heights.
func damped(n, t int) []float32 {
	x, u := make([]float32, n*t), make([]float32, 4*n)
	kernel.Uniform(u, kernel.Key{Seed: 5}, 0)
	for i := range n {
		start, pitch := 0.3*float64(t)*float64(u[4*i]), 0.25+0.5*float64(u[4*i+1])
		decay, height := 8+20*float64(u[4*i+2]), 100+200*float64(u[4*i+3])
		for j := range t {
			if s := float64(j) - start; s > 0 {
				x[i*t+j] = float32(height * math.Sin(pitch*s) * math.Exp(-s/decay))
			}
		}
	}
	return x
}

// trainSignals trains convolutions on damped oscillations.
func trainSignals(t *testing.T) (dir string) {
	t.Helper()
	const n, samples = 600, 64
	path := filepath.Join(t.TempDir(), "damped.npy")
	if err := npy.WriteFile(path, damped(n, samples), n, samples); err != nil {
		t.Fatal(err)
	}
	c := method.Default()
	for key, value := range map[string]string{
		"data": path, "as": "signals", "sample_rate": "500", "epochs": "25", "batch": "60",
		"latent_shape": "1,8,4", "decoder_channels": "24,24,24,16", "unet_channels": "24",
		"score_width": "24", "threads": "2", "eval_samples": "0", "solver": "ddim",
		"solver_steps": "20",
	} {
		if err := c.Key(key).Set(value); err != nil {
			t.Fatal(err)
		}
	}
	dir = t.TempDir()
	run, err := trainer.New(context.Background(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(run.Run(t.Context()), run.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A run on signals learns their spectrum: samples are much nearer to held-out signals than white
// noise of their variance is. The range that was found is stored with the run, and the pictures are
// curves and spectra.
func TestSignals(t *testing.T) {
	dir := trainSignals(t)
	o := few
	o.Which, o.Samples, o.Steps = []string{Spectrum, Reconstruction, Table}, 200, 20
	o.Pictures = t.TempDir()
	r := mustRun(t, dir, o)
	e, err := open(t.Context(), dir, o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	if e.config.As != data.Signals || e.config.Decoder != config.Conv || e.config.Range == "" {
		t.Errorf("as %s, decoder %s, range %q", e.config.As, e.config.Decoder, e.config.Range)
	}
	shape, dim := e.own.Held.Shape(), e.own.Held.Shape().Dim()
	noise := data.Table{D: dim, X: make([]float32, o.Samples*dim)}
	kernel.Normal(noise.X, kernel.Key{Seed: 8}, 0)
	kernel.Scale(noise.X, 0.5) // the deviation that signals are brought to
	ofNoise, err := metric.NewSpectrum(t.Context(), noise, shape)
	if err != nil {
		t.Fatal(err)
	}
	real, err := metric.NewSpectrum(t.Context(), e.own.Held, shape)
	if err != nil {
		t.Fatal(err)
	}
	for key, worst := range map[string]float64{
		"log_spectral_distance":    metric.LogSpectralDistance(ofNoise, real),
		"autocorrelation_distance": metric.AutocorrelationDistance(ofNoise, real),
	} {
		m := value(t, r, key)
		t.Logf("%s: %.3g, of real signals %.3g, of noise %.3g", key, m.Value, m.Floor, worst)
		if float64(m.Value) > worst/2 || m.Floor > m.Value {
			t.Errorf("%s: %v, of real signals %v, of noise %v", key, m.Value, m.Floor, worst)
		}
	}
	for _, name := range []string{samplesFile, spectrumFile, reconFile} {
		if _, err := os.Stat(filepath.Join(o.Pictures, name)); err != nil {
			t.Error(err)
		}
	}
	notes := strings.Join(r.Notes, "; ")
	if !strings.Contains(notes, "the run was trained on signals, and not on") {
		t.Errorf("notes %q", r.Notes)
	}
}
