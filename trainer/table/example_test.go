package table_test

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/table"
)

// Write a table in blocks, to stdout.
func Example() {
	w, err := table.Create("-",
		table.Column{Name: "row", Kind: table.Int64},
		table.Column{Name: "z", Kind: table.Float32, Dims: []int{2}},
		table.Column{Name: "class", Kind: table.String},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abandon() // after an error; after Close it does nothing
	for first := int64(0); first < 4; first += 2 {
		z := []float32{0.5, float32(first), -1, 0.1}
		err := w.Append([]int64{first, first + 1}, z, []string{"cat", "dog, large"})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// row,z_0,z_1,class
	// 0,0.5,0.0,cat
	// 1,-1.0,0.1,"dog, large"
	// 2,0.5,2.0,cat
	// 3,-1.0,0.1,"dog, large"
}
