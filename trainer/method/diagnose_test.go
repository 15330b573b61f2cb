package method

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
)

// The extra temperature is h v/2. Where r = 0 the prior drift of a draw is, per coordinate,
//
//	span alpha sigma (sigma alpha z - alpha^2 eps) + alpha_min^2 z,
//
// whose variance v over lambda and eps is an integral; the control variate removes all of it.
func TestExtraTemperature(t *testing.T) {
	o := small()
	o.Particles = 400
	f := startFlow(t, "ipld", o, testPoints, 2)
	mustStep(t, f, Minibatch{Index: everyPoint})
	got := f.Diagnose(0).ExtraTemperature

	const n = 4000
	span, z2 := o.LambdaMax-o.LambdaMin, f.cloud.Stats().MeanSquare
	var second, mean float64 // of the drift: E over eps of its square, averaged over z; mean / z
	for i := range n {
		a2 := reference.Alpha2(o.LambdaMin + span*(float64(i)+0.5)/n)
		s2 := 1 - a2
		second += span * span * a2 * s2 * (s2*a2*z2 + a2*a2) / n
		mean += span * a2 * s2 / n
	}
	want := o.StepSize * (second - mean*mean*z2) / 2
	// 10,800 coordinates give v to about 3 %: their squares have a kurtosis near 10.
	if math.Abs(got/want-1) > 0.15 {
		t.Errorf("extra temperature %v, expected %v", got, want)
	}

	o.ControlVariate = true
	f = startFlow(t, "ipld", o, testPoints, 2)
	if got := f.Diagnose(0).ExtraTemperature; got != 0 {
		t.Errorf("extra temperature %v with the control variate and r = 0, expected none", got)
	}
}

// Stats of an epoch are the sums of its steps'.
func TestStatsAdd(t *testing.T) {
	var a, b Stats
	for i, v := range b.Values() {
		*v = float64(i + 1)
	}
	a.Add(b)
	a.Add(b)
	for i, v := range a.Values() {
		if *v != float64(2*i+2) {
			t.Errorf("sum %d is %v", i, *v)
		}
	}
}
