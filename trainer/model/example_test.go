package model_test

import (
	"fmt"

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

	tape := net.NewTape(nil, params, rows, model.Train)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	copy(tape.In(0, rows), []float32{1, 1, 0, 3})
	tape.Forward(0, rows)
	fmt.Println("outputs", tape.Out(0, rows))

	dx := make([]float32, rows*net.In())
	tape.Backward(0, rows, dx)
	gradient := make([]float32, len(params))
	for i := range tape.GradTasks() {
		tape.Grad(i, gradient, rows, 1)
	}
	fmt.Println("by the inputs", dx)
	fmt.Println("by the parameters", gradient)
	// Output:
	// outputs [1.5 -2.5]
	// by the inputs [3 -1.5 -5 2.5]
	// by the parameters [1.5 -6 -1]
}
