package config

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
)

func TestCommonIsValid(t *testing.T) {
	if err := Common().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidateReportsEverything(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, test := range []struct {
		change func(*Config)
		want   []string
	}{
		{func(c *Config) { c.Data = "" }, []string{`data = "": expected`}},
		{func(c *Config) { c.Data = "a\nb" }, []string{`data = "a\nb": expected`}},
		{func(c *Config) { c.Holdout = 1 }, []string{"holdout = 1: expected a number in [0, 1)"}},
		{
			func(c *Config) { c.Holdout, c.EMA, c.Friction = nan, nan, nan },
			[]string{"holdout = NaN", "ema = NaN", "friction = NaN"},
		},
		{func(c *Config) { c.Seed = 1 << 63 }, []string{"seed = 9223372036854775808: expected"}},
		{
			func(c *Config) { c.Epochs, c.Batch, c.Tile, c.Threads = -1, 0, 0, -1 },
			[]string{"epochs = -1", "batch = 0", "tile = 0", "threads = -1"},
		},
		{
			func(c *Config) { c.Method = "ipdl" },
			[]string{`method = "ipdl": expected one of ipld, pgd`},
		},
		{
			func(c *Config) { c.Dynamics = "" },
			[]string{`dynamics = "": expected one of overdamped, underdamped`},
		},
		{
			func(c *Config) { c.ObsNoise, c.StepSize, c.LR = 0, inf, nan },
			[]string{
				"obs_noise = 0: expected a finite number above 0", "step_size = +Inf", "lr = NaN",
			},
		},
		{
			func(c *Config) { c.DecoderDecay = inf },
			[]string{"decoder_decay = +Inf: expected a finite number"},
		},
		{
			func(c *Config) { c.DecoderDecay = 1 / c.LR },
			[]string{"decoder_decay = 500: expected less than 1/lr"},
		},
		{
			func(c *Config) { c.DecoderWidths = []int{8, 0} },
			[]string{"decoder_widths = 8, 0: expected integers in [1,"},
		},
		{
			func(c *Config) { c.ScoreFeatures = 63 },
			[]string{"score_features = 63: expected an even integer"},
		},
		{
			func(c *Config) { c.LambdaMin, c.LambdaMax = 2, 1 },
			[]string{"lambda_min = 2: expected a number below lambda_max = 1"},
		},
		{
			func(c *Config) { c.LambdaMax = 1e9 },
			[]string{"lambda_max = 1e+09: expected a number in [-40, 40]"},
		},
		{
			func(c *Config) { c.ControlVariate, c.PriorDrift = true, "score" },
			[]string{"control_variate = true: expected false with prior_drift"},
		},
		{func(c *Config) { c.EvalSamples = 1 }, []string{"eval_samples = 1"}},
		{
			func(c *Config) { c.Latent = 1 << 40 },
			[]string{"latent = 1099511627776: expected an integer in [1, 65536]"},
		},
	} {
		c := Common()
		test.change(&c)
		checkProblems(t, c.Validate(), test.want)
	}
}

// checkProblems fails the test unless err has one line with each of the wanted texts.
func checkProblems(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, wanted %q", want)
		return
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is not in %q", text, err)
		}
	}
	if got := len(strings.Split(err.Error(), "\n")); got != len(want) {
		t.Errorf("%d problems, expected %d: %v", got, len(want), err)
	}
}

// Each number, taken out of every sensible range, is noticed.
func TestValidateChecksEveryNumber(t *testing.T) {
	base := Common()
	for _, key := range base.Keys() {
		c := Common()
		switch p := c.Key(key.Name).value.(type) {
		case *integer:
			*p = -1
		case *number:
			*p = number(math.NaN())
		case *natural:
			*p = math.MaxUint64
		case *integers:
			*p = []int{-1}
		case *interval:
			p.Epochs = -1
		default:
			continue
		}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), key.Name+" = ") {
			t.Errorf("%s: %v", key.Name, err)
		}
	}
}

// An enumeration takes its values, and no others.
func TestChoices(t *testing.T) {
	base := Common()
	for _, key := range base.Keys() {
		for _, choice := range key.Choices {
			c := Common()
			if err := errors.Join(c.Key(key.Name).Set(choice), c.Validate()); err != nil {
				t.Errorf("%s = %s: %v", key.Name, choice, err)
			}
		}
		if len(key.Choices) == 0 {
			continue
		}
		c := Common()
		want := key.Name + ` = "nothing": expected one of ` + strings.Join(key.Choices, ", ")
		err := errors.Join(c.Key(key.Name).Set("nothing"), c.Validate())
		if err == nil || err.Error() != want {
			t.Errorf("%v, expected %s", err, want)
		}
	}
}

// The configuration and the data accept the same sizes.
func TestSizeOfImages(t *testing.T) {
	for size, ok := range map[int]bool{-1: false, 0: true, maxSide: true, maxSide + 1: false} {
		c := Common()
		c.Size = size
		if err := c.Validate(); (err == nil) != ok {
			t.Errorf("size = %d: %v", size, err)
		}
		_, err := data.Open(context.Background(), "none", data.Options{Size: size})
		if refused := err != nil && strings.Contains(err.Error(), "--size is"); refused == ok {
			t.Errorf("data of size %d: %v", size, err)
		}
	}
}

func TestCheckResume(t *testing.T) {
	run := Common()
	asked := run
	asked.Epochs, asked.Threads, asked.Solver = 100, 3, "ddim"
	if err := run.CheckResume(asked); err != nil {
		t.Errorf("allowed changes: %v", err)
	}
	asked.Batch, asked.LR = 250, 1
	err := run.CheckResume(asked)
	if err == nil || !strings.Contains(err.Error(), "batch = 250: expected 500") ||
		!strings.Contains(err.Error(), "lr = 1: expected 0.002") ||
		strings.Contains(err.Error(), "threads = ") {
		t.Errorf("got %v", err)
	}
	for _, name := range resumable {
		run.Key(name) // panics if there is no such key
	}
}

// Lists are shown with commas, and text in quotes.
func TestText(t *testing.T) {
	for want, value := range map[string]any{
		"8, 8, 4": []int{8, 8, 4}, "nothing": []int{}, `"conv"`: Conv, "0.5": 0.5, "true": true,
	} {
		if got := Text(value); got != want {
			t.Errorf("%v: %s, want %s", value, got, want)
		}
	}
}
