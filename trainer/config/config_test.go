package config

import (
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Every field of Config and of the embedded Options has exactly one key, with help and a group.
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
	if key.Flag() != "batch-repeats" || key.Env() != "PLUME_BATCH_REPEATS" ||
		key.Group != "Particles" {
		t.Errorf("flag %s, environment %s, group %s", key.Flag(), key.Env(), key.Group)
	}
	if got := c.Key("lr").Group; got != "Optimizer" {
		t.Errorf("group of lr: %s", got)
	}
	if got := c.Key("solver").Group; got != "Reports" {
		t.Errorf("group of solver: %s", got)
	}
}

// mangled differs from Common in every key and has values that are hard to print.
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

// Set reads what String returns, for every kind of value: flags and environment variables can
// express all values that a file can.
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
		"gray": "perhaps", "epochs": "1.5", "seed": "-1", "lr": "1e", "decoder_widths": "1,,2",
		"batch": "", "checkpoint_every": "ten minutes",
	} {
		c := Common()
		err := c.Key(name).Set(text)
		if err == nil || !strings.HasPrefix(err.Error(), "expected ") {
			t.Errorf("%s = %q: %v", name, text, err)
		}
		if changed := c.Changed(Common()); changed != nil {
			t.Errorf("%s = %q changed %v", name, text, changed)
		}
	}
}

// checkpoint_every is a number of epochs or a time; in a file, a number or a string.
func TestEvery(t *testing.T) {
	for text, want := range map[string]Every{
		"0":     {},
		"40":    {Epochs: 40},
		"10m":   {Time: 10 * time.Minute},
		"90s":   {Time: 90 * time.Second},
		"1h30m": {Time: 90 * time.Minute},
		"2h":    {Time: 2 * time.Hour}, "1h0m5s": {Time: time.Hour + 5*time.Second},
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
			_, err := c.LoadFile(writeFile(t, "checkpoint_every = "+value))
			if err != nil || c.CheckpointEvery != want {
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
		} else if err.Error() != "expected an integer of epochs, or a time such as 10m or 90s" {
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
