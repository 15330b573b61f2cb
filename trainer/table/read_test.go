package table

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
)

// visit has a field of each type of columns that are read, some of which may be missing.
type visit struct {
	ID     int64      `parquet:"id"`
	Weight *float64   `parquet:"weight,optional"`
	Height float32    `parquet:"height"`
	Steps  *int32     `parquet:"steps,optional"`
	Count  uint32     `parquet:"count"`
	Smoker *bool      `parquet:"smoker,optional"`
	Kind   *string    `parquet:"kind,optional,dict"`
	Zip    string     `parquet:"zip"`
	Day    int32      `parquet:"day,date"`
	At     time.Time  `parquet:"at,timestamp(millisecond)"`
	Seen   *time.Time `parquet:"seen,optional,timestamp(microsecond)"`
	Price  int64      `parquet:"price,decimal(2:18)"`
}

func visits() (all []visit) {
	for i := range 20 {
		weight, steps, smoker := 60+0.25*float64(i), int32(100*i), i%3 == 0
		kind := []string{"new", "old"}[i%2]
		seen := time.Date(2021, 5, 1+i, 0, 0, 0, 0, time.UTC)
		v := visit{
			int64(i), &weight, float32(1.5) + float32(i)/8, &steps, uint32(math.MaxUint32 - i),
			&smoker, &kind, []string{"01234", "90210"}[i/10], int32(18000 + i),
			time.Date(2020, 1, 1, i, 30, 0, 5e8*(i%2), time.UTC), &seen, int64(-1050 + 100*i),
		}
		if i == 7 {
			v.Weight, v.Steps, v.Smoker, v.Kind, v.Seen = nil, nil, nil, nil, nil
		}
		all = append(all, v)
	}
	return all
}

// parquetFileOf writes rows in groups of 8.
func parquetFileOf[T any](t *testing.T, rows []T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := parquet.NewGenericWriter[T](f)
	for group := range slices.Chunk(rows, 8) {
		if _, err := w.Write(group); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParquetIsRead(t *testing.T) {
	ds, err := data.Open(t.Context(), parquetFileOf(t, visits()), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table := data.TableOf(ds)
	if table.M != 20 {
		t.Errorf("%d rows", table.M)
	}
	for _, want := range []struct {
		name, row7, row9 string
		kind             columns.Kind
	}{
		{"id", "7", "9", columns.Ignore},
		{"weight", "", "62.25", columns.Numeric},
		{"height", "2.375", "2.625", columns.Numeric},
		{"steps", "", "900", columns.Integer},
		{"count", "4294967288", "4294967286", columns.Integer},
		{"smoker", "", "true", columns.Boolean},
		{"kind", "", "old", columns.Categorical},
		{"zip", "01234", "01234", columns.Categorical},
		{"day", "2019-04-21", "2019-04-23", columns.Date},
		{"at", "2020-01-01 07:30:00.500000", "2020-01-01 09:30:00.500000", columns.Date},
		{"seen", "", "2021-05-10", columns.Date},
		{"price", "-3.50", "-1.50", columns.Numeric},
	} {
		c := table.Schema.Column(want.name)
		if kind := table.Schema.Columns[c].Kind; kind != want.kind {
			t.Errorf("column %s is %s, want %s", want.name, kind, want.kind)
		}
		if got := table.Text(7, c) + "," + table.Text(9, c); got != want.row7+","+want.row9 {
			t.Errorf("column %s: %s, want %s,%s", want.name, got, want.row7, want.row9)
		}
	}
}

// What is written to Parquet is read again: the same cells, and the same numbers for a model.
func TestParquetThereAndBack(t *testing.T) {
	ds, err := data.Open(t.Context(), parquetFileOf(t, visits()), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first := data.TableOf(ds)
	var of []int
	for c := range first.Schema.Columns {
		of = append(of, c)
	}
	path := filepath.Join(t.TempDir(), "again.parquet")
	cells := NewCells(path, first.Schema, of)
	w, err := Create(path, cells.Columns()...)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(cells.Blocks(first, data.Range(0, first.M))...); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := data.Open(t.Context(), path, data.Options{TableSchema: first.Schema})
	if err != nil {
		t.Fatal(err)
	}
	a, errA := data.Fingerprint(t.Context(), ds)
	b, errB := data.Fingerprint(t.Context(), again)
	if a != b || errA != nil || errB != nil {
		t.Errorf("fingerprint %s, was %s; %v, %v", b, a, errB, errA)
	}
}

func TestParquetRefused(t *testing.T) {
	type nested struct {
		X []float64 `parquet:"x,list"`
		Y float64   `parquet:"y"`
	}
	type binary struct {
		X []byte `parquet:"x"`
	}
	whole, err := os.ReadFile(parquetFileOf(t, visits()))
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.parquet")
	if err := os.WriteFile(cut, whole[:len(whole)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		parquetFileOf(t, []nested{{[]float64{1}, 2}}):    `column "x" holds lists or other nested`,
		parquetFileOf(t, []binary{{[]byte("\xff\xfe")}}): `row 1, column "x": is "\xff\xfe", not`,
		cut: "is a damaged or truncated Parquet file",
	} {
		_, err := data.Open(t.Context(), path, data.Options{})
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.HasPrefix(err.Error(), "data: "+path+": ") {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

// A damaged file is an error, or read; it never ends the program.
func FuzzParquet(f *testing.F) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[visit](&b)
	if _, err := w.Write(visits()); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes(), 100, byte(1))
	f.Add(b.Bytes(), b.Len()-20, byte(255))
	f.Fuzz(func(t *testing.T, file []byte, at int, change byte) {
		if at >= 0 && at < len(file) {
			file = slices.Clone(file)
			file[at] ^= change
		}
		path := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = data.Open(t.Context(), path, data.Options{})
	})
}
