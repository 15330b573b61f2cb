package pca_test

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/pca"
)

// points are rows of two numbers.
type points [][2]float32

func (p points) Len() int { return len(p) }

func (p points) Gather(dst []float32, idx []int) {
	for i, k := range idx {
		copy(dst[2*i:], p[k][:])
	}
}

// Points near the line y = x have nearly all of their variance in one component.
func ExampleFit() {
	train := points{{-0.5, -0.5}, {0.5, 0.5}, {-0.1, 0.1}, {0.1, -0.1}}
	p, err := pca.Fit(context.Background(), train, 2, 1, pca.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f of the variance\n", p.FractionOfVariance())
	f, err := p.Features(context.Background(), points{{0.3, 0.3}}, nil)
	fmt.Printf("coordinate %.3f, %v\n", f.X, err)
	// Output:
	// 0.96 of the variance
	// coordinate [0.424], <nil>
}
