package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.toml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTOMLRoundTrip(t *testing.T) {
	empty := Common()
	empty.DecoderWidths = []int{}
	for name, want := range map[string]Config{
		"default": Common(), "mangled": mangled(), "no widths": empty,
	} {
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
		"# Data\n\n# fashion10k, digits, emoji (colour), or a path",
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

func TestLoadFileSetsOnlyWhatItNames(t *testing.T) {
	base := Common()
	c := base
	path := writeFile(t, "epochs = 3\nlr = 1 # an integer is a number\ndecoder_widths = [8]\n")
	if _, err := c.LoadFile(path); err != nil {
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
		{
			"epochs = 1\n\nstepsize = 1\n",
			[]string{"file.toml:3: unknown key stepsize", `did you mean "step_size"?`},
		},
		{"Epochs = 1\n", []string{"file.toml:1: unknown key Epochs", `"epochs"`}},
		{"[optimizer_options]\nlr = 1\n", []string{"file.toml:1", "unknown key optimizer_options"}},
		{
			"zzzzzzzzzzzzzzzzzzzz = 1\nbatches = 1\n",
			[]string{
				"unknown key zzzzzzzzzzzzzzzzzzzz\n",
				`file.toml:2: unknown key batches (did you mean "batch"?)`,
			},
		},
		{
			"lr = 1.0\nepochs = \"many\"\n",
			[]string{"file.toml:2: epochs = \"many\": expected an integer"},
		},
		{"epochs = 1.0\n", []string{"file.toml:1: epochs = 1.0: expected an integer"}},
		{"seed = -1\n", []string{"file.toml:1: seed = -1: expected an integer, 0 or more"}},
		{
			"decoder_widths = 256\n",
			[]string{"file.toml:1: decoder_widths = 256: expected a list of integers"},
		},
		{"decoder_widths = [1, 2.5]\n", []string{"decoder_widths = [1, 2.5]: expected a list"}},
		{"gray = 1\n", []string{"file.toml:1: gray = 1: expected true or false"}},
		{"lr = true\n", []string{"file.toml:1: lr = true: expected a number"}},
		{"data = 3\n", []string{"file.toml:1: data = 3: expected text"}},
		{
			"\n[particles]\nstep_size = 1.0\n",
			[]string{"file.toml:2: particles = a table: expected an integer"},
		},
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
	_, err := c.LoadFile(filepath.Join(t.TempDir(), "none.toml"))
	if err == nil || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("missing file: %v", err)
	}
}

func TestLoadEnv(t *testing.T) {
	env := map[string]string{
		"PLUME_BATCH_REPEATS": "2",
		"PLUME_GRAY":          "true",
		"PLUME_LR":            "2e-3",
		"PLUME_KERNEL":        "generic",
	}
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

// Directories, devices and huge files are refused early, and in little memory.
func TestOddConfigFiles(t *testing.T) {
	long := writeFile(t, "# "+strings.Repeat("a", maxConfig))
	for path, want := range map[string]string{
		t.TempDir(): "not a regular file",
		long:        "more than 1 MiB",
		"/dev/zero": "more than 1 MiB",
		long + "x":  "no such file",
	} {
		if _, err := os.Stat(path); err != nil && path == "/dev/zero" {
			continue // not on this system
		}
		c := Common()
		_, err := c.LoadFile(path)
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, expected %q", path, err, want)
		}
	}
}

// A stored configuration has every key, but for those that came later and whose value it must have
// had: a run of before there were precisions was one in float32.
func TestLoadWhole(t *testing.T) {
	want := Common()
	want.Likelihood = GaussianLikelihood // as resolved
	text, err := want.TOML()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range want.Keys() {
		var lines []string
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, key.Name+" = ") {
				lines = append(lines, line)
			}
		}
		c, err := LoadWhole(writeFile(t, strings.Join(lines, "")))
		if _, known := before[key.Name]; known {
			if err != nil || !reflect.DeepEqual(c, want) {
				t.Errorf("without %s: %+v, error %v", key.Name, c, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "expected the key "+key.Name) {
			t.Errorf("without %s: error %v", key.Name, err)
		}
	}
}
