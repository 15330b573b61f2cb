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

// A column of numbers that is shifted by 1 is as far from the other as 1 is in standard deviations;
// two columns that rise together, and against each other, differ by 2 in their association.
func ExampleMarginalDistance() {
	data := metric.Variables{{Values: []float64{1, 3, 1, 3}}, {Values: []float64{0, 2, 0, 2}}}
	other := metric.Variables{{Values: []float64{2, 4, 2, 4}}, {Values: []float64{2, 0, 2, 0}}}
	distance, err := metric.MarginalDistance(other[0], data[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	association, err := metric.AssociationDifference(other, data)
	fmt.Printf("%.1f %.1f %v\n", distance, association, err)
	// Output: 1.0 2.0 <nil>
}
