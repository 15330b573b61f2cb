package config

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plume-ml/plume/trainer/data"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.toml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommonIsValid(t *testing.T) {
	if err := Common().Validate(); err != nil {
		t.Fatal(err)
	}
}

// Every field of Config and of the embedded Options is a key, once, with what help needs.
func TestKeysCoverTheStruct(t *testing.T) {
	c := Common()
	keys := c.Keys()
	fields := 0
	for _, typ := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeOf(c.Options)} {
		for i := range typ.NumField() {
			if field := typ.Field(i); !field.Anonymous {
				fields++
			}
		}
	}
	if len(keys) != fields {
		t.Errorf("%d keys for %d fields", len(keys), fields)
	}
	seen := map[string]bool{}
	for _, key := range keys {
		if !regexp.MustCompile(`^[a-z][a-z_]*$`).MatchString(key.Name) || seen[key.Name] {
			t.Errorf("key %q: odd name, or twice", key.Name)
		}
		seen[key.Name] = true
		if key.Help == "" || key.Group == "" {
			t.Errorf("key %q lacks help or group", key.Name)
		}
	}
	key := c.Key("batch_repeats")
	if key.Flag() != "batch-repeats" || key.Env() != "PLUME_BATCH_REPEATS" || key.Group != "Particles" {
		t.Errorf("flag %s, environment %s, group %s", key.Flag(), key.Env(), key.Group)
	}
	if got := c.Key("lr").Group; got != "Optimizer" {
		t.Errorf("group of lr: %s", got)
	}
	if got := c.Key("solver").Group; got != "Reports" {
		t.Errorf("group of solver: %s", got)
	}
}

// mangled differs from Default in every key and holds values that are hard to print.
func mangled() Config {
	c := Common()
	for _, key := range c.Keys() {
		switch p := key.value.(type) {
		case *boolean:
			*p = !*p
		case *integer:
			*p += 7
		case *natural:
			*p = math.MaxInt64
		case *number:
			*p = number(math.Nextafter(float64(*p)/3+1e-17, 1))
		case *integers:
			*p = []int{1, 2, 3}
		case *interval:
			p.Epochs, p.Time = 0, 90*time.Minute
		default:
			p.parse("C:\\dir \"q\" ü = # 'x'")
		}
	}
	c.LambdaMin, c.StepSize, c.LR, c.ScoreLR = -1e-300, 5e-324, math.MaxFloat64, 3
	return c
}

func TestTOMLRoundTrip(t *testing.T) {
	empty := Common()
	empty.DecoderWidths = []int{}
	for name, want := range map[string]Config{"default": Common(), "mangled": mangled(), "no widths": empty} {
		text, err := want.TOML()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got Config
		if _, err := got.LoadFile(writeFile(t, string(text))); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v\nwant %+v\n%s", name, got, want, text)
		}
		if changed := want.Changed(got); changed != nil {
			t.Errorf("%s: changed %v", name, changed)
		}
	}
}

func TestTOMLIsReadable(t *testing.T) {
	text, err := Common().TOML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Data\n\n# fashion10k, digits, or a path",
		"\n# Particles\n",
		"\nstep_size = 0.003\n",
		"\ndecoder_widths = [256, 512]\n",
		"\n# one of overdamped, underdamped, exact\ndynamics = \"underdamped\"\n",
		"\nlambda_min = -10.0\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestNilWidthsAreWritten(t *testing.T) {
	c := Common()
	c.DecoderWidths = nil
	text, err := c.TOML()
	if err != nil || !strings.Contains(string(text), "decoder_widths = []") {
		t.Errorf("%v\n%s", err, text)
	}
}

// Text of every value sets the same value: flags and environment can say what a file can.
func TestSetReadsString(t *testing.T) {
	want := mangled()
	got := Common()
	for _, key := range got.Keys() {
		if err := key.Set(want.Key(key.Name).String()); err != nil {
			t.Errorf("%s: %v", key.Name, err)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestSetRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"gray": "perhaps", "epochs": "1.5", "seed": "-1", "lr": "1e", "decoder_widths": "1,,2", "batch": "",
		"checkpoint_every": "ten minutes",
	} {
		c := Common()
		if err := c.Key(name).Set(text); err == nil || !strings.HasPrefix(err.Error(), "expected ") {
			t.Errorf("%s = %q: %v", name, text, err)
		}
		if changed := c.Changed(Common()); changed != nil {
			t.Errorf("%s = %q changed %v", name, text, changed)
		}
	}
}

func TestLoadFileSetsOnlyWhatItNames(t *testing.T) {
	base := Common()
	c := base
	if _, err := c.LoadFile(writeFile(t, "epochs = 3\nlr = 1 # an integer is a number\ndecoder_widths = [8]\n")); err != nil {
		t.Fatal(err)
	}
	if c.Epochs != 3 || c.LR != 1 || !slices.Equal(c.DecoderWidths, []int{8}) {
		t.Errorf("got %+v", c)
	}
	if got := base.Changed(c); !slices.Equal(got, []string{"epochs", "decoder_widths", "lr"}) {
		t.Errorf("changed %v", got)
	}
	if !slices.Equal(base.DecoderWidths, []int{256, 512}) {
		t.Errorf("loading wrote into another Config's widths: %v", base.DecoderWidths)
	}
}

func TestLoadFileErrors(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string // in the message
	}{
		{"epochs = 1\n\nstepsize = 1\n", []string{"file.toml:3: unknown key stepsize", `did you mean "step_size"?`}},
		{"Epochs = 1\n", []string{"file.toml:1: unknown key Epochs", `"epochs"`}},
		{"[optimizer_options]\nlr = 1\n", []string{"file.toml:1", "unknown key optimizer_options"}},
		{"zzzzzzzzzzzzzzzzzzzz = 1\nbatches = 1\n", []string{"unknown key zzzzzzzzzzzzzzzzzzzz\n", `file.toml:2: unknown key batches (did you mean "batch"?)`}},
		{"lr = 1.0\nepochs = \"many\"\n", []string{"file.toml:2: epochs = \"many\": expected an integer"}},
		{"epochs = 1.0\n", []string{"file.toml:1: epochs = 1.0: expected an integer"}},
		{"seed = -1\n", []string{"file.toml:1: seed = -1: expected an integer, 0 or more"}},
		{"decoder_widths = 256\n", []string{"file.toml:1: decoder_widths = 256: expected a list of integers"}},
		{"decoder_widths = [1, 2.5]\n", []string{"decoder_widths = [1, 2.5]: expected a list"}},
		{"gray = 1\n", []string{"file.toml:1: gray = 1: expected true or false"}},
		{"lr = true\n", []string{"file.toml:1: lr = true: expected a number"}},
		{"data = 3\n", []string{"file.toml:1: data = 3: expected text"}},
		{"\n[particles]\nstep_size = 1.0\n", []string{"file.toml:2: particles = a table: expected an integer"}},
		{"lr.lr = 1\n", []string{"file.toml:1: lr = a table: expected a number"}},
		{"epochs = \n", []string{"file.toml:1"}},
		{"epochs = 1\nepochs = 2\n", []string{"file.toml:2", "epochs"}},
	} {
		c := Common()
		_, err := c.LoadFile(writeFile(t, test.text))
		if err == nil {
			t.Errorf("%q: no error", test.text)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %q is not in %q", test.text, want, err)
			}
		}
		if changed := c.Changed(Common()); changed != nil {
			t.Errorf("%q: an error, yet it changed %v", test.text, changed)
		}
	}
	c := Common()
	if _, err := c.LoadFile(filepath.Join(t.TempDir(), "none.toml")); err == nil || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("missing file: %v", err)
	}
}

func TestLoadEnv(t *testing.T) {
	env := map[string]string{"PLUME_BATCH_REPEATS": "2", "PLUME_GRAY": "true", "PLUME_LR": "2e-3", "PLUME_KERNEL": "generic"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	c := Common()
	if _, err := c.LoadEnv(lookup); err != nil {
		t.Fatal(err)
	}
	if c.BatchRepeats != 2 || !c.Gray || c.LR != 2e-3 {
		t.Errorf("got %+v", c)
	}
	env = map[string]string{"PLUME_EPOCHS": "ten", "PLUME_EMA": ""}
	_, err := c.LoadEnv(lookup)
	if err == nil || !strings.Contains(err.Error(), `PLUME_EPOCHS="ten": expected an integer`) ||
		!strings.Contains(err.Error(), `PLUME_EMA="": expected a number`) {
		t.Errorf("got %v", err)
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
		{func(c *Config) { c.Holdout, c.EMA, c.Friction = nan, nan, nan }, []string{"holdout = NaN", "ema = NaN", "friction = NaN"}},
		{func(c *Config) { c.Seed = 1 << 63 }, []string{"seed = 9223372036854775808: expected"}},
		{func(c *Config) { c.Epochs, c.Batch, c.Tile, c.Threads = 0, 0, 0, -1 }, []string{"epochs = 0", "batch = 0", "tile = 0", "threads = -1"}},
		{func(c *Config) { c.Method = "ipdl" }, []string{`method = "ipdl": expected one of ipld, pgd`}},
		{func(c *Config) { c.Dynamics = "" }, []string{`dynamics = "": expected one of overdamped, underdamped`}},
		{func(c *Config) { c.ObsNoise, c.StepSize, c.LR = 0, inf, nan }, []string{"obs_noise = 0: expected a finite number above 0", "step_size = +Inf", "lr = NaN"}},
		{func(c *Config) { c.DecoderDecay = inf }, []string{"decoder_decay = +Inf: expected a finite number"}},
		{func(c *Config) { c.DecoderDecay = 1 / c.LR }, []string{"decoder_decay = 500: expected less than 1/lr"}},
		{func(c *Config) { c.DecoderWidths = []int{8, 0} }, []string{"decoder_widths = [8 0]: expected integers in [1,"}},
		{func(c *Config) { c.ScoreFeatures = 63 }, []string{"score_features = 63: expected an even integer"}},
		{func(c *Config) { c.LambdaMin, c.LambdaMax = 2, 1 }, []string{"lambda_min = 2: expected a number below lambda_max = 1"}},
		{func(c *Config) { c.LambdaMax = 1e9 }, []string{"lambda_max = 1e+09: expected a number in [-40, 40]"}},
		{func(c *Config) { c.ControlVariate, c.PriorDrift = true, "score" }, []string{"control_variate = true: expected false with prior_drift"}},
		{func(c *Config) { c.EvalSamples = 1 }, []string{"eval_samples = 1"}},
		{func(c *Config) { c.Latent = 1 << 40 }, []string{"latent = 1099511627776: expected an integer in [1, 65536]"}},
	} {
		c := Common()
		test.change(&c)
		err := c.Validate()
		if err == nil {
			t.Errorf("no error, wanted %q", test.want)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in %q", want, err)
			}
		}
		if got := len(strings.Split(err.Error(), "\n")); got != len(test.want) {
			t.Errorf("%d problems, expected %d: %v", got, len(test.want), err)
		}
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
		want := key.Name + ` = "none": expected one of ` + strings.Join(key.Choices, ", ")
		if err := errors.Join(c.Key(key.Name).Set("none"), c.Validate()); err == nil || err.Error() != want {
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
	if err == nil || !strings.Contains(err.Error(), "batch = 250: expected 500") || !strings.Contains(err.Error(), "lr = 1: expected 0.002") ||
		strings.Contains(err.Error(), "threads = ") {
		t.Errorf("got %v", err)
	}
	for _, name := range resumable {
		run.Key(name) // panics if there is no such key
	}
}

// checkpoint_every is a number of epochs or a time, as a flag says it, and a file as number or text.
func TestEvery(t *testing.T) {
	for text, want := range map[string]Every{
		"0": {}, "40": {Epochs: 40}, "10m": {Time: 10 * time.Minute}, "90s": {Time: 90 * time.Second},
		"1h30m": {Time: 90 * time.Minute}, "2h": {Time: 2 * time.Hour}, "1h0m5s": {Time: time.Hour + 5*time.Second},
		"250ms": {Time: 250 * time.Millisecond}, " 7 ": {Epochs: 7},
	} {
		c := Common()
		if err := c.Key("checkpoint_every").Set(text); err != nil || c.CheckpointEvery != want {
			t.Errorf("%q is read as %v, %v", text, c.CheckpointEvery, err)
		}
		for _, value := range []string{strconv.Quote(text), text} {
			c := Common()
			if _, isTime := strconv.Atoi(strings.TrimSpace(text)); value == text && isTime != nil {
				continue
			}
			if _, err := c.LoadFile(writeFile(t, "checkpoint_every = "+value)); err != nil || c.CheckpointEvery != want {
				t.Errorf("%s in a file is read as %v, %v", value, c.CheckpointEvery, err)
			}
		}
		again, err := parseEvery(want.String())
		if err != nil || again != want {
			t.Errorf("%v as text is read as %v, %v", want, again, err)
		}
	}
	if got := (Every{Time: 90 * time.Second}).String(); got != "1m30s" {
		t.Errorf("90 s are %q", got)
	}
	for _, text := range []string{"", "-5m", "0s", "10 minutes", "1.5", "10m,20m", "300000h0m0.5"} {
		c := Common()
		if err := c.Key("checkpoint_every").Set(text); err == nil {
			t.Errorf("%q is read as %v", text, c.CheckpointEvery)
		} else if want := "expected an integer of epochs, or a time such as 10m or 90s"; err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, value := range []string{"true", "1.5", "\"x\"", "[1]", "07:32:00"} {
		c := Common()
		if _, err := c.LoadFile(writeFile(t, "checkpoint_every = "+value)); err == nil {
			t.Errorf("%s in a file is read as %v", value, c.CheckpointEvery)
		}
	}
}

// What is no file of a sensible size is refused, soon and in little memory.
func TestOddConfigFiles(t *testing.T) {
	long := writeFile(t, "# "+strings.Repeat("a", maxConfig))
	for path, want := range map[string]string{
		t.TempDir(): "not a regular file", long: "more than 1 MiB", "/dev/zero": "more than 1 MiB", long + "x": "no such file",
	} {
		if _, err := os.Stat(path); err != nil && path == "/dev/zero" {
			continue // not on this system
		}
		c := Common()
		if _, err := c.LoadFile(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, expected %q", path, err, want)
		}
	}
}
