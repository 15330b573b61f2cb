package config

import (
	"strings"
	"testing"
)

// A value of the wrong type is shown as it was written, with the line that was probably meant.
func TestWrongTypesAreCured(t *testing.T) {
	for _, test := range []struct{ line, problem, cure string }{
		{`lr = "0.001"`, `lr = "0.001": expected a number`, `lr = 0.001, without quotes`},
		{`lr = "fast"`, `lr = "fast": expected a number`, ""},
		{`lr = true`, `lr = true: expected a number`, ""},
		{`lr = 07:32:00`, `lr = 07:32:00: expected a number`, ""},
		{`epochs = 1.0`, `epochs = 1.0: expected an integer`, `epochs = 1`},
		{`epochs = 1e3`, `epochs = 1000.0: expected an integer`, `epochs = 1000`},
		{`epochs = 1.5`, `epochs = 1.5: expected an integer`, ""},
		{`epochs = nan`, `epochs = NaN: expected an integer`, ""},
		{`epochs = "10"`, `epochs = "10": expected an integer`, `epochs = 10, without quotes`},
		{"[epochs]\na = 1", `epochs = a table: expected an integer`, ""},
		{`seed = "7"`, `seed = "7": expected an integer, 0 or more`, `seed = 7, without quotes`},
		{`seed = -1`, `seed = -1: expected an integer, 0 or more`, ""},
		{`gray = "true"`, `gray = "true": expected true or false`, `gray = true, without quotes`},
		{`gray = 1`, `gray = 1: expected true or false`, `gray = true`},
		{`gray = "yes"`, `gray = "yes": expected true or false`, ""},
		{`decoder_widths = "256,512"`, "", `decoder_widths = [256, 512], without quotes`},
		{
			`decoder_widths = 256`,
			`decoder_widths = 256: expected a list of integers, such as 256,512`,
			`decoder_widths = [256]`,
		},
		{
			`decoder_widths = [256.0, 8]`,
			`decoder_widths = [256.0, 8]: expected a list of integers, such as 256,512`,
			`decoder_widths = [256, 8]`,
		},
		{
			`decoder_widths = [["a"]]`,
			`decoder_widths = [["a"]]: expected a list of integers, such as 256,512`,
			"",
		},
		{`data = 5`, `data = 5: expected text`, `data = "5"`},
		{`data = 2024-01-02`, `data = 2024-01-02: expected text`, `data = "2024-01-02"`},
		{
			`data = 2024-01-02T03:04:05Z`,
			`data = 2024-01-02T03:04:05Z: expected text`,
			`data = "2024-01-02T03:04:05Z"`,
		},
		{`range = [0, 1]`, `range = [0, 1]: expected text`, `range = "0,1"`},
		{`method = ["ipld"]`, `method = ["ipld"]: expected text`, `method = "ipld"`},
	} {
		want := test.problem
		if test.cure != "" {
			want += "; write " + test.cure
		}
		c := Common()
		_, err := c.LoadFile(writeFile(t, test.line+"\n"))
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v\nexpected %s", test.line, err, want)
		}
		cure := strings.TrimSuffix(test.cure, ", without quotes")
		if _, err := c.LoadFile(writeFile(t, cure+"\n")); cure != "" && err != nil {
			t.Errorf("%s: %v", cure, err)
		}
	}
}
