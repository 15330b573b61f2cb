package main

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer"
	"github.com/plume-ml/plume/trainer/metric"
)

func TestSummaryLine(t *testing.T) {
	const trained = "Trained 1,234 steps in 1m2.3s: reconstruction MSE 0.0123"
	fd := 2.637
	for _, c := range []struct {
		fd    *float64
		floor float64
		want  string
	}{
		{&fd, 1.8, trained + ", PCA-64 FD 2.64 of 2,000 samples (1,000 held-out images: 1.80)"},
		{&fd, math.NaN(), trained + ", PCA-64 FD 2.64 of 2,000 samples"},
		{nil, math.NaN(), trained},
		{nil, 1.8, trained},
	} {
		got := summaryLine(trainer.Summary{
			Seconds: 62.34, Steps: 1234, Samples: 2000, RealFloor: c.floor, RealImages: 1000,
			Final: metric.Epoch{ReconMSE: 0.01234, PCA64FD: c.fd},
		})
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
