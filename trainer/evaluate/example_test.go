package evaluate_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/npy"
)

// Compare features that another program computed: here the generated ones are the real ones with
// each of their 4 numbers shifted by 2, at a Fréchet distance of 4 x 2^2.
func ExampleForeign() {
	dir, err := os.MkdirTemp("", "features")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const n, width, shift = 100, 4, 2
	features := make([]float32, n*width)
	for i := range features {
		features[i] = float32(math.Sin(float64(i * i)))
	}
	real := filepath.Join(dir, "real.npy")
	if err := npy.WriteFile(real, features, n, width); err != nil {
		log.Fatal(err)
	}
	for i := range features {
		features[i] += shift
	}
	generated := filepath.Join(dir, "generated.npy")
	if err := npy.WriteFile(generated, features, n, width); err != nil {
		log.Fatal(err)
	}

	report, err := evaluate.Foreign(context.Background(), generated, real, evaluate.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range report.Metrics {
		if m.Key == "fd" {
			fmt.Printf("%s %.1f, %s is better\n", m.Name, m.Value, m.Better)
		}
	}
	// Output:
	// FD 16.0, lower is better
}
