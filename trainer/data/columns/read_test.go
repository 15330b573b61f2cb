package columns

import (
	"io"
	"strings"
	"testing"
)

// read infers the schema of a CSV file and reads it, as Find and Read of package data do.
func read(t *testing.T, text, schema string) (*Table, []string, error) {
	t.Helper()
	var given *Given
	if schema != "" {
		var err error
		if given, err = ParseGiven([]byte(schema)); err != nil {
			return nil, nil, err
		}
	}
	return readGiven(t, text, given)
}

func readGiven(t *testing.T, text string, given *Given) (*Table, []string, error) {
	t.Helper()
	var warnings []string
	opt := Options{Given: given, Warn: func(s string) { warnings = append(warnings, s) }}
	open := func() (Source, error) {
		return OpenCSV(io.NopCloser(strings.NewReader(text)), given)
	}
	src, err := open()
	if err != nil {
		return nil, nil, err
	}
	s, survey, err := Infer(t.Context(), src, opt)
	if err != nil {
		return nil, warnings, err
	}
	if src, err = open(); err != nil {
		t.Fatal(err)
	}
	table, err := Read(t.Context(), src, s, survey.Rows, opt)
	if err != nil {
		return nil, warnings, err
	}
	for c, n := range survey.Missing {
		if got := table.Missing(c); got != n && s.Columns[c].Kind.Modelled() {
			t.Errorf("column %s: %d cells missing, and Infer found %d", s.Columns[c].Name, got, n)
		}
	}
	return table, warnings, nil
}

// houses has a column of each kind.
const houses = `id,price,rooms,garden,heating,built,Zip,country,note,name
0,199.5,3,yes,gas,2001-05-31,01234,DE,,one
1,250.25,4,no,oil,1999-12-01,90210,DE,,two
2,NA,5,yes,gas,2010-01-01,01234,DE,,three
3,120,2,,,,12345,DE,,four
4,310.75,6,no,wood,2020-02-29,90210,DE,,five
5,90,1,no,gas,1980-07-15,01234,DE,,six
`

func TestInferredKinds(t *testing.T) {
	table, warnings, err := read(t, houses, "")
	if err != nil {
		t.Fatal(err)
	}
	want := "Ignore Numeric Integer Boolean Categorical Date Categorical Constant Empty Text"
	var got []string
	for _, c := range table.Schema.Columns {
		got = append(got, string(c.Kind))
	}
	if text := strings.Join(got, " "); text != strings.ToLower(want) {
		t.Errorf("kinds\n%s, want\n%s", text, want)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], `"id" counts the rows from 0`) {
		t.Errorf("warnings %q", warnings)
	}
	likelihood := "normal:2,bernoulli,categorical:3,normal,categorical:3"
	if got := table.Schema.Likelihood(); got != likelihood {
		t.Errorf("likelihood %s", got)
	}
	if s := table.Schema.String(); s != "10 columns (1 numeric, 1 integer, 1 boolean, "+
		"2 categorical, 1 date, 1 constant, 1 empty, 1 text, 1 ignore)" {
		t.Error(s)
	}
}

// Cells are written again as they were.
func TestTextOfCells(t *testing.T) {
	for _, text := range []string{
		houses,
		"a;b\n1,5;x\n2,25;y\n-3,125;x\n?;x\n",
		"t,u\n01.02.2020 10:05,1.0\n15.11.1999 23:59,\n01.01.1970 00:00,3.0\n",
		"a,b\n1e-07,0.30\n2.5e-08,12.25\n",
		"a\tb\n-1\tTrue\n0\tFalse\n12\tTrue\n",
		"d,n\n3/14/2021,7\n12/1/2021,-7\n",
		"when,x\n2020-01-02T03:04:05.250000Z,1\n2020-01-02T03:04:05.500000Z,2\n",
		"when,x\n2020-01-02 03:04:05+00:00,1\n2020-01-02 03:04:06+00:00,2\n",
	} {
		table, _, err := read(t, text, "")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var b strings.Builder
		names := columnNames(table.Schema.Columns)
		b.WriteString(strings.Join(names, table.Schema.Delimiter) + "\n")
		cells := make([]string, len(names))
		for i := range table.M {
			for c := range cells {
				cells[c] = table.Text(i, c)
			}
			b.WriteString(strings.Join(cells, table.Schema.Delimiter) + "\n")
		}
		if b.String() != text {
			t.Errorf("read\n%swrote\n%s", text, b.String())
		}
	}
}

// Encoding and decoding gives the cells again.
func TestDecodedCells(t *testing.T) {
	table, _, err := read(t, houses, "")
	if err != nil {
		t.Fatal(err)
	}
	s := table.Schema
	x, gaps := table.Encode()
	row, d := make([]float64, len(s.Columns)), s.Width()
	offsets := s.Offsets()
	for i := range table.M {
		s.Decode(row, x[i*d:(i+1)*d])
		for c := range s.Columns {
			if at := offsets[c]; at < 0 || gaps[i*d+at] {
				continue
			}
			if got, want := s.Format(c, row[c]), table.Text(i, c); got != want {
				t.Errorf("row %d, column %s: %q, want %q", i, s.Columns[c].Name, got, want)
			}
		}
	}
}
