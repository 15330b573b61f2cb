package npy_test

import (
	"bytes"
	"fmt"
	"io"

	"github.com/plume-ml/plume/trainer/npy"
)

// Write an array as numpy.save does, and read it again.
func Example() {
	var file bytes.Buffer
	if err := npy.Write(&file, []float32{1, 2, 3, 4, 5, 6}, 2, 3); err != nil {
		fmt.Println(err)
		return
	}
	h, err := npy.ReadHeader(npy.Source{
		Fill: func(buf []byte) error { _, err := io.ReadFull(&file, buf); return err },
		Fail: fmt.Errorf,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	x := make([]float32, 6)
	n, err := npy.ReadFloats(&file, h.Dtype, x)
	fmt.Println(h.Dtype, h.Dims, x, n, err)
	// Output: float32 [2 3] [1 2 3 4 5 6] 6 <nil>
}
