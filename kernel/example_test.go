package kernel_test

import (
	"fmt"

	"github.com/plume-ml/plume/kernel"
)

// Rows of the noise stream are addressed by their number, so that they can be drawn in any order,
// and apart from each other.
func ExampleNormalRows() {
	key := kernel.Key{Seed: 1, Step: 12, Stream: 1 << 16}
	both, second := make([]float32, 6), make([]float32, 3)
	kernel.NormalRows(both, []uint64{7, 9}, 3, key)
	kernel.NormalRows(second, []uint64{9}, 3, key)
	fmt.Println(both[3:])
	fmt.Println(second)
	// Output:
	// [0.052932493 -0.98462975 -1.5763814]
	// [0.052932493 -0.98462975 -1.5763814]
}

// One Langevin move of two particles against their drift, with the noise of their rows. The first
// drift is longer than the clip allows; the second particle's step size is zero.
func ExampleOverdamped() {
	m := &kernel.Move{
		Z: []float32{1, 2, 3, 4}, D: 2, IDs: []uint64{0, 1},
		G: []float32{1, 1, 0, 0}, P: []float32{0, 1, 0, 1e6}, // G + P is the drift
		H: []float32{0.5, 0}, Clip: 0.75,
		Key: kernel.Key{Seed: 1, Stream: 1 << 16},
	}
	clipped := kernel.Overdamped(m)
	fmt.Printf("%.3f, %d clipped\n", m.Z, clipped)
	// Output:
	// [-0.370 0.676 3.000 4.000], 1 clipped
}

// An activation, and what the backward pass multiplies with.
func ExampleSiLU() {
	x := []float32{-1, 0, 1, 3}
	y := make([]float32, len(x))
	kernel.SiLU(y, x)
	fmt.Printf("silu %.3f\nslope %.3f\n", y, x)
	// Output:
	// silu [-0.269 0.000 0.731 2.858]
	// slope [0.072 0.500 0.928 1.088]
}

// Each image is compared with two predictions.
func ExampleDataResidual() {
	images := []float32{1, 2, 5, 5}        // two rows of two numbers
	y := []float32{1, 4, 0, 2, 5, 5, 8, 9} // two predictions of each
	e, squares := make([]float32, 8), make([]float32, 4)
	kernel.DataResidual(e, squares, y, images, 0, 2, 2, 0.5)
	fmt.Println("half the residuals", e)
	fmt.Println("squared lengths", squares)
	// Output:
	// half the residuals [0 1 -0.5 0 0 0 1.5 2]
	// squared lengths [4 1 0 25]
}
