package method

import (
	"cmp"
	flags "flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
)

var update = flags.Bool("update", false, "write config/KEYS.md")

// keysHead has ' for the marks of code.
const keysHead = `# Every key

All keys of the configuration: what they do, their values, units and defaults. This document is
written by 'go generate ./trainer/method' from the declarations of the keys.

A key is a flag of 'plume train', an environment variable, and a line of the file that '--config'
names. Flags override the environment, which overrides the file, which overrides the defaults
([which keys are refused](../run/README.md#configuration)). Lists are '256,512' in flags and
variables, and '[256, 512]' in files.

A default for *convolutions*, *pictures* or *tables* takes the place of those before it where the
networks are convolutions, or the data pictures for MLPs or a table. A key without unit has 1 in
that column.
`

const keysTable = "\n## %s\n\n| key | type | values | default | unit | what it does |\n" +
	"|---|---|---|---|---|---|\n"

// TestKeysDocument: config/KEYS.md is what the declarations of the keys say. -update writes it.
func TestKeysDocument(t *testing.T) {
	const path = "../config/KEYS.md"
	want := keysDocument()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the keys are (%v): go generate ./trainer/method", path, err)
	}
	c := Default()
	for _, key := range c.Keys() {
		number := key.Type() == "int" || key.Type() == "ints" || key.Type() == "float"
		if (key.Unit != "") != (number && key.Name != "seed" || key.Name == "checkpoint_every") {
			t.Errorf("%s, %s: the unit is %q", key.Name, key.Type(), key.Unit)
		}
	}
}

func keysDocument() string {
	var out strings.Builder
	out.WriteString(strings.ReplaceAll(keysHead, "'", "`"))
	c := config.Common()
	group := ""
	for _, key := range c.Keys() {
		if key.Group != group {
			group = key.Group
			fmt.Fprintf(&out, keysTable, group)
		}
		fmt.Fprintf(&out, "| <a id=\"%s\"></a>`%s`<br>`--%s`<br>`%s` | %s | %s | %s | %s | %s |\n",
			key.Name, key.Name, key.Flag(), key.Env(), kindOf(key), cmp.Or(valuesOf(key), " "),
			defaultsOf(key), cmp.Or(key.Unit, " "), key.Help+readersOf(key.Name))
	}
	return out.String()
}

func kindOf(key config.Key) string {
	if len(key.Choices) > 0 {
		return "choice"
	}
	return strings.ReplaceAll(key.Type(), "|", " or ")
}

func valuesOf(key config.Key) string {
	if len(key.Choices) > 0 {
		return "`" + strings.Join(key.Choices, "`, `") + "`"
	}
	return key.Values
}

// defaultsOf are the default of most methods, then those of others, of convolutions, of
// pictures with MLPs and of tables.
func defaultsOf(key config.Key) string {
	common := config.Common()
	usual := common.Key(key.Name).String()
	all := []string{quoted(usual)}
	if key.Name == "method" {
		return all[0]
	}
	var values []string
	methods := map[string][]string{}
	for _, m := range specs {
		c := m.usual()
		value := c.Key(key.Name).String()
		if value == usual || !Reads(m.name, key.Name) {
			continue
		}
		if methods[value] == nil {
			values = append(values, value)
		}
		methods[value] = append(methods[value], string(m.name))
	}
	for _, value := range values {
		all = append(all, strings.Join(methods[value], ", ")+": "+quoted(value))
	}
	if value, ok := convolutions[key.Name]; ok {
		all = append(all, "*convolutions*: "+quoted(value))
	}
	if value, ok := picturesByMLP[key.Name]; ok {
		all = append(all, "*pictures*: "+quoted(value))
	}
	if value, ok := tables[key.Name]; ok {
		all = append(all, "*tables*: "+quoted(value))
	}
	if key.Name == "decoder_widths" {
		narrow, wide := common, common
		narrow.Likelihood, wide.Likelihood = "normal:1", "normal:1000"
		all = append(all, "*tables*: "+quoted(ofTables(narrow)[key.Name])+" to "+
			quoted(ofTables(wide)[key.Name])+", by their columns")
	}
	return strings.Join(all, "; ")
}

func quoted(value string) string {
	if value == "" {
		return "empty"
	}
	return "`" + value + "`"
}

// readersOf says which methods read a key, if not all do.
func readersOf(key string) string {
	var readers, others []string
	for _, m := range specs {
		if Reads(m.name, key) {
			readers = append(readers, string(m.name))
		} else {
			others = append(others, string(m.name))
		}
	}
	switch {
	case len(others) == 0:
		return ""
	case len(others) < len(readers):
		return ". Not read by " + strings.Join(others, ", ")
	}
	return ". Read by " + strings.Join(readers, ", ")
}
