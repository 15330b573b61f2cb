package metric_test

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/metric"
)

// Two sets of four points, one moved by (3, 4): the squared Fréchet distance is 25.
func ExampleFrechet() {
	a := metric.NewFeatures([]float32{0, 0, 2, 0, 0, 2, 2, 2}, 4, 2)
	b := metric.NewFeatures([]float32{3, 4, 5, 4, 3, 6, 5, 6}, 4, 2)
	distance, err := metric.Frechet(context.Background(), a, b)
	fmt.Printf("%.3f %v\n", distance, err)
	// Output: 25.000 <nil>
}

// For each row of one set, the nearest row of another and how far it is.
func ExampleNearest() {
	query := metric.NewFeatures([]float32{1, 1, 9, 9}, 2, 2)
	base := metric.NewFeatures([]float32{0, 0, 4, 4, 8, 8}, 3, 2)
	nearest, err := metric.Nearest(context.Background(), query, base, nil)
	fmt.Println(nearest.Index, nearest.RMS, err)
	// Output: [0 2] [1 1] <nil>
}

// Of 1,000 samples, 40 are suspiciously near to a training image.
func ExampleShareInterval() {
	share, err := metric.ShareInterval(40, 1000, 0.95)
	fmt.Printf("%.3f, 95 %% from %.3f to %.3f, %v\n", share.Value, share.Low, share.High, err)
	// Output: 0.040, 95 % from 0.030 to 0.054, <nil>
}
