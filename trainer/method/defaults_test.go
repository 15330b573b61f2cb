package method

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
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

// Pictures are cut off at -1 and 1, and of those with MLPs most noise levels are drawn where they
// count. Other rows keep what suits any numbers; what was given stays.
func TestDefaultsOfPictures(t *testing.T) {
	gray, colour := data.Shape{H: 8, W: 8, C: 1}, data.Shape{H: 8, W: 8, C: 3}
	vector, signal := data.Shape{H: 1, W: 6, C: 1}, data.Shape{H: 1, W: 64, C: 1}
	for _, test := range []struct {
		kind  data.Kind
		shape data.Shape
		given string
		want  string
	}{
		{data.Pictures, gray, "", "clipped sech 4"},
		{data.Pictures, colour, "", "clipped uniform 3"}, // convolutions
		{data.Pictures, gray, "prior_levels=uniform", "clipped uniform 4"},
		{data.Pictures, gray, "likelihood=gaussian", "gaussian sech 4"},
		{data.Numbers, vector, "", "gaussian uniform 3"},
		{data.Numbers, vector, "likelihood=clipped", "clipped uniform 3"},
		{data.Signals, signal, "", "gaussian uniform 3"},
	} {
		c, is := Default(), func(string) bool { return false }
		if key, value, ok := strings.Cut(test.given, "="); ok {
			if err := c.Key(key).Set(value); err != nil {
				t.Fatal(err)
			}
			is = func(k string) bool { return k == key }
		}
		c, err := Resolve(c.On(test.kind, ""), test.shape, is)
		got := fmt.Sprintf("%s %s %d", c.Likelihood, c.PriorLevels, c.ScoreBlocks)
		if err != nil || got != test.want {
			t.Errorf("%s %v %s: %s, %v, expected %s", test.kind, test.shape, test.given, got, err,
				test.want)
		}
	}
	c := Default()
	c.Likelihood = config.ClippedLikelihood
	_, err := Resolve(c.On(data.Signals, ""), signal, nil)
	if err == nil || !strings.Contains(err.Error(), `likelihood = "clipped": expected gaussian`) {
		t.Errorf("signals, clipped: %v", err)
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

// The smallest scale of a table's columns is 1/sqrt(1 + (cells/650)^2), or the default if that is
// larger, or what was given; it stays when a run goes on.
func TestSmallestScale(t *testing.T) {
	asked := Default().On(data.Columns, "normal:8,bernoulli,categorical:5") // 10 columns
	shape := data.Shape{H: 1, W: 14, C: 1}
	for _, test := range []struct {
		rows  int
		given bool
		want  float64
	}{
		// 650 cells: 1/sqrt(2); 1,560: 1/sqrt(1 + 2.4^2) = 1/2.6
		{65, false, 0.7071}, {156, false, 0.3846}, {5000, false, 0.1}, {60, true, 0.25},
	} {
		c, given := asked, func(key string) bool { return test.given && key == "obs_noise" }
		if test.given {
			c.ObsNoise = 0.25
		}
		resolved, err := Resolve(c, shape, given)
		if err != nil {
			t.Fatal(err)
		}
		got := Suited(resolved, c, test.rows, given)
		if got.ObsNoise != test.want || got.Epochs == 0 {
			t.Errorf("%d rows, given %v: %v, want %v; %d epochs", test.rows, test.given,
				got.ObsNoise, test.want, got.Epochs)
		}
		if again := Resolved(c, got, given); again.ObsNoise != test.want {
			t.Errorf("%d rows: %v when the run goes on", test.rows, again.ObsNoise)
		}
	}
	pictures, err := Resolve(Default(), data.Shape{H: 8, W: 8, C: 1}, nil)
	if got := Suited(pictures, Default(), 20, nil); err != nil || got.ObsNoise != 0.2 {
		t.Errorf("pictures: %v, %v", got.ObsNoise, err)
	}
}
