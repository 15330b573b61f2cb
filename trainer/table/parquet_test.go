package table_test

import (
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/plume-ml/plume/trainer/table"
)

// row is a row of columns, as the library reads it.
type row struct {
	Row    int64     `parquet:"row"`
	Z      []float32 `parquet:"z,list"`
	Energy float64   `parquet:"energy"`
	Class  string    `parquet:"class"`
	Image  []float32 `parquet:"image,list"`
	Pair   []string  `parquet:"a pair,list"`
}

func readParquet(t *testing.T, path string) (file *parquet.File, got content) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if file, err = parquet.OpenFile(f, info.Size()); err != nil {
		t.Fatal(err)
	}
	reader := parquet.NewGenericReader[row](file)
	defer reader.Close()
	for rows := make([]row, 100); err == nil; {
		var n int
		n, err = reader.Read(rows)
		for _, r := range rows[:n] {
			if len(r.Z) != 3 || len(r.Image) != 6 || len(r.Pair) != 2 {
				t.Fatalf("row %+v", r)
			}
			got.row, got.energy = append(got.row, r.Row), append(got.energy, r.Energy)
			got.z, got.image = append(got.z, r.Z...), append(got.image, r.Image...)
			got.class, got.pair = append(got.class, r.Class), append(got.pair, r.Pair...)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return file, got
}

// A Parquet file has the columns in their order, bounded row groups, and the shapes.
func TestParquetIsRead(t *testing.T) {
	const rowBytes = 8 + 12 + 8 + 32 + 24 + 64
	const group = table.GroupBytes / rowBytes
	for n, block := range map[int]int{0: 1, 50: 7, group + 99: group} {
		c := example(n)
		file, got := readParquet(t, c.write(t, ".parquet", block))
		compare(t, got, c)
		var names []string
		for _, f := range file.Schema().Fields() {
			names = append(names, f.Name())
			if f.Optional() {
				t.Errorf("%s may be missing", f.Name())
			}
		}
		if !slices.Equal(names, []string{"row", "z", "energy", "class", "image", "a pair"}) {
			t.Errorf("columns %q", names)
		}
		if shape, ok := file.Lookup("plume.shape.image"); !ok || shape != "2,3,1" {
			t.Errorf("the shape of image is %q", shape)
		}
		if _, ok := file.Lookup("plume.shape.row"); ok {
			t.Error("a number has a shape")
		}
		groups := int(math.Ceil(float64(n) / group))
		if len(file.RowGroups()) != groups {
			t.Errorf("%d row groups; expected %d", len(file.RowGroups()), groups)
		}
		for _, g := range file.RowGroups() {
			if g.NumRows() > group {
				t.Errorf("a row group has %d rows", g.NumRows())
			}
		}
	}
}
