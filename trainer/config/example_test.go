package config_test

import (
	"fmt"
	"log"

	"github.com/plume-ml/plume/trainer/config"
)

// Every key has a name in files, a flag and an environment variable. Validate reports all faults at
// once.
func Example() {
	c := config.Common()
	key := c.Key("step_size")
	fmt.Println(key.Name, "--"+key.Flag(), key.Env(), "=", key)
	if err := key.Set("-1"); err != nil { // a number, but out of range
		log.Fatal(err)
	}
	c.Epochs = -1
	fmt.Println(c.Validate())
	// Output:
	// step_size --step-size PLUME_STEP_SIZE = 0.003
	// epochs = -1: expected an integer in [0, 2147483647]
	// step_size = -1: expected a finite number above 0
}

// A file sets the keys that it names. If it has mistakes, they are reported with their lines, and
// it sets nothing.
func ExampleConfig_Parse() {
	c := config.Common()
	given, err := c.Parse("run.toml", []byte("epochs = 20\ndecoder_widths = [64, 128]\n"))
	fmt.Println(len(given), "keys,", err)
	fmt.Println(c.Epochs, c.DecoderWidths, c.Batch)
	_, err = c.Parse("run.toml", []byte("step_sise = 0.01\nlr = \"0.1\"\n"))
	fmt.Println(err)
	// Output:
	// 2 keys, <nil>
	// 20 [64 128] 500
	// run.toml:1: unknown key step_sise (did you mean "step_size"?)
	// run.toml:2: lr = "0.1": expected a number; write lr = 0.1, without quotes
}
