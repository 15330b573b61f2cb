package metric

import (
	"context"
	"errors"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/dsp/window"

	"github.com/plume-ml/plume/trainer/data"
)

// Spectrum is what signals are like in the mean over rows and channels, less the mean of each
// channel over all rows and samples.
type Spectrum struct {
	// Power is the mean of |FFT|^2 of the signals under a Hann window, over the sum of its squares:
	// entry k, of T/2 + 1, is of k/T cycles a sample.
	Power []float64
	// Autocorrelation is, at lags 0 to T/2, the mean product of samples that far apart over the
	// mean square; 0 for signals that are constant.
	Autocorrelation []float64
}

// spectrumRows is how many rows are gathered at a time.
const spectrumRows = 64

// NewSpectrum returns the spectrum of signals of the given shape, 1 x T x C of 2 samples or more.
// It is an error if there are none. It stops early, with ctx's error, when ctx ends.
func NewSpectrum(ctx context.Context, rows data.Rows, shape data.Shape) (*Spectrum, error) {
	n, t, c := rows.Len(), shape.W, shape.C
	if n == 0 || t < 2 || shape.H != 1 {
		return nil, errors.New("metric: a spectrum needs signals of 2 samples or more")
	}
	each := func(f func(row []float32)) error {
		x := make([]float32, spectrumRows*shape.Dim())
		for lo := 0; lo < n; lo += spectrumRows {
			if err := ctx.Err(); err != nil {
				return err
			}
			hi := min(n, lo+spectrumRows)
			block := x[:(hi-lo)*shape.Dim()]
			rows.Gather(block, data.Range(lo, hi))
			for i := range hi - lo {
				f(block[i*shape.Dim() : (i+1)*shape.Dim()])
			}
		}
		return nil
	}
	means := make([]float64, c)
	err := each(func(row []float32) {
		for i, v := range row {
			means[i%c] += float64(v) / float64(n*t)
		}
	})
	if err != nil {
		return nil, err
	}
	s := newSpectrumSums(t)
	x := make([]float64, t)
	err = each(func(row []float32) {
		for k := range c {
			for i := range x {
				x[i] = float64(row[i*c+k]) - means[k]
			}
			s.add(x)
		}
	})
	return s.spectrum(n * c), err
}

// spectrumSums adds signals of t samples up.
type spectrumSums struct {
	t             int
	short, long   *fourier.FFT // of t numbers, and of 2 t: padded, so that ends do not meet
	window        []float64
	weight        float64 // sum of the squares of the window
	power, padded []float64
	x             []float64
	out           []complex128
}

func newSpectrumSums(t int) *spectrumSums {
	s := &spectrumSums{
		t: t, short: fourier.NewFFT(t), long: fourier.NewFFT(2 * t), window: make([]float64, t),
		power: make([]float64, t/2+1), padded: make([]float64, t+1), x: make([]float64, 2*t),
	}
	for i := range s.window {
		s.window[i] = 1
	}
	window.Hann(s.window)
	for _, w := range s.window {
		s.weight += w * w
	}
	return s
}

func (s *spectrumSums) add(x []float64) {
	for i, v := range x {
		s.x[i] = v * s.window[i]
	}
	s.out = s.short.Coefficients(nil, s.x[:s.t])
	addPower(s.power, s.out)
	copy(s.x, x)
	clear(s.x[s.t:])
	s.out = s.long.Coefficients(nil, s.x)
	addPower(s.padded, s.out)
}

func addPower(sum []float64, coefficients []complex128) {
	for i, c := range coefficients {
		sum[i] += real(c)*real(c) + imag(c)*imag(c)
	}
}

// spectrum returns the means over n signals.
func (s *spectrumSums) spectrum(n int) *Spectrum {
	out := &Spectrum{Autocorrelation: make([]float64, s.t/2+1)}
	for _, p := range s.power {
		out.Power = append(out.Power, p/(s.weight*float64(n)))
	}
	coefficients := make([]complex128, len(s.padded))
	for i, p := range s.padded {
		coefficients[i] = complex(p, 0)
	}
	products := s.long.Sequence(nil, coefficients) // at each lag, 2 t times their sum
	square := products[0] / float64(s.t)
	for lag := range out.Autocorrelation {
		if square > 0 {
			out.Autocorrelation[lag] = products[lag] / float64(s.t-lag) / square
		}
	}
	return out
}

// spectrumFloor is the power, relative to the largest of a reference, below which differences
// hardly count: -60 dB.
const spectrumFloor = 1e-6

// LogSpectralDistance is the root mean square over frequencies of the difference of two mean power
// spectra in decibels, 10 log10 of their ratio; to both the floor of -60 dB below the largest of
// reference is added. Gray and Markel, "Distance measures for speech processing" (1976). Both must
// be of signals of one length.
func LogSpectralDistance(s, reference *Spectrum) float64 {
	least := 0.0
	for _, p := range reference.Power {
		least = max(least, spectrumFloor*p)
	}
	sum := 0.0
	for i, p := range reference.Power {
		if least == 0 {
			return math.NaN() // silence
		}
		d := 10 * math.Log10((s.Power[i]+least)/(p+least))
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(reference.Power)))
}

// AutocorrelationDistance is the root mean square difference of two autocorrelations over the lags
// from 1 on. Both must be of signals of one length.
func AutocorrelationDistance(s, reference *Spectrum) float64 {
	sum := 0.0
	for i, r := range reference.Autocorrelation[1:] {
		d := s.Autocorrelation[1+i] - r
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(reference.Autocorrelation)-1))
}
