package columns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/plume-ml/plume/trainer/suggest"
)

// Given is what a schema file says of a table. What it leaves out is found from the cells: fields
// that are zero, and columns that it does not name.
type Given struct {
	Header    *bool    `toml:"header"`
	Delimiter string   `toml:"delimiter"`
	Missing   []string `toml:"missing"` // nil: DefaultMissing
	Columns   []Column `toml:"column"`
}

// maxSchema limits the size of a schema file, in bytes.
const maxSchema = 1 << 26

// ReadGiven reads a schema file. Errors name the file, and the line and key where they can.
func ReadGiven(path string) (*Given, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSchema {
		return nil, fmt.Errorf("schema: %s: expected a file in TOML with a [[column]] for each "+
			"column that it describes", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	g, err := ParseGiven(text)
	if err != nil {
		return nil, fmt.Errorf("schema: %s: %w", path, err)
	}
	return g, nil
}

// ParseGiven reads the text of a schema file.
func ParseGiven(text []byte) (*Given, error) {
	g := &Given{}
	meta, err := toml.Decode(string(text), g)
	if parse := (toml.ParseError{}); errors.As(err, &parse) {
		return nil, fmt.Errorf("line %d: %s", parse.Position.Line, parse.Message)
	} else if err != nil {
		return nil, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, unknownKey(unknown[0])
	}
	return g, g.check()
}

// unknownKey is the error of a key that a schema file cannot have.
func unknownKey(key toml.Key) error {
	of := reflect.TypeFor[Given]()
	if len(key) > 1 && key[0] == "column" {
		of = reflect.TypeFor[Column]()
	}
	var known []string
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("toml"), ",")
		known = append(known, name)
	}
	return fmt.Errorf("unknown key %s%s; expected one of %s", key,
		suggest.DidYouMean(key[len(key)-1], known), strings.Join(known, ", "))
}

// check refuses what no table can be.
func (g *Given) check() error {
	if g.Delimiter != "" && !slices.Contains(delimiters, g.Delimiter) {
		return fmt.Errorf("delimiter = %q: expected \",\", \";\", \"|\" or \"\\t\"", g.Delimiter)
	}
	seen := map[string]bool{}
	for i := range g.Columns {
		c := &g.Columns[i]
		if c.Name == "" {
			return fmt.Errorf("[[column]] %d has no name: expected name = \"...\", one of "+
				"the table's", i+1)
		}
		if seen[c.Name] {
			return fmt.Errorf("column %q is described twice: expected one [[column]] of the name",
				c.Name)
		}
		seen[c.Name] = true
		if err := c.check(); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	return nil
}

// check refuses a column that contradicts itself.
func (c *Column) check() error {
	switch {
	case c.Kind != "" && !slices.Contains(kinds, c.Kind):
		return fmt.Errorf("kind = %q: expected one of %s%s", c.Kind, join(kinds),
			suggest.DidYouMean(string(c.Kind), texts(kinds)))
	case c.Transform != "" && !slices.Contains(transforms, c.Transform):
		return fmt.Errorf("transform = %q: expected one of %s%s", c.Transform, join(transforms),
			suggest.DidYouMean(string(c.Transform), texts(transforms)))
	case c.Format != "" && c.Kind != Date:
		return fmt.Errorf("format = %q is of dates: expected kind = \"date\" with it", c.Format)
	case c.Categories != nil && !c.Kind.hasCategories():
		return errors.New("has categories: expected kind = \"categorical\" or \"label\" with them")
	case hasTwice(c.Categories):
		return errors.New("has a category twice")
	case (c.True == "") != (c.False == "") || c.True != "" && c.True == c.False:
		return fmt.Errorf("true = %q and false = %q: expected two different words", c.True, c.False)
	case c.Transform != "" && c.Transform != Standard && c.Kind != "" && !c.Kind.isNumber():
		return fmt.Errorf("transform = %q is of numbers and dates: expected kind = \"numeric\", "+
			"\"integer\" or \"date\" with it", c.Transform)
	}
	if c.Format != "" {
		if _, err := layout(c.Format); err != nil {
			return err
		}
	}
	return c.checkNumbers()
}

// checkNumbers refuses numbers that no transform has.
func (c *Column) checkNumbers() error {
	ascending := func(x []float64) bool {
		for i := range x[min(1, len(x)):] {
			if !(x[i] < x[i+1]) {
				return false
			}
		}
		return true
	}
	switch {
	case c.Scale == 0:
		return nil
	case !(c.Scale > 0) || !(c.Min <= c.Max) || c.Mean != c.Mean:
		return fmt.Errorf("scale = %v, mean = %v, min = %v, max = %v: expected a scale above 0, "+
			"and finite numbers in order; left out, they are found", c.Scale, c.Mean, c.Min, c.Max)
	case c.Transform == Log && !(c.Shift > 0):
		return fmt.Errorf("shift = %v: expected a number above 0", c.Shift)
	case c.Transform == Rank && (len(c.Quantiles) < 2 || len(c.Quantiles) != len(c.Scores) ||
		!ascending(c.Quantiles) || !ascending(c.Scores)):
		return errors.New("has quantiles and scores that do not go together: expected two or " +
			"more, ascending, and as many of both; left out with the scale, they are found")
	}
	return nil
}

func hasTwice(list []string) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) < len(list)
}

func texts[T ~string](list []T) (out []string) {
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

func join[T ~string](list []T) string { return strings.Join(texts(list), ", ") }

// Given returns a complete schema as what is given of other data of the same columns, however these
// are written.
func (s *Schema) Given() *Given {
	return &Given{Header: &s.Header, Missing: s.Missing, Columns: s.Columns}
}

// WriteTOML returns the schema as a schema file, with all that was found. Of a complete schema it
// gives other data the same encoding.
func (s *Schema) WriteTOML() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("# The columns of a table; plume train --schema FILE reads such files.\n\n")
	g := s.Given()
	g.Delimiter = s.Delimiter
	if err := toml.NewEncoder(&out).Encode(g); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return out.Bytes(), nil
}

// ReadSchema reads a schema file that WriteTOML has written of a complete schema.
func ReadSchema(path string) (*Schema, error) {
	g, err := ReadGiven(path)
	if err != nil {
		return nil, err
	}
	s, err := g.schema()
	if err != nil {
		return nil, fmt.Errorf("schema: %s: %w", path, err)
	}
	return s, nil
}

// ParseSchema reads the text that WriteTOML gives of a complete schema.
func ParseSchema(text []byte) (*Schema, error) {
	g, err := ParseGiven(text)
	if err != nil {
		return nil, err
	}
	return g.schema()
}

// schema returns the schema that g gives completely.
func (g *Given) schema() (*Schema, error) {
	s := &Schema{
		Header: g.Header == nil || *g.Header, Delimiter: g.Delimiter, Missing: g.Missing,
		Columns: g.Columns,
	}
	for i := range s.Columns {
		if c := &s.Columns[i]; c.Kind == "" || !c.complete() {
			return nil, fmt.Errorf("column %q is not complete; expected a schema as a run "+
				"stores it", c.Name)
		}
	}
	return s, nil
}

// complete reports whether cells of the column can be encoded.
func (c *Column) complete() bool {
	switch {
	case c.Kind.isNumber():
		return c.Scale != 0 && (c.Kind != Date || c.Format != "")
	case c.Kind.hasCategories():
		return len(c.Categories) > 0
	case c.Kind == Boolean:
		return c.True != ""
	case c.Kind == Constant:
		return c.Value != ""
	}
	return true
}
