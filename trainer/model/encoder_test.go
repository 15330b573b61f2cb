package model_test

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/model"
)

// Whatever the network's output, standard deviations and their gradients stay finite. In the range
// that matters, the log-variance is nearly the output.
func TestLogVarianceIsBounded(t *testing.T) {
	net := model.NewEncoder(nil, 1, 1)
	p := make([]float32, net.Layout().Size())
	tape := net.NewTape(nil, p, 1, model.Train)
	for _, y := range []float64{0, 1, -1, 6, -6, 40, -40, 1e6, -1e6, 1e18, -1e18, math.MaxFloat32} {
		net.Layout().View(p, "layer0.bias")[1] = float32(y)
		pack(tape)
		tape.In(0, 1)[0] = 1
		tape.Forward(0, 1)
		logvar := float64(tape.Out(0, 1)[1])
		if math.Abs(logvar) > 20 || logvar*y < 0 ||
			math.Abs(y) <= 6 && math.Abs(logvar-y) > 0.05*math.Abs(y) {
			t.Errorf("an output of %v becomes a log-variance of %v", y, logvar)
		}
		out := tape.Out(0, 1)
		out[0], out[1] = 1, 1
		tape.Backward(0, 1, nil)
		if slope := float64(tape.Out(0, 1)[1]); !(slope >= 0 && slope <= 1) {
			t.Errorf("the slope at %v is %v", y, slope)
		}
	}
}
