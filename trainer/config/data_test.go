package config

import "testing"

// The length of a run that leaves it to the data: steps count where there are many datapoints,
// visits to each where there are few.
func TestLasting(t *testing.T) {
	for _, test := range []struct{ datapoints, batch, repeats, epochs int }{
		{100, 250, 10, 150},   // 1,500 steps, all on the same minibatch
		{100, 250, 1, 1500},   // the same
		{100, 250, 7, 215},    // 1,505 visits
		{4000, 250, 10, 41},   // 6,560 steps
		{100_000, 250, 10, 2}, // 4,000 steps an epoch
	} {
		c := Config{Batch: test.batch, Options: Options{BatchRepeats: test.repeats}}
		if got := c.Lasting(test.datapoints).Epochs; got != test.epochs {
			t.Errorf("%+v: %d epochs", test, got)
		}
		c.Epochs = 7
		if got := c.Lasting(test.datapoints).Epochs; got != 7 {
			t.Errorf("%+v: %d epochs instead of the 7 asked for", test, got)
		}
	}
}
