package compare_test

import (
	"fmt"
	"log"

	"github.com/plume-ml/plume/trainer/compare"
)

// A contestant is a method, with keys of the configuration that only it sets.
func ExampleParse() {
	contestants, err := compare.Parse("pgd,ipld:particles=4:decoder_widths=[64,128]")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range contestants {
		fmt.Println(c.Method, c.Own)
	}
	_, err = compare.Parse("ipld:particles")
	fmt.Println(err)
	// Output:
	// pgd []
	// ipld [{particles 4} {decoder_widths 64,128}]
	// contestant "ipld:particles": "particles": expected KEY=VALUE
}
