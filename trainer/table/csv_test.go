package table_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/table"
)

// The bytes of a small CSV file. The header and the numbers were read by pandas 3.1, DuckDB 2.0 and
// Arrow 26 with these types: floats for z_0 and energy, integers for row, strings for class.
func TestCSVBytes(t *testing.T) {
	c := example(13)
	text, err := os.ReadFile(c.write(t, ".csv", 5))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for i, want := range map[int]string{
		0: "row,z_0,z_1,z_2,energy,class," +
			"image_0_0,image_0_1,image_0_2,image_1_0,image_1_1,image_1_2,a pair_0,a pair_1\n",
		1: "-9223372036854775808,0.0,-0.0,1.0,1e+21,cat," +
			"0.0,0.14285715,0.2857143,0.42857143,0.5714286,0.71428573,\"\",0\n",
		3: "-9221372036854775808,1.0,-3.0,1e+21,0.1,NA,2.0,2.142857,2.2857144,2.4285715," +
			"2.5714285,2.7142859,\"a,b\",2\n",
		4: "-9220372036854775808,-3.0,1e+21,1e-07,0.3333333333333333,\"a,b\"," +
			"3.0,3.142857,3.2857144,3.4285715,3.5714285,3.7142859,\"say \"\"hi\"\"\",3\n",
	} {
		if lines[i] != want {
			t.Errorf("line %d is %q; expected %q", i, lines[i], want)
		}
	}
}

// What encoding/csv and strconv read is what was written, to the bit.
func TestCSVIsRead(t *testing.T) {
	c := example(100)
	text, err := os.ReadFile(c.write(t, ".csv", 7))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got content
	number := func(text string, bits int) float64 {
		v, err := strconv.ParseFloat(text, bits)
		if err != nil || !strings.ContainsAny(text, ".eNI") {
			t.Errorf("%q: %v; expected what looks like a float", text, err)
		}
		return v
	}
	for _, r := range records[1:] {
		row, err := strconv.ParseInt(r[0], 10, 64)
		if err != nil {
			t.Error(err)
		}
		got.row = append(got.row, row)
		got.energy = append(got.energy, number(r[4], 64))
		for _, text := range r[1:4] {
			got.z = append(got.z, float32(number(text, 32)))
		}
		for _, text := range r[6:12] {
			got.image = append(got.image, float32(number(text, 32)))
		}
		got.class = append(got.class, r[5])
		got.pair = append(got.pair, r[12:]...)
	}
	compare(t, got, c)
}

// compare compares all columns.
func compare(t *testing.T, got, want content) {
	t.Helper()
	if !slices.Equal(got.row, want.row) || !same(got.z, want.z) || !same(got.image, want.image) ||
		!same(got.energy, want.energy) || !slices.Equal(got.class, want.class) ||
		!slices.Equal(got.pair, want.pair) {
		t.Errorf("read %+v; expected %+v", got, want)
	}
}

// A table without rows is a header, and a column of nothing but empty strings keeps its lines.
func TestCSVSmall(t *testing.T) {
	for rows, want := range []string{"class\n", "class\n\"\"\n", "class\n\"\"\n\"\"\n"} {
		var out bytes.Buffer
		class := table.Column{Name: "class", Kind: table.String}
		w, err := table.Begin(file.OS, &out, "-", []table.Column{class})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(make([]string, rows)); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil || out.String() != want {
			t.Errorf("%d rows: %q, %v; expected %q", rows, out.String(), err, want)
		}
	}
}
