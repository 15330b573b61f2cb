package method

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
)

// Every method has valid defaults, and its own values where they differ from the common ones.
func TestDefaultFor(t *testing.T) {
	for _, name := range config.Methods {
		c, err := DefaultFor(name)
		if err != nil || Validate(c) != nil || c.Method != name {
			t.Errorf("%s: method %q, %v, %v", name, c.Method, err, Validate(c))
		}
	}
	for name, want := range map[config.Method]string{
		"ipld":          "underdamped batch=500 anchor=2 h=0.006..0.001 friction=0.3 decay=1",
		"pgd":           "overdamped batch=500 anchor=0 h=0.003..0.0005 friction=0.2 decay=0",
		"pgd+diffusion": "underdamped batch=500 anchor=0 h=0.006..0.001 friction=0.3 decay=1",
		"shortrun":      "overdamped batch=500 anchor=0 h=0.01..0.01 friction=0.2 decay=0",
		"vae":           "underdamped batch=125 anchor=0 h=0.003..0.0005 friction=0.2 decay=0",
	} {
		c, _ := DefaultFor(name)
		got := fmt.Sprintf("%s batch=%d anchor=%v h=%v..%v friction=%v decay=%v", c.Dynamics,
			c.Batch, c.ScaleAnchor, c.StepSize, c.StepSizeEnd, c.Friction, c.DecoderDecay)
		if got != want {
			t.Errorf("%s: %s, expected %s", name, got, want)
		}
	}
	if _, err := DefaultFor("pdg"); err == nil || !strings.Contains(err.Error(), `"pdg"`) {
		t.Errorf("an unknown method: %v", err)
	}
}

// There is a spec for every method that a configuration can name, in the same order.
func TestMethods(t *testing.T) {
	names := make([]config.Method, len(specs))
	for i, s := range specs {
		names[i] = s.name
	}
	if !slices.Equal(names, config.Methods) {
		t.Errorf("methods %q, expected %q", names, config.Methods)
	}
}
