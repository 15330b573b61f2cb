package run_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// Make the directory of a new run, lock it and write its configuration; then find the run by its
// number and open it.
func Example() {
	root, err := os.MkdirTemp("", "runs")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)

	dir, err := run.CreateNumbered(root, "digits", "ipld")
	if err != nil {
		log.Fatal(err)
	}
	lock, err := run.Acquire(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer lock.Release()
	c := method.Default()
	c.Data, c.Epochs = "digits", 20
	w := run.Writer{Dir: dir, Files: file.OS, Lock: lock}
	if err := w.StoreConfig(c); err != nil {
		log.Fatal(err)
	}

	found, err := run.Find(root, "1")
	if err != nil {
		log.Fatal(err)
	}
	stored, err := run.Open(found)
	if err != nil {
		log.Fatal(err)
	}
	state, err := run.StateOf(found)
	fmt.Println(filepath.Base(found), state, err)
	fmt.Println(stored.Config.Method, "on", stored.Config.Data, "for",
		stored.Config.Epochs, "epochs")
	// Output:
	// 00001-digits-ipld without a checkpoint <nil>
	// ipld on digits for 20 epochs
}
