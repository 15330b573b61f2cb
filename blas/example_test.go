package blas_test

import (
	"fmt"

	"github.com/plume-ml/plume/blas"
)

func ExampleBackend_Gemm() {
	native, err := blas.Open("native")
	if err != nil {
		fmt.Println(err)
		return
	}
	a := blas.Dense([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	b := blas.Dense([]float32{1, 0, 0, 1, 1, 1}, 3, 2)
	c := blas.Dense(make([]float32, 4), 2, 2)
	native.Gemm(blas.N, blas.N, 1, a.Left(), b, 0, c)
	fmt.Println(c.Data)
	native.Gemm(blas.T, blas.T, 1, b.Left(), a, 0, c) // the transpose of the same product
	fmt.Println(c.Data)
	// Output:
	// [4 5 10 11]
	// [4 10 5 11]
}

// The weights of a layer are laid out once and meet many rows, from any number of goroutines.
func ExampleFactor() {
	weights := blas.Dense([]float32{1, 2, 0, 1}, 2, 2)
	bias := []float32{10, 20}
	f := blas.Default().Factor()
	f.Set(blas.N, weights)
	for _, row := range [][]float32{{1, 1}, {2, 0}} {
		y := make([]float32, 2)
		f.Mul(blas.Dense(row, 1, 2).Left(), bias, blas.Dense(y, 1, 2))
		fmt.Println(y)
	}
	// Output:
	// [11 23]
	// [12 24]
}

// Two factors of one process may have different backends.
func ExampleOpen() {
	for _, name := range []string{"native", "gonum"} {
		backend, err := blas.Open(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		f := backend.Factor()
		f.Set(blas.N, blas.Dense([]float32{3}, 1, 1))
		y := blas.Dense(make([]float32, 1), 1, 1)
		f.Mul(blas.Dense([]float32{2}, 1, 1).Left(), nil, y)
		fmt.Println(backend.Name(), y.Data[0])
	}
	// Output:
	// native 6
	// gonum 6
}
