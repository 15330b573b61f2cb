package config

import (
	"testing"
)

// No configuration file makes Parse panic. An error leaves the configuration as it was. What is
// accepted is the same after it was stored and read again.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"", "epochs = 3\n", "checkpoint_every = \"10m\"\n", "checkpoint_every = 7\n",
		"decoder_widths = [1, 2]\n",
		"lr = nan\n", "lr = -inf\nseed = 0x7f\n", "[table]\nepochs = 3\n", "epochs.x = 1\n",
		"\"data\" = '''\na'''\n",
		"epochs = 1979-05-27T07:32:00Z\n", "epochs = 3\nepochs = 4\n", "data = \"\\u0000\"\n",
		"a = [[[[[[1]]]]]]\n",
	} {
		f.Add([]byte(text))
	}
	whole, err := Common().TOML()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, text []byte) {
		c := Common()
		if _, err := c.Parse("fuzz.toml", text); err != nil {
			if changed := c.Changed(Common()); changed != nil {
				t.Fatalf("changed %v in spite of %v", changed, err)
			}
			return
		}
		_ = c.Validate()
		stored, err := c.TOML()
		if err != nil {
			t.Fatal(err)
		}
		back := Common()
		if _, err := back.Parse("stored.toml", stored); err != nil {
			t.Fatalf("%v in\n%s", err, stored)
		}
		if changed := c.Changed(back); changed != nil {
			t.Fatalf("%v changed by storing:\n%s", changed, stored)
		}
	})
}
