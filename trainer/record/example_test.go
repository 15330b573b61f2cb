package record_test

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/record"
)

// An unknown number is null in JSON, and NaN in Go.
func ExampleNumber() {
	text, err := json.Marshal([]record.Number{0.25, record.Number(math.NaN())})
	fmt.Println(string(text), err)
	var back []record.Number
	err = json.Unmarshal(text, &back)
	fmt.Println(back, err)
	// Output:
	// [0.25,null] <nil>
	// [0.25 NaN] <nil>
}
