package metric_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/metric"
)

// signals are rows of t samples of c channels.
func signals(n, t, c int, f func(row, sample, channel int) float64) (data.Table, data.Shape) {
	x := make([]float32, n*t*c)
	for i := range x {
		x[i] = float32(f(i/(t*c), i/c%t, i%c))
	}
	return data.Table{D: t * c, X: x}, data.Shape{H: 1, W: t, C: c}
}

func spectrum(t *testing.T, rows data.Table, shape data.Shape) *metric.Spectrum {
	t.Helper()
	s, err := metric.NewSpectrum(t.Context(), rows, shape)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A sine has its power at its frequency, and its autocorrelation is a cosine. The level of a
// channel does not count.
func TestSpectrumOfSines(t *testing.T) {
	const n, samples, cycles = 100, 128, 8
	rows, shape := signals(n, samples, 2, func(row, i, channel int) float64 {
		phase := 2 * math.Pi * float64(row) / n
		return 5*float64(channel) + math.Sin(phase+2*math.Pi*cycles*float64(i)/samples)
	})
	s := spectrum(t, rows, shape)
	total := 0.0
	for _, p := range s.Power {
		total += p
	}
	if len(s.Power) != samples/2+1 || s.Power[cycles] < 0.6*total ||
		s.Power[cycles+3] > 1e-5*total {
		t.Errorf("%v of %v at 8 cycles, %v at 11", s.Power[cycles], total, s.Power[cycles+3])
	}
	for lag, r := range s.Autocorrelation {
		want := math.Cos(2 * math.Pi * cycles * float64(lag) / samples)
		if math.Abs(r-want) > 1e-6 {
			t.Fatalf("autocorrelation %v at lag %d, expected %v", r, lag, want)
		}
	}
}

// White noise of variance 4 has the power 4 at all frequencies and no autocorrelation: each entry
// is a mean over 40,000 rows, but for the few lowest and highest, of relative error 1/200.
func TestSpectrumOfNoise(t *testing.T) {
	const n, samples = 40_000, 16
	x := make([]float32, n*samples)
	kernel.Normal(x, kernel.Key{Seed: 1}, 0)
	kernel.Scale(x, 2)
	s := spectrum(t, data.Table{D: samples, X: x}, data.Shape{H: 1, W: samples, C: 1})
	for i, p := range s.Power {
		if math.Abs(p-4) > 0.16 {
			t.Errorf("power %v at %d, expected 4", p, i)
		}
	}
	for lag, r := range s.Autocorrelation[1:] {
		if math.Abs(r) > 0.02 {
			t.Errorf("autocorrelation %v at lag %d, expected 0", r, lag+1)
		}
	}
}

// Signals of ten times the amplitude are 20 dB away, with the same autocorrelation; what lies 60 dB
// below the reference hardly counts. Noise is far from a sine in both.
func TestSpectrumDistances(t *testing.T) {
	sine := func(amplitude, hiss float64) func(row, i, channel int) float64 {
		return func(row, i, _ int) float64 {
			return amplitude*math.Sin(float64(row)+0.3*float64(i)) +
				hiss*math.Sin(1e4*float64(row+1)*float64(i*i+7))
		}
	}
	of := func(amplitude, hiss float64) *metric.Spectrum {
		rows, shape := signals(200, 64, 1, sine(amplitude, hiss))
		return spectrum(t, rows, shape)
	}
	noisy := of(1, 0.1)
	if d := metric.LogSpectralDistance(of(10, 1), noisy); math.Abs(d-20) > 0.01 {
		t.Errorf("ten times the amplitude is %v dB away, expected 20", d)
	}
	if d := metric.AutocorrelationDistance(of(10, 1), noisy); d > 1e-6 {
		t.Errorf("ten times the amplitude has an autocorrelation %v away", d)
	}
	if d := metric.LogSpectralDistance(of(1, 1e-5), of(1, 0)); d > 0.1 {
		t.Errorf("what is inaudible is %v dB away", d)
	}
	if d := metric.LogSpectralDistance(of(0, 1), noisy); d < 5 {
		t.Errorf("noise is %v dB away", d)
	}
	if d := metric.AutocorrelationDistance(of(0, 1), noisy); d < 0.3 {
		t.Errorf("noise has an autocorrelation %v away", d)
	}
	silent := of(0, 0)
	if d := metric.LogSpectralDistance(noisy, silent); d == d {
		t.Errorf("%v dB from silence, expected NaN", d)
	}
	if silent.Autocorrelation[0] != 0 {
		t.Errorf("silence has the autocorrelation %v", silent.Autocorrelation)
	}
}

func TestSpectrumErrors(t *testing.T) {
	rows, shape := signals(3, 1, 2, func(int, int, int) float64 { return 0 })
	if _, err := metric.NewSpectrum(t.Context(), rows, shape); err == nil {
		t.Error("signals of one sample have a spectrum")
	}
	rows, shape = signals(3, 4, 2, func(int, int, int) float64 { return 0 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := metric.NewSpectrum(ctx, rows, shape); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
