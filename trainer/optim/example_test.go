package optim_test

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/optim"
)

// Adam goes down (p-1)^2 and (p+2)^2. Workers may apply a step to blocks of the parameters at once.
func Example() {
	p, g := make([]float32, 2), make([]float32, 2)
	o, err := optim.New(nil, optim.Adam, len(p), 0.9)
	if err != nil {
		fmt.Println(err)
		return
	}
	o.StartAverage(p)
	for range 400 {
		g[0], g[1] = 2*(p[0]-1), 2*(p[1]+2)
		o.Begin(0.05)
		o.Apply(p, g, memory.Span(0, 1))
		o.Apply(p, g, memory.Span(1, 2))
	}
	fmt.Printf("parameters %.2f, their moving average %.2f\n", p, o.Averaged(p))
	// Output:
	// parameters [1.00 -2.00], their moving average [1.00 -2.00]
}
