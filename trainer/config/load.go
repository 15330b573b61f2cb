package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/suggest"
)

// LoadFile sets in c the keys that the TOML file at path names, and returns them; the others keep
// their values. Errors, such as unknown keys and values of a wrong type, name file, line and key,
// and leave c as it was.
func (c *Config) LoadFile(path string) ([]Given, error) {
	text, err := readConfig(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return c.Parse(path, text)
}

// before is what trainings did before there was a key for it.
var before = map[string]string{
	"precision": string(blas.Float32), "likelihood": GaussianLikelihood, "as": string(data.Auto),
	"lanes": "1", "schema": "", "missing": "false", "length": "0", "sample_rate": "0",
	"prior_levels": string(diffusion.Uniform),
}

// LoadWhole reads a configuration file that must set every key, as stored ones do: a default that
// has changed since must not affect a stored run. Of newer keys it may lack those whose value it
// must have had.
func LoadWhole(path string) (Config, error) {
	text, err := readConfig(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return ParseWhole(path, text)
}

// ParseWhole is like LoadWhole, for a text that was read from path.
func ParseWhole(path string, text []byte) (c Config, err error) {
	given, err := c.Parse(path, text)
	if err != nil {
		return Config{}, err
	}
	for _, key := range c.Keys() {
		if slices.ContainsFunc(given, func(g Given) bool { return g.Key == key.Name }) {
			continue
		}
		if value, known := before[key.Name]; !known || key.Set(value) != nil {
			return Config{}, fmt.Errorf("%s: expected the key %s, as in every configuration that "+
				"this version stores", path, key.Name)
		}
	}
	return c, nil
}

// Parse is like LoadFile, for a text that was read from path.
func (c *Config) Parse(path string, text []byte) ([]Given, error) {
	values := map[string]any{}
	meta, err := toml.Decode(string(text), &values)
	if parse := (toml.ParseError{}); errors.As(err, &parse) {
		return nil, fmt.Errorf("%s:%d: %s", path, parse.Position.Line, parse.Message)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	loaded := *c
	keys, lines := loaded.Keys(), keyLines(text)
	var given []Given
	var p Problems
	for _, key := range meta.Keys() { // in the order of the file
		name := key[0] // a key inside a table counts as the table
		if slices.ContainsFunc(given, func(g Given) bool { return g.Key == name }) {
			continue
		}
		g := Given{name, path}
		if line := lines[name]; line > 0 {
			g.Where = fmt.Sprintf("%s:%d", path, line)
		}
		given = append(given, g)
		if err := setGiven(keys, g, values[name]); err != nil {
			p = append(p, err)
		}
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	*c = loaded
	return given, nil
}

// setGiven sets one of the keys to a value as the TOML decoder produced it.
func setGiven(keys []Key, g Given, v any) error {
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == g.Key })
	if i < 0 {
		hint := suggest.DidYouMean(g.Key, keyNames(keys))
		return fmt.Errorf("%s: unknown key %s%s", g.Where, g.Key, hint)
	}
	if err := keys[i].setTOML(v); err != nil {
		return fmt.Errorf("%s: %s = %s: %w%s", g.Where, g.Key, literal(v), err, keys[i].cure(v))
	}
	return nil
}

func keyNames(keys []Key) []string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.Name
	}
	return names
}

// keyLine is a line that begins with a top-level key or table. Quotes may be around the name.
var keyLine = regexp.MustCompile(
	`^[ \t[]*(?:"([^"]+)"|'([^']+)'|([^"'=.\]\s]+))[ \t]*[=.\]]`)

// keyLines are the lines of the keys of text, from 1. A search by lines may miss a key.
func keyLines(text []byte) map[string]int {
	lines := map[string]int{}
	for i, line := range bytes.Split(text, []byte("\n")) {
		match := keyLine.FindSubmatch(line)
		if match == nil {
			continue
		}
		name := string(slices.Concat(match[1:]...))
		if lines[name] == 0 {
			lines[name] = i + 1
		}
	}
	return lines
}

// LoadEnv sets the keys whose environment variable is set, and returns them. lookup is usually
// os.LookupEnv.
func (c *Config) LoadEnv(lookup func(name string) (string, bool)) (given []Given, err error) {
	var p Problems
	for _, key := range c.Keys() {
		text, ok := lookup(key.Env())
		if !ok {
			continue
		}
		given = append(given, Given{key.Name, "environment variable " + key.Env()})
		if err := key.Set(text); err != nil {
			p = append(p, fmt.Errorf("environment variable %s=%q: %w", key.Env(), text, err))
		}
	}
	return given, p.Err()
}

// TOML returns c as a commented configuration file, from which LoadFile reads the same Config.
func (c Config) TOML() ([]byte, error) {
	var out bytes.Buffer
	group := ""
	for _, key := range c.Keys() {
		if key.Group != group {
			group = key.Group
			fmt.Fprintf(&out, "\n# %s\n\n", group)
		}
		fmt.Fprintf(&out, "# %s\n", key.Help)
		if len(key.Choices) > 0 {
			fmt.Fprintf(&out, "# one of %s\n", strings.Join(key.Choices, ", "))
		}
		line := map[string]any{key.Name: key.value.encode()}
		if err := toml.NewEncoder(&out).Encode(line); err != nil {
			return nil, fmt.Errorf("configuration: %s: %w", key.Name, err)
		}
	}
	return bytes.TrimLeft(out.Bytes(), "\n"), nil
}
