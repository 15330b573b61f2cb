package classify_test

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/classify"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
)

// A small classifier of handwritten digits, and the features of all images.
func ExampleTrain() {
	ctx := context.Background()
	digits, err := data.Open(ctx, "digits", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := pool.New(2)
	defer p.Close()
	o := classify.Default(digits.Shape())
	o.Network.Hidden = []int{64, 32}
	c, err := classify.Train(ctx, digits, o, p, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("classes %v, most of them recognised: %v\n", c.Classes, c.Accuracy > 0.8)
	features, err := c.Features(ctx, digits, p)
	fmt.Println(len(features) == digits.Len()*c.FeatureCount(), err)
	// Output:
	// classes [0 1 2 3 4 5 6 7 8 9], most of them recognised: true
	// true <nil>
}
