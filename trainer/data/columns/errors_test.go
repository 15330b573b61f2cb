package columns

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// lines repeats a line, with its number in place of #.
func lines(n int, line string) string {
	var b strings.Builder
	for i := range n {
		number := fmt.Sprintf("%d.%d", i%7, i%9+1)
		b.WriteString(strings.ReplaceAll(line, "#", number))
		b.WriteString("\n")
	}
	return b.String()
}

func TestRefused(t *testing.T) {
	for name, test := range map[string]struct{ text, schema, want string }{
		"empty":      {"  \n", "", "is empty; expected a line with the names"},
		"only names": {"a,b\n", "", "has the names of columns and no rows"},
		"binary":     {"a,b\n\x00,1\n", "", "holds zero bytes"},
		"old Mac":    {"a,b\r1,2\r", "", "end in CR alone"},
		"Latin-1": {
			"a,b\n1,2\n3,M\xfcller\n", "",
			`line 3 is not in UTF-8, because of "M\xfcller"`,
		},
		"ragged":      {"a,b\n1,2\n3,4,5\n", "", "line 3 has 3 cells; expected 2"},
		"short":       {"a,b\n1,2\n\n3\n", "", "line 4 has 1 cell; expected 2, as"},
		"open quote":  {"a,b\n1,\"2\n3,4\n", "", `line 2 has a quote " that does not end`},
		"bare quote":  {"a,b\n1,2\n3,4\"\n", "", `line 3 has a quote " within a cell, at byte 4`},
		"no header":   {"5.1,3.5,x\n4.9,3.0,y\n", "", `line 1 looks like a row`},
		"twice":       {"a,b,a\n1,2,3\n", "", `columns 1 and 3 are both named "a"`},
		"spaces":      {"a b\n1 2\n3 4\n", "", "separated by spaces"},
		"mixed":       {"x\n" + lines(30, "#") + "abc\n", "", `line 32 "abc"`},
		"mixed words": {"x,y\n" + lines(30, "a,#") + "b,1.5\n7,1.5\n", "", `line 33 "7"`},
		"mixed dates": {"x,y\n" + lines(30, "2020-01-02,#") + "now,1.5\n", "", `line 32 "now"`},
		"infinite":    {"x\n" + lines(30, "#") + "inf\n", "", `missing = ["inf"]`},
		"day or month": {
			"d,x\n1/2/2020,1\n3/4/2021,2\n", "",
			`format = "%-d/%-m/%Y" # or "%-m/%-d/%Y"`,
		},
		"short years": {"d,x\n01/02/20,1\n03/04/21,2\n", "", "years of two digits"},
		"nothing left": {
			"d,x\na,1\nb,1\nc,1\n", "",
			"has no column that can be modelled: 1 constant",
		},
		"commas": {
			"a;b\n1,234;1.5\n2,345;2.5\n", "",
			`decimal comma in column "a" (line 2) and a decimal point in column "b" (line 2)`,
		},

		"no such column": {
			"age,x\n1,2\n3,4\n", "[[column]]\nname = \"agee\"",
			`did you mean "age"`,
		},
		"not a number": {
			"a,x\n1,2\nb,4\n", "[[column]]\nname = \"a\"\nkind = \"numeric\"",
			`line 3, column "a": is "b"; expected a number`,
		},
		"not whole": {
			"a,x\n1,2\n1.5,4\n", "[[column]]\nname = \"a\"\nkind = \"integer\"",
			`line 3, column "a": is "1.5"; expected a whole number`,
		},
		"category": {
			"a,x\nr,2\ngren,4\n", "[[column]]\nname = \"a\"\nkind = \"categorical\"\n" +
				"categories = [\"r\", \"green\"]",
			`column "a": is "gren", which is none of its 2 categories (did you mean "green"?)`,
		},
		"kind": {
			"a\n1\n2\n", "[[column]]\nname = \"a\"\nkind = \"number\"",
			`did you mean "numeric"`,
		},
		"key": {
			"a\n1\n2\n", "[[column]]\nname = \"a\"\nkinds = \"integer\"",
			`did you mean "kind"`,
		},
		"top key": {"a\n1\n2\n", "head = true\n", `did you mean "header"`},
		"TOML":    {"a\n1\n2\n", "header = yes\n", "line 1: "},
		"twice described": {
			"a\n1\n2\n", "[[column]]\nname = \"a\"\n[[column]]\nname = \"a\"", "described twice",
		},
		"strange format": {
			"a\n1\n2\n", "[[column]]\nname = \"a\"\nkind = \"date\"\nformat = \"%q\"",
			"as strftime has",
		},
		"measured label": {
			"a,b\n1,2\n1.5,3\n2.5,2\n", "[[column]]\nname = \"a\"\nkind = \"label\"",
			"holds measurements",
		},
	} {
		_, _, err := read(t, test.text, test.schema)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want %s", name, err, test.want)
		}
	}
}

func TestAccepted(t *testing.T) {
	for name, test := range map[string]struct{ text, schema, likelihood string }{
		"byte order mark": {"\ufeffa,b\n1,2\n3,4\n", "", "normal:2"},
		"UTF-16":          {utf16("a,b\n1,2\n3,4\n"), "", "normal:2"},
		"CRLF":            {"a,b\r\n1,2\r\n3,4\r\n", "", "normal:2"},
		"no last end":     {"a,b\n1,2\n3,4", "", "normal:2"},
		"quotes":          {"\"a\",\"b\"\n\"1\", \"2\"\n 3 ,4\n", "", "normal:2"},
		"long cell": {
			"a,b\n1,\"x\ny\"\n2,\"z\nw\"\n3,\"x\ny\"\n4,\"x\ny\"\n", "",
			"normal,categorical:2",
		},
		"bars":           {"a|b\n1|2\n3|4\n", "", "normal:2"},
		"no header":      {"1,2\n3,4\n", "header = false", "normal:2"},
		"years":          {"2019,2020\n1,2\n3,4\n", "header = true", "normal:2"},
		"pandas index":   {",x\n0,1.5\n1,2.5\n", "", "normal"},
		"zeros and ones": {"a,b\n0,1.0\n1,0.0\n", "", "bernoulli:2"},
		"codes":          {"a,b\n007,1\n008,2\n007,3\n008,4\n", "", "categorical:2,normal"},
		"dotted dates":   {"a,b\n01.02.2020,1\n03.04.2020,2\n", "", "normal:2"},
		"day over 12":    {"a,b\n01/02/2020,1\n13/04/2020,2\n", "", "normal:2"},
		"missing number": {
			"a,b\n1,1\n-999.0,2\n3,3\n", "[[column]]\nname = \"a\"\nmissing = [\"-999\"]",
			"normal:2",
		},
		"word that is none": {
			"a,b\nNone,1\nred,2\nNone,3\nred,1\n", "missing = []", "categorical:2,normal",
		},
		"numbers as categories": {
			"a,b\n1,1\n3,2\n1,4\n", "[[column]]\nname = \"a\"\nkind = \"categorical\"",
			"categorical:2,normal",
		},
		"compact dates": {
			"a,b\n20200102,1\n20211231,2\n",
			"[[column]]\nname = \"a\"\nkind = \"date\"\nformat = \"%Y%m%d\"", "normal:2",
		},
	} {
		table, _, err := read(t, test.text, test.schema)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := table.Schema.Likelihood(); got != test.likelihood {
			t.Errorf("%s: likelihood %s, want %s", name, got, test.likelihood)
		}
	}
}

// Words are categories up to half as many as rows, and up to 100; with a schema file up to 1000.
func TestCategoriesOrText(t *testing.T) {
	table := func(rows, different int) string {
		var b strings.Builder
		b.WriteString("word,x\n")
		for i := range rows {
			fmt.Fprintf(&b, "w%d,%d\n", i%different, i%7)
		}
		return b.String()
	}
	asked := "[[column]]\nname = \"word\"\nkind = \"categorical\""
	for _, test := range []struct {
		rows, different int
		schema          string
		want            Kind
	}{
		{20, 10, "", Categorical}, {20, 11, "", Text}, {300, 100, "", Categorical},
		{300, 101, "", Text}, {300, 101, asked, Categorical}, {1200, 1000, asked, Categorical},
	} {
		got, _, err := read(t, table(test.rows, test.different), test.schema)
		if err != nil {
			t.Fatal(err)
		}
		if kind := got.Schema.Columns[0].Kind; kind != test.want {
			t.Errorf("%d words in %d rows are %s", test.different, test.rows, kind)
		}
	}
	if _, _, err := read(t, table(1200, 1001), asked); err == nil ||
		!strings.Contains(err.Error(), "has more than 1000 different cells") {
		t.Error(err)
	}
}

// utf16 encodes ASCII as Excel's "Unicode text", with a byte order mark.
func utf16(ascii string) string {
	b := []byte("\xff\xfe")
	for _, c := range []byte(ascii) {
		b = append(b, c, 0)
	}
	return string(b)
}

// A schema file of a complete schema says all: other data are encoded as the first were.
func TestSchemaFileIsComplete(t *testing.T) {
	table, _, err := read(t, houses,
		"[[column]]\nname = \"price\"\ntransform = \"rank\"\nunit = \"thousands\"\n"+
			"[[column]]\nname = \"rooms\"\ntransform = \"log\"\n"+
			"[[column]]\nname = \"name\"\nkind = \"ignore\"\nmissing = [\"six\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	file, err := table.Schema.WriteTOML()
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := read(t, strings.Replace(houses, "250.25", "100", 1), string(file))
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	again, err := other.Schema.WriteTOML()
	if err != nil || string(again) != string(file) {
		t.Errorf("%v\n%s\nbecame\n%s", err, file, again)
	}
}

func TestMatch(t *testing.T) {
	table, _, err := read(t, houses, "")
	if err != nil {
		t.Fatal(err)
	}
	match := func(text string) (*Table, []string, []string, error) {
		src, err := OpenCSV(io.NopCloser(strings.NewReader(text)), nil)
		if err != nil {
			t.Fatal(err)
		}
		as, absent, extra, err := Match(src, table.Schema)
		if err != nil {
			return nil, nil, nil, err
		}
		got, err := Read(t.Context(), as, table.Schema, 1, Options{})
		return got, absent, extra, err
	}
	got, absent, extra, err := match("heating;more;rooms;price\noil;1;7;1,5\n")
	if err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(absent, " "); s != "garden built Zip" {
		t.Errorf("absent: %s", s)
	}
	if s := strings.Join(extra, " "); s != "more" {
		t.Errorf("extra: %s", s)
	}
	if s := got.Text(0, 1) + " " + got.Text(0, 2) + " " + got.Text(0, 4); s != "1.5 7 oil" {
		t.Errorf("cells %s", s)
	}
	if got.Missing(3) != 1 || got.Missing(5) != 1 {
		t.Error("absent cells are not missing")
	}
	if _, _, _, err = match("x,y\n1,2\n"); err == nil ||
		!strings.Contains(err.Error(), "none of the columns that are modelled: x, y") {
		t.Error(err)
	}
	if _, _, _, err = match("heating,y\ncoal,2\n"); err == nil ||
		!strings.Contains(err.Error(), `line 2, column "heating": is "coal", which is none`) {
		t.Error(err)
	}
}

func TestLooksLikeTable(t *testing.T) {
	for text, want := range map[string]bool{
		"a,b\n1,2\n":              true,
		"a;b;c\n1;2,5;3\n":        true,
		"# A title\n\nSome, text": false,
		"{\"a\": 1,\n\"b\": 2}":   false,
		"one\ntwo\n":              false,
		"a,b\n":                   false,
	} {
		if got := LooksLikeTable([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
