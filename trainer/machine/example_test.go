package machine_test

import (
	"context"
	"fmt"
	"os"

	"github.com/plume-ml/plume/trainer/machine"
)

// The file name and the head of a file of benchmark results.
func ExampleDescription() {
	d := machine.Description{
		CPU: "Neoverse-N1", Cores: 4, Kernels: "neon", BLAS: []string{"native (plume)"},
		Go: "go1.25.0",
	}
	fmt.Println(d.Name())
	if err := d.WriteConfig(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// neoverse-n1-neon
	// cpu-model: Neoverse-N1
	// cores: 4
	// kernels: neon
	// blas: native (plume)
	// go: go1.25.0
}

// The peak of this machine: the share of it that a product reaches says how good the product is.
func ExampleFMAPeak() {
	one, err := machine.FMAPeak(context.Background(), 1, machine.Options{Rounds: 1})
	fmt.Println(one > 0, err)
	// Output: true <nil>
}
