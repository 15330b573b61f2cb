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
	tape := net.NewTape(nil, p, model.Size{Rows: 1}, model.Train)
	for _, y := range []float64{0, 1, -1, 6, -6, 40, -40, 1e6, -1e6, 1e18, -1e18, math.MaxFloat32} {
		net.Layout().View(p, "layer0.bias")[1] = float32(y)
		pack(tape)
		pass := tape.Take(0, 1)
		pass.In(0)[0] = 1
		pass.Forward()
		logvar := float64(pass.Out()[1])
		if math.Abs(logvar) > 20 || logvar*y < 0 ||
			math.Abs(y) <= 6 && math.Abs(logvar-y) > 0.05*math.Abs(y) {
			t.Errorf("an output of %v becomes a log-variance of %v", y, logvar)
		}
		pass.DOut()[0], pass.DOut()[1] = 1, 1
		pass.Backward(nil)
		pass.Release()
		if slope := float64(tape.Gradients()[0].X[1]); !(slope >= 0 && slope <= 1) {
			t.Errorf("the slope at %v is %v", y, slope)
		}
	}
}
