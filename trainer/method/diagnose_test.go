package method

import (
	"math"
	"reflect"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/particle"
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

// With velocities the drift's noise adds more than h v/2, because a velocity lasts for several
// moves. The extra temperature is the increase of the variance of a position on z^2/2, which solves
// the Lyapunov equation of the moves, here with and without the noise v.
func TestExtraTemperatureOfVelocities(t *testing.T) {
	const friction, v = 0.3, 50
	o := small()
	// the law of small steps holds to about h/friction^2, 0.1 %
	o.StepSize, o.Friction = 1e-4, friction
	plain := startFlow(t, "ipld", o, testPoints, 2).Diagnose(0).ExtraTemperature
	for _, dynamics := range []particle.Dynamics{particle.Underdamped, particle.Exact} {
		o.Dynamics = dynamics
		got := startFlow(t, "ipld", o, testPoints, 2).Diagnose(0).ExtraTemperature
		cold := positionVariance(dynamics, o.StepSize, friction, 0)
		hot := positionVariance(dynamics, o.StepSize, friction, v)/cold - 1
		if want := hot / (o.StepSize * v / 2); math.Abs(got/plain/want-1) > 0.01 {
			t.Errorf("%s: %v times h v/2, expected %v", dynamics, got/plain, want)
		}
	}
}

// positionVariance returns the stationary variance of z on z^2/2 with noise of variance v in the
// drift, by doubling the moves of (z, u): S <- A S A^T + S, A <- A A.
func positionVariance(dynamics particle.Dynamics, h, friction, v float64) float64 {
	var a [2][2]float64 // of (z, u)
	var kick [2]float64 // z' and u' per drift
	var s [2][2]float64 // of the noise
	if dynamics == "underdamped" {
		a, kick = [2][2]float64{{1, 1 - friction}, {0, 1 - friction}}, [2]float64{-h, -h}
		s = [2][2]float64{{2 * friction * h, 2 * friction * h},
			{2 * friction * h, 2 * friction * h}}
	} else {
		gamma, tau, keep := transit(friction, h)
		b := (1 - keep) / gamma
		a, kick = [2][2]float64{{1, b}, {0, keep}}, [2]float64{-(tau - b) / gamma, -b}
		szu := (1 - 2*keep + keep*keep) / gamma
		s = [2][2]float64{{(2*tau - keep*keep/gamma + 4*keep/gamma - 3/gamma) / gamma, szu},
			{szu, 1 - keep*keep}}
	}
	for i := range 2 {
		a[i][0] += kick[i]
		for j := range 2 {
			s[i][j] += v * kick[i] * kick[j]
		}
	}
	for range 40 {
		var square [2][2]float64
		next := s
		for i := range 2 {
			for j := range 2 {
				for k := range 2 {
					square[i][j] += a[i][k] * a[k][j]
					for n := range 2 {
						next[i][j] += a[i][k] * s[k][n] * a[j][n]
					}
				}
			}
		}
		a, s = square, next
	}
	return s[0][0]
}

// Add sums every field of Stats that is one number, and Levels. Values lists the former in order,
// except the last, Operations.
func TestStatsAdd(t *testing.T) {
	var a, b Stats
	fields := func(s *Stats) (all []reflect.Value) {
		v := reflect.ValueOf(s).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Float64 {
				all = append(all, f)
			}
		}
		return all
	}
	for i, f := range fields(&b) {
		f.SetFloat(float64(i + 1))
	}
	b.Levels.Loss[7], b.Levels.Draws[0], b.Levels.Unlearned[3] = 5, 6, 7
	a.Add(b)
	a.Add(b)
	if l := a.Levels; l.Loss[7] != 10 || l.Draws[0] != 12 || l.Unlearned[3] != 14 {
		t.Errorf("levels %+v", l)
	}
	for i, f := range fields(&a) {
		if f.Float() != float64(2*i+2) {
			t.Errorf("sum %d is %v", i, f.Float())
		}
	}
	if sums := len(fields(&a)); sums != len(a.Values())+1 {
		t.Errorf("%d fields are sums, and Values has %d", sums, len(a.Values()))
	}
	for i, v := range b.Values() {
		if *v != float64(i+1) {
			t.Errorf("value %d is %v: not in the order of the fields", i, *v)
		}
	}
}
