package main

import (
	"runtime"
	"testing"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/pool"
)

// The backend that was asked for computes, and only OpenBLAS, whose calls are cgo's, gets more
// processors than there are cores.
func TestChooseBLAS(t *testing.T) {
	processors := runtime.GOMAXPROCS(0)
	defer func() {
		runtime.GOMAXPROCS(processors)
		if err := blas.Use(blas.Available()[0]); err != nil {
			t.Error(err)
		}
	}()
	for _, name := range blas.Available() {
		runtime.GOMAXPROCS(processors)
		flag := addBLAS(&cobra.Command{})
		if err := flag.Value.Set(name); err != nil {
			t.Fatal(err)
		}
		flag.Changed = true
		t.Setenv(envBLAS, "not looked at")
		if err := chooseBLAS(flag); err != nil {
			t.Fatal(err)
		}
		if got := blas.Info().Backend; got != name {
			t.Errorf("%s computes, expected %s", got, name)
		}
		spare := runtime.GOMAXPROCS(0) == 2*pool.DefaultWorkers()
		if spare != (name == "openblas") {
			t.Errorf("%s: GOMAXPROCS is %d, of %d cores", name, runtime.GOMAXPROCS(0),
				pool.DefaultWorkers())
		}
	}
}
