package data_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/npy"
)

// A NumPy array of four gray images is read from disk, divided, and gathered by minibatch.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "images.npy")
	pixels := []float32{ // 4 x 2 x 2
		-1, -1, -1, -1,
		1, 1, 1, 1,
		-1, 1, -1, 1,
		0.5, -0.5, 0.5, -0.5,
	}
	if err := npy.WriteFile(path, pixels, 4, 2, 2); err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	found, err := data.Find(ctx, path, data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d images of %v, %d bytes\n", found.Len, found.Shape, found.Bytes)

	images, err := found.Read(ctx)
	if err != nil {
		log.Fatal(err)
	}
	train, held, err := data.Split(images, 0.25, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), "to train on,", held.Len(), "held out")

	batches := data.NewBatches(train.Len(), 2, 1)
	for k := range batches.PerEpoch() {
		idx := batches.At(0, k)
		x := make([]float32, len(idx)*train.Shape().Dim())
		train.Gather(x, idx)
		fmt.Println(x)
	}
	// Output:
	// 4 images of 2 x 2, 64 bytes
	// 3 to train on, 1 held out
	// [1 1 1 1]
	// [-1 -1 -1 -1 -1 1 -1 1]
}
