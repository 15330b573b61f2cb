package main

import (
	"math"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/record"
)

func TestSummaryLine(t *testing.T) {
	const trained = "Trained 1,234 steps in 1m2.3s: reconstruction MSE 0.0123"
	fd := record.Number(2.637)
	for _, c := range []struct {
		fd    *record.Number
		floor float64
		want  string
	}{
		{&fd, 1.8, trained + ", PCA-64 FD 2.64 of 2,000 samples (1,000 held-out rows: 1.80)"},
		{&fd, math.NaN(), trained + ", PCA-64 FD 2.64 of 2,000 samples"},
		{nil, math.NaN(), trained},
		{nil, 1.8, trained},
	} {
		got := summaryLine(trainer.Summary{
			Seconds: 62.34, Steps: 1234, Samples: 2000, RealFloor: c.floor, RealImages: 1000,
			Final: record.Epoch{ReconMSE: 0.01234, PCA64FD: c.fd},
		})
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// A loss that blew up, which a clipped method may survive, is no line of digits.
func TestFigures(t *testing.T) {
	for x, want := range map[float64]string{
		0.01234: "0.0123", 5775.2364: "5775.2364", 7.81e32: "7.81e+32",
	} {
		if got := figures(x); got != want {
			t.Errorf("%v: %s, expected %s", x, got, want)
		}
	}
}

// Pictures that could not be written are not said to have been switched off.
func TestPicturesLine(t *testing.T) {
	for want, s := range map[string]trainer.Summary{
		"eval_samples is 0": {},
		"plume sample run":  {Samples: 100},
		"open s.png":        {Samples: 100, SamplePath: "s.png", ReconPath: "r.png"},
	} {
		if got := picturesLine(s, "run"); !strings.Contains(got, want) {
			t.Errorf("%s; expected %q", got, want)
		}
	}
}
