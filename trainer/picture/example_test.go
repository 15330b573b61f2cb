package picture_test

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/picture"
)

// Six gray images of 28 x 28 pixels, three to a row, each enlarged to 56 x 56.
func ExampleGrid() {
	shape := data.Shape{H: 28, W: 28, C: 1}
	pixels := make([]float32, 6*shape.Dim())
	grid, err := picture.Grid(pixels, shape, 3)
	fmt.Println(grid.Bounds().Size(), err)
	// Output: (176,118) <nil>
}
