package evaluate

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/metric"
)

// spectra are what the metrics of signals compare; reference is of the held-out rows.
type spectra struct{ samples, train, reference *metric.Spectrum }

// spectrum measures how far the mean power spectrum and the autocorrelation of samples are from
// those of held-out signals, and as a floor how far those of as many training signals are.
func (e *evaluation) spectrum() error {
	if !e.hasHeldOut("spectra") {
		return nil
	}
	shape := e.own.Train.Shape()
	of := func(rows data.Rows) (*metric.Spectrum, error) {
		return metric.NewSpectrum(e.ctx, rows, shape)
	}
	var s spectra
	var err error
	if s.samples, err = of(e.compared()); err != nil {
		return err
	}
	order := shuffled(e.own.Train.Len(), e.Seed)
	order = order[:min(len(order), e.Samples)]
	if s.train, err = of(data.Subset(e.own.Train, order)); err != nil {
		return err
	}
	if s.reference, err = of(e.own.Held); err != nil {
		return err
	}
	e.spectra = &s
	only := func(v float64) metric.Estimate {
		return metric.Estimate{Value: v, Low: math.NaN(), High: math.NaN()}
	}
	between := fmt.Sprintf("of %d samples and %d held-out signals; floor: of %d training signals",
		e.Samples, e.own.Held.Len(), len(order))
	e.add(Metric{
		Key: "log_spectral_distance", Name: "log-spectral distance", Group: Spectrum,
		Better: Lower, Unit: "dB",
		Note: "root mean square over frequencies of the difference of the mean power spectra in " +
			"decibels, down to 60 dB below the largest, " + between,
	}.measured(only(metric.LogSpectralDistance(s.samples, s.reference)),
		metric.LogSpectralDistance(s.train, s.reference)))
	e.add(Metric{
		Key: "autocorrelation_distance", Name: "autocorrelation distance", Group: Spectrum,
		Better: Lower,
		Note: "root mean square difference of the mean autocorrelations over the lags up to half " +
			"of a signal, " + between,
	}.measured(only(metric.AutocorrelationDistance(s.samples, s.reference)),
		metric.AutocorrelationDistance(s.train, s.reference)))
	return nil
}

// drawSpectra draws the mean power spectra, if they were measured.
func (e *evaluation) drawSpectra() error {
	if e.spectra == nil {
		return nil
	}
	t, rate, unit := e.own.Train.Shape().W, e.config.SampleRate, "Hz"
	if rate == 0 {
		rate, unit = 1, "cycles per sample"
	}
	plot := figure.Plot{
		Title: "Mean power spectrum", XLabel: "frequency, " + unit, YLabel: "power", LogY: true,
	}
	for _, s := range []struct {
		name string
		of   *metric.Spectrum
	}{{"held-out data", e.spectra.reference}, {"samples", e.spectra.samples}} {
		line := figure.Series{Name: s.name, Line: true, Y: s.of.Power}
		for k := range s.of.Power {
			line.X = append(line.X, float64(k)*rate/float64(t))
		}
		plot.Series = append(plot.Series, line)
	}
	return plot.Write(e.picturePath(spectrumFile))
}
