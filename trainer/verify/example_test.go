package verify_test

import (
	"context"
	"fmt"

	"github.com/plume-ml/plume/trainer/verify"
)

// One experiment, on two workers: the numbers depend on the seed alone.
func ExampleRun() {
	r, err := verify.Run(context.Background(), verify.Options{
		Seed: 1, Threads: 2, Only: []string{"inner steps"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(r.Checks), "checks,", len(r.Failed()), "failed")
	c := r.Checks[0]
	fmt.Printf("%s %s: %s\n", c.Section, c.Quantity, c.Verdict)
	// Output:
	// 24 checks, 0 failed
	// 8.1 pgd, B = M/3, k = 7: mean of theta: ok
}
