package columns

import (
	"bytes"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// written writes a table as a CSV file that its schema describes.
func written(t *testing.T, table *Table) string {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = rune(table.Schema.Delimiter[0])
	cells := columnNames(table.Schema.Columns)
	for i := range table.M + 1 {
		if i > 0 {
			for c := range cells {
				cells[c] = table.Text(i-1, c)
			}
		}
		if len(cells) == 1 && cells[0] == "" {
			b.WriteString("\"\"\n") // or it would be a blank line, which counts for nothing
			continue
		}
		if err := w.Write(cells); err != nil {
			t.Fatal(err)
		}
		w.Flush()
	}
	return b.String()
}

// Whatever is in a file, it is refused or read; and what was read is read again from what is
// written, with the same numbers.
func FuzzCSV(f *testing.F) {
	for _, text := range []string{
		houses, "a,b\n1,x\n2,y\n1,x\n2,y\n", "a;b\n1,5;t\n2;f\n", "\xff\xfea\x00,\x00b\x00\n\x00",
		"d\n01.02.2020\n03.04.2021\n", "a,b\n\"1\n\",2\n", "x\n1e300\n-1e300\n", "x,y\n1,\n,2\n",
		"A\n0\n1.1.0000",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		table, _, err := read(t, text, "")
		if err != nil {
			return
		}
		file, err := table.Schema.WriteTOML()
		if err != nil {
			t.Fatal(err)
		}
		given, err := ParseGiven(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		again, _, err := readGiven(t, written(t, table), given)
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, file, written(t, table))
		}
		x, gaps := table.Encode()
		y, others := again.Encode()
		if again.M != table.M || len(x) != len(y) || len(gaps) != len(others) {
			t.Fatalf("%d rows became %d", table.M, again.M)
		}
		for i := range x {
			if x[i] != y[i] {
				t.Fatalf("number %d: %v became %v\n%s", i, x[i], y[i], written(t, table))
			}
		}
	})
}

// Every transform is undone within the resolution of a float32: of the standardised number for
// numbers as they are, of its logarithm (relative to the shifted number) for Log, and within a
// piece of Rank.
func TestTransformsAreUndone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		n := 2 + r.IntN(400)
		values := make([]float64, n)
		for i := range values {
			values[i] = math.Exp(3 * r.NormFloat64())
			if round%2 == 0 {
				values[i] = math.Round(10*r.NormFloat64()) + 0.5
			}
		}
		values[0], values[1] = -1, 1000
		for _, how := range transforms {
			c := Column{Kind: Numeric, Transform: how, MaxDecimals: mostDecimals + 1}
			c.fit(values)
			for _, v := range values {
				y := float32((c.transform(v) - c.Mean) / c.Scale)
				got := c.Invert(float64(y))
				const eps = 1.0 / (1 << 23)
				tolerance := eps * c.Scale * max(1, math.Abs(float64(y)))
				switch how {
				case Log:
					tolerance = 2 * tolerance * (v - c.Min + c.Shift)
				case Rank:
					tolerance *= steepest(c.Scores, c.Quantiles)
				}
				if math.Abs(got-v) > tolerance+1e-12 {
					t.Fatalf("%s: %v became %v, tolerance %v", how, v, got, tolerance)
				}
			}
		}
	}
}

func steepest(x, y []float64) (slope float64) {
	for i := range x[1:] {
		slope = max(slope, (y[i+1]-y[i])/(x[i+1]-x[i]))
	}
	return slope
}

// The ranks of 999 numbers in order are the normal quantiles: what is below their k-th is a share
// of (k - 1/2)/999 of a normal distribution.
func TestRanks(t *testing.T) {
	var values []float64
	for i := range 999 {
		values = append(values, float64(i*i))
	}
	at, scores := ranks(values)
	if len(at) != quantiles+1 {
		t.Fatalf("%d quantiles", len(at))
	}
	for i, v := range at {
		share := (math.Sqrt(v) + 0.5) / 999
		if got := math.Erfc(-scores[i]/math.Sqrt2) / 2; math.Abs(got-share) > 1e-12 {
			t.Errorf("below %v is %v, want %v", v, got, share)
		}
	}
}

func TestDescribe(t *testing.T) {
	table, _, err := read(t, houses, "[[column]]\nname = \"price\"\nunit = \"kEUR\"")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  id       ignore       not modelled",
		"  price    numeric      90 to 310.75 kEUR; 1 cell missing",
		"  garden   boolean      no or yes; 1 cell missing",
		"  heating  categorical  gas, oil, wood; 1 cell missing",
		"  built    date         1980-07-15 to 2020-02-29; 1 cell missing",
		"  country  constant     always \"DE\"; not modelled",
		"  note     empty        all cells missing; not modelled",
		"  name     text         too many different words; not modelled",
	} {
		if !strings.Contains(table.Describe()+"\n", want+"\n") {
			t.Errorf("no line %q in\n%s", want, table.Describe())
		}
	}
}
