package figure_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/figure"
)

// Measured errors with their bars beside the expected line, as an SVG diagram.
func ExamplePlot() {
	dir, err := os.MkdirTemp("", "figure")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	steps := []float64{10, 100, 1000}
	p := figure.Plot{
		Title: "Error of the mean", XLabel: "steps", YLabel: "error (nats)", LogX: true, LogY: true,
		Series: []figure.Series{
			{
				Name: "measured", X: steps, Y: []float64{0.32, 0.09, 0.033},
				Err: []float64{0.05, 0.02, 0.005}, Points: true,
			},
			{Name: "expected", X: steps, Y: []float64{0.316, 0.1, 0.0316}, Line: true,
				Dashed: true},
		},
	}
	path := filepath.Join(dir, "error.svg")
	if err := p.Write(path); err != nil {
		fmt.Println(err)
		return
	}
	_, err = os.Stat(path)
	fmt.Println(filepath.Base(path), err)
	// Output: error.svg <nil>
}
