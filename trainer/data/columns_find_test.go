package data

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data/columns"
)

// flats has 40 rows, with a missing size in the fourth and a missing class in the last.
func flats() string {
	var b strings.Builder
	b.WriteString("size,floor,lift,kind,class\n")
	for i := range 40 {
		size, class := fmt.Sprint(20.5+float64(i)), "ABC"[i%3:i%3+1]
		if i == 3 {
			size = ""
		}
		if i == 39 {
			class = ""
		}
		fmt.Fprintf(&b, "%s,%d,%v,%s,%s\n", size, 2*i, i%2 == 0, "xyz"[i%3:i%3+1], class)
	}
	return b.String()
}

func openTable(t *testing.T, text string, opt Options) (*Found, Dataset) {
	t.Helper()
	f, err := Find(t.Context(), write(t, t.TempDir(), "x.csv", []byte(text)), opt)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := f.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f, ds
}

func TestTableIsRead(t *testing.T) {
	path := write(t, t.TempDir(), "flats.csv.gz", gz([]byte(flats())))
	f, err := Find(t.Context(), path, Options{Labels: "class"})
	if err != nil {
		t.Fatal(err)
	}
	likelihood := "normal:2,bernoulli,categorical:3"
	if f.Len != 40 || f.Kind != Columns || f.Shape != (Shape{1, 6, 1}) ||
		f.Likelihood != likelihood {
		t.Errorf("%+v", f)
	}
	found := f.Bytes
	ds, err := f.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.Bytes != found {
		t.Errorf("%d bytes were found, and %d read", found, f.Bytes)
	}
	if KindOf(ds) != Columns || LikelihoodOf(ds) != likelihood {
		t.Errorf("kind %s, likelihood %s", KindOf(ds), LikelihoodOf(ds))
	}
	if s := f.Summary.String(); !strings.HasPrefix(s, "Read 40 rows of 5 columns (1 numeric, "+
		"1 integer, 1 boolean, 1 categorical, 1 label), 1 cell missing, 39 of them labelled, 3 "+
		"classes by the column \"class\"; a CSV file, gzipped: ") {
		t.Error(s)
	}
	if c, err := ClassesOf(ds); err != nil || !slices.Equal(c.Names, []string{"A", "B", "C"}) ||
		!slices.Equal(c.Images, []int{13, 13, 13}) {
		t.Errorf("classes %v, %v", c, err)
	}
	part := Subset(ds, []int{39, 3})
	if part.Label(0) != -1 || part.Label(1) != 0 || KindOf(part) != Columns {
		t.Errorf("labels %d, %d", part.Label(0), part.Label(1))
	}
	missing := MissingOf(part)
	if slices.Contains(missing.Row(0), true) ||
		!slices.Equal(missing.Row(1), []bool{true, false, false, false, false, false}) {
		t.Errorf("missing %v", missing)
	}
	row := make([]float32, 6)
	part.Gather(row, []int{0})
	if want := []float32{0, 1, 0, 0}; !slices.Equal(row[2:], want) {
		t.Errorf("row %v, want it to end in %v", row, want)
	}
	if got := TableOf(part).Text(part.Origin(0).Row, 0); got != "59.5" {
		t.Errorf("the size is %s", got)
	}
}

// The mean of a standardised column is 0 over its known cells, and its variance 1.
func TestTableIsStandardised(t *testing.T) {
	_, ds := openTable(t, flats(), Options{})
	missing, row := MissingOf(ds), make([]float32, ds.Shape().Dim())
	for j := range 2 {
		n, sum, square := 0.0, 0.0, 0.0
		for i := range ds.Len() {
			if ds.Gather(row, []int{i}); !missing.Row(i)[j] {
				n++
				sum += float64(row[j])
				square += float64(row[j]) * float64(row[j])
			}
		}
		const eps = 1e-6 // of float32
		if math.Abs(sum/n) > eps || math.Abs(square/n-1) > eps {
			t.Errorf("column %d: mean %v, mean square %v", j, sum/n, square/n)
		}
	}
}

func TestTableOptions(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "x.csv", []byte(flats()))
	schema := write(t, dir, "s.toml", []byte("[[column]]\nname = \"kind\"\nkind = \"ignore\"\n"))
	labels := write(t, dir, "l.csv", []byte(strings.Repeat("a\nb\n", 20)))
	all := "normal:2,bernoulli,categorical:3,categorical:3"
	for name, test := range map[string]struct {
		opt  Options
		want string // of an error, or the likelihood
	}{
		"schema":        {Options{Schema: schema}, "normal:2,bernoulli,categorical:3"},
		"label file":    {Options{Labels: labels}, all},
		"as a table":    {Options{As: Columns}, all},
		"no label":      {Options{Labels: "clas"}, `has no column "clas" (did you mean "class"?)`},
		"size":          {Options{Size: 8}, "--size and --gray apply only to pictures"},
		"array":         {Options{Array: "x"}, "applies only to .npz"},
		"range":         {Options{Range: &[2]float64{0, 1}}, "--range applies to arrays"},
		"as pictures":   {Options{As: Pictures}, "--as pictures does not apply to a CSV file"},
		"no schema":     {Options{Schema: "nowhere.toml"}, "schema: stat nowhere.toml"},
		"wrong schema":  {Options{Schema: labels}, "schema: " + labels + ": line 1"},
		"label ignored": {Options{Schema: schema, Labels: "kind"}, "the label by --labels, and ig"},
	} {
		ds, err := Open(t.Context(), path, test.opt)
		if err != nil && strings.Contains(err.Error(), test.want) {
			continue
		}
		if err != nil || LikelihoodOf(ds) != test.want {
			t.Errorf("%s: %v; expected %s", name, err, test.want)
		}
	}
	array := write(t, dir, "x.npy", npy(npyDictOf("<f4", "2, 3"), make([]byte, 24)))
	for _, opt := range []Options{{As: Columns}, {Schema: schema}} {
		if _, err := Open(t.Context(), array, opt); err == nil ||
			!strings.Contains(err.Error(), "tables of named columns") {
			t.Errorf("%+v: %v", opt, err)
		}
	}
}

// A file that is damaged, or has rows of the wrong length, is an error that names it.
func TestTableErrors(t *testing.T) {
	whole := gz([]byte(flats()))
	for name, test := range map[string]struct{ file, content, want string }{
		"cut":    {"x.csv.gz", string(whole[:len(whole)-9]), "damaged or truncated gzip"},
		"ragged": {"x.txt", flats() + "1,2\n", "line 42 has 2 cells; expected 5"},
		"Latin":  {"x.csv", flats() + "1,2,true,\xfc,A\n", "line 42 is not in UTF-8"},
		"one":    {"x.csv", "a,b\n1,x\n", "has no column that can be modelled"},
		"LFS":    {"x.csv", "version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
		"page":   {"x.csv", "<!DOCTYPE html>\n<html>", "HTML page"},
		"text":   {"x", "one\ntwo\n", "a table has two lines or more of as many cells"},
	} {
		path := write(t, t.TempDir(), test.file, []byte(test.content))
		_, err := Open(t.Context(), path, Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) ||
			!strings.HasPrefix(err.Error(), "data: "+path+": ") {
			t.Errorf("%s: %v; expected %s", name, err, test.want)
		}
	}
}

// Other rows are encoded as the schema of a table says, wherever their columns are.
func TestTableOfASchema(t *testing.T) {
	_, ds := openTable(t, flats(), Options{Labels: "class"})
	want := make([]float32, 2*6)
	ds.Gather(want, []int{7, 8})
	var warnings []string
	other := "class;kind;extra;size;lift\nB;y;1;27,5;no\nC;z;2;28,5;yes\n"
	_, again := openTable(t, other, Options{
		TableSchema: SchemaOf(ds), Warn: func(s string) { warnings = append(warnings, s) },
	})
	got := make([]float32, 2*6)
	again.Gather(got, []int{0, 1})
	for i := range want {
		if i%6 == 1 { // the floor, which is not there
			want[i] = 0
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if !slices.Equal(MissingOf(again).Row(1), []bool{false, true, false, false, false, false}) {
		t.Errorf("missing %v", MissingOf(again).Row(1))
	}
	if again.Label(0) != 1 || again.Label(1) != 2 {
		t.Errorf("labels %d, %d", again.Label(0), again.Label(1))
	}
	said := strings.Join(warnings, "\n")
	if !strings.Contains(said, "has no column floor: their cells count as missing") ||
		!strings.Contains(said, "its columns extra are none of the model's") {
		t.Error(said)
	}
}

func TestFingerprintOfATable(t *testing.T) {
	of := func(text string) string {
		_, ds := openTable(t, text, Options{})
		print, err := Fingerprint(t.Context(), ds)
		if err != nil {
			t.Fatal(err)
		}
		return print
	}
	whole := of(flats())
	if again := of(strings.ReplaceAll(flats(), ",", ";")); again != whole {
		t.Error("the delimiter changes the fingerprint")
	}
	for what, text := range map[string]string{
		"a missing cell": strings.Replace(flats(), "\n20.5,0,", "\n20.5,,", 1),
		"a cell":         strings.Replace(flats(), "20.5", "20.6", 1),
		"a name":         strings.Replace(flats(), "floor", "level", 1),
		"categories":     strings.ReplaceAll(flats(), "x", "u"),
	} {
		if of(text) == whole {
			t.Errorf("%s does not change the fingerprint", what)
		}
	}
	// The encoding of these is the same.
	if of("a\n1\n2\n3\n") == of("a\n2\n4\n6\n") {
		t.Error("the unit does not change the fingerprint")
	}
}

// Tables of another format are read with what was registered for them.
func TestRegisteredTable(t *testing.T) {
	defer func(before []tableFormat) { tableFormats = before }(tableFormats)
	open := func(_ context.Context, path string) (columns.Source, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		text = bytes.TrimPrefix(text, []byte("TBL1\n"))
		return columns.OpenCSV(io.NopCloser(bytes.NewReader(text)), nil)
	}
	RegisterTable("TBL1", "a TBL file", open)
	path := write(t, t.TempDir(), "x", []byte("TBL1\n"+flats()))
	f, err := Find(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Len != 40 || f.Summary.Format != "a TBL file" {
		t.Errorf("%d rows of %s", f.Len, f.Summary.Format)
	}
}

// A folder of tables is no data set, and the error says what is one.
func TestFolderOfTables(t *testing.T) {
	path := write(t, t.TempDir(), "x.csv", []byte(flats()))
	_, err := Find(t.Context(), filepath.Dir(path), Options{})
	if err == nil || !strings.Contains(err.Error(), "if x.csv holds the data, give its own path") {
		t.Error(err)
	}
}

// Other data may have labels in a column that the schema has for something else, or has not.
func TestLabelsBesideTheSchema(t *testing.T) {
	const text = "size,kind,fault\n1.5,x,no\n2.5,y,yes\n3.5,x,NA\n4.5,y,no\n"
	schema := &columns.Schema{
		Header: true, Delimiter: ",", Missing: []string{"NA"}, Columns: []columns.Column{
			{Name: "size", Kind: columns.Numeric, Scale: 1, Max: 5, Transform: columns.Standard},
			{Name: "kind", Kind: columns.Categorical, Categories: []string{"x", "y"}},
		},
	}
	for name, want := range map[string][]string{
		"fault": {"no", "yes", "", "no"}, "kind": {"x", "y", "x", "y"},
	} {
		f, ds := openTable(t, text, Options{TableSchema: schema, Labels: name})
		classes, err := ClassesOf(ds)
		if err != nil || f.Summary.LabelsFrom != fmt.Sprintf("the column %q", name) {
			t.Fatalf("%v, labels from %q", err, f.Summary.LabelsFrom)
		}
		if d := ds.Shape().Dim(); d != 3 {
			t.Errorf("%d numbers in a row", d)
		}
		for i, w := range want {
			got := ""
			if label := ds.Label(i); label >= 0 {
				got = classes.Names[slices.Index(classes.Labels, label)]
			}
			if got != w {
				t.Errorf("labels by %s: row %d has %q, expected %q", name, i, got, w)
			}
		}
	}
}

// Cells are as they are written, of all columns.
func TestOpenCells(t *testing.T) {
	path := write(t, t.TempDir(), "x.csv", []byte("size;note\n01,50;\"a;b\"\nNA;\n"))
	src, err := OpenCells(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for _, want := range [][]string{{"01,50", "a;b"}, {"NA", ""}} {
		if got, err := src.Next(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v, expected %q", got, err, want)
		}
	}
	if _, err := src.Next(); err != io.EOF {
		t.Errorf("%v after the last row", err)
	}
	array := write(t, t.TempDir(), "x.npy", []byte("\x93NUMPY"))
	if _, err := OpenCells(t.Context(), array, Options{}); err == nil {
		t.Error("an array is a table")
	}
}
