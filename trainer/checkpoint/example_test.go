package checkpoint_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
)

// A state is saved, changed, and loaded again.
func Example() {
	run, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(run)
	weights := []float32{1, 2, 3, 4, 5, 6}
	state := []checkpoint.Tensor{{Name: "decoder/weight", Shape: []int{2, 3}, F32: weights}}

	w := checkpoint.Writer{Files: file.OS, RunDir: run, Keep: 3}
	pending, err := w.Begin(checkpoint.Meta{Step: 500}, state)
	if err != nil {
		log.Fatal(err)
	}
	clear(weights) // the snapshot is taken: the state may change again
	if _, err := pending.Commit(); err != nil {
		log.Fatal(err)
	}

	dir, err := checkpoint.Latest(run)
	if err != nil {
		log.Fatal(err)
	}
	meta, err := checkpoint.Load(dir, state)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(filepath.Base(dir), meta.Step, weights)
	// Output: step-000500 500 [1 2 3 4 5 6]
}
