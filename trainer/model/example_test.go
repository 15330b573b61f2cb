package model_test

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// One pass of a network forward and backward on two rows. The loss is half the sum of squares of
// the outputs, whose gradient by the output is the output itself.
func ExampleTape() {
	const rows = 2
	net := model.NewMLP(nil, 2, 1) // y = w0 x0 + w1 x1 + b
	params := make([]float32, net.Layout().Size())
	copy(net.Layout().View(params, "layer0.weight"), []float32{2, -1})
	copy(net.Layout().View(params, "layer0.bias"), []float32{0.5})

	tape := net.NewTape(nil, params, model.Size{Rows: rows}, model.Train)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	pass := tape.Take(0, rows)
	copy(pass.In(0), []float32{1, 1, 0, 3})
	pass.Forward()
	fmt.Println("outputs", pass.Out())

	dx := make([]float32, rows*net.In())
	copy(pass.DOut(), pass.Out())
	pass.Backward(dx)
	pass.Release()

	gradient := make([]float32, len(params))
	tape.Reduce(layer.Wave{Rows: rows, First: true, Last: true, Scale: 1, Grad: gradient})
	for i := range tape.GradTasks() {
		tape.Grad(i)
	}
	fmt.Println("by the inputs", dx)
	fmt.Println("by the parameters", gradient)
	// Output:
	// outputs [1.5 -2.5]
	// by the inputs [3 -1.5 -5 2.5]
	// by the parameters [1.5 -6 -1]
}
