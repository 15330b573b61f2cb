package table_test

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	schemas "github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/table"
)

// household is a table with a column of each kind, every one but the constant with a missing cell.
func household() *schemas.Table {
	nan := math.NaN()
	s := &schemas.Schema{Header: true, Delimiter: ";", Columns: []schemas.Column{
		{Name: "height", Kind: schemas.Numeric, MinDecimals: 2, DecimalComma: true},
		{Name: "floor", Kind: schemas.Integer},
		{Name: "sold", Kind: schemas.Boolean, False: "no", True: "yes", MissingText: "NA"},
		{Name: "colour", Kind: schemas.Categorical, Categories: []string{"light;red", "blue"}},
		{Name: "day", Kind: schemas.Date, Format: "%d.%m.%Y"},
		{Name: "time", Kind: schemas.Date, Format: "%Y-%m-%d %H:%M:%S"},
		{Name: "unit", Kind: schemas.Constant, Value: "kg"},
		{Name: "note", Kind: schemas.Text},
	}}
	const noon = 86400*365 + 12*3600
	return &schemas.Table{
		Schema: s, M: 3,
		Values: [][]float64{
			{1.5, nan, -2.25}, {7, 0, nan}, {1, nan, 0}, {nan, 0, 1}, {86400 * 365, nan, 0},
			{noon, noon + 1, nan}, {0, 0, 0}, nil,
		},
		Texts: [][]string{7: {"a", "", `"b"`}},
	}
}

func write(t *testing.T, path string, rows []int) {
	t.Helper()
	of := household()
	cells := table.NewCells(path, of.Schema, []int{0, 1, 2, 3, 4, 5, 6, 7})
	w, err := table.CreateCSV(path, table.CSVOf(of.Schema), cells.Columns()...)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abandon()
	if err := w.Append(cells.Blocks(of, rows)...); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// A CSV file has the cells as the schema writes them, and an empty one only where it says so.
func TestCellsCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cells.csv")
	write(t, path, []int{0, 2, 1})
	const want = `height;floor;sold;colour;day;time;unit;note
1,50;7;yes;;01.01.1971;1971-01-01 12:00:00;kg;a
-2,25;;no;blue;01.01.1970;;kg;"""b"""
;0;NA;"light;red";;1971-01-01 12:00:01;kg;
`
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

// A Parquet file has columns of their types, and nulls.
func TestCellsParquet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cells.parquet")
	write(t, path, []int{0, 1, 2})
	type row struct {
		Height *float64 `parquet:"height,optional"`
		Floor  *int64   `parquet:"floor,optional"`
		Sold   *bool    `parquet:"sold,optional"`
		Colour *string  `parquet:"colour,optional"`
		Day    *int32   `parquet:"day,optional,date"`
		Time   *int64   `parquet:"time,optional,timestamp(microsecond)"`
		Unit   *string  `parquet:"unit,optional"`
		Note   *string  `parquet:"note,optional"`
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader := parquet.NewGenericReader[row](f)
	defer reader.Close()
	got := make([]row, 4)
	n, err := reader.Read(got)
	if n != 3 || err != nil && err != io.EOF {
		t.Fatalf("%d rows, %v", n, err)
	}
	const noon = (86400*365 + 12*3600) * 1000000
	want := []row{
		{
			Height: of(1.5), Floor: of[int64](7), Sold: of(true), Day: of[int32](365),
			Time: of[int64](noon), Unit: of("kg"), Note: of("a"),
		},
		{Floor: of[int64](0), Colour: of("light;red"), Time: of[int64](noon + 1000000),
			Unit: of("kg")},
		{
			Height: of(-2.25), Sold: of(false), Colour: of("blue"), Day: of[int32](0),
			Unit: of("kg"), Note: of(`"b"`),
		},
	}
	if d := cmp.Diff(want, got[:3]); d != "" {
		t.Error(d)
	}
	file, err := parquet.OpenFile(f, size(t, f))
	if err != nil {
		t.Fatal(err)
	}
	types := []string{"DOUBLE", "INT(64,true)", "BOOLEAN", "STRING", "DATE"}
	for i, field := range file.Schema().Fields()[:len(types)] {
		if got := field.Type().String(); got != types[i] || !field.Optional() {
			t.Errorf("%s is %s, expected %s that may be missing", field.Name(), got, types[i])
		}
	}
}

func of[T any](v T) *T { return &v }

func size(t *testing.T, f *os.File) int64 {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
