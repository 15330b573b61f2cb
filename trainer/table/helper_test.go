package table_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/plume-ml/plume/trainer/table"
)

// columns are one of each kind, and shapes as of latents and pictures. They are not sorted.
var columns = []table.Column{
	{Name: "row", Kind: table.Int64},
	{Name: "z", Kind: table.Float32, Dims: []int{3}},
	{Name: "energy", Kind: table.Float64},
	{Name: "class", Kind: table.String},
	{Name: "image", Kind: table.Float32, Dims: []int{2, 3, 1}},
	{Name: "a pair", Kind: table.String, Dims: []int{2}},
}

// content is a table of columns, by columns.
type content struct {
	row         []int64
	z, image    []float32
	energy      []float64
	class, pair []string
}

// classes are strings that need care in some format.
var classes = []string{
	"cat", "", "NA", "a,b", "say \"hi\"", "two\nlines", " spaced ", "é", "日本語", "😀 8", "3.5",
}

// example returns n rows with every special number.
func example(n int) (c content) {
	special := []float64{
		0, math.Copysign(0, -1), 1, -3, 1e21, 1e-7, 0.1, 1.0 / 3, math.MaxFloat32, 16777217,
		math.SmallestNonzeroFloat32, math.NaN(), math.Inf(1), math.Inf(-1), 123456789,
	}
	for i := range n {
		at := func(k int) float64 { return special[(i+k)%len(special)] }
		c.row = append(c.row, math.MinInt64+int64(i)*1e15)
		c.energy = append(c.energy, at(4))
		for k := range 3 {
			c.z = append(c.z, float32(at(k)))
		}
		for k := range 6 {
			c.image = append(c.image, float32(i)+float32(k)/7)
		}
		c.class = append(c.class, classes[i%len(classes)])
		c.pair = append(c.pair, classes[(i+1)%len(classes)], fmt.Sprint(i))
	}
	return c
}

// blocks are rows lo to hi.
func (c content) blocks(lo, hi int) []any {
	return []any{
		c.row[lo:hi], c.z[3*lo : 3*hi], c.energy[lo:hi], c.class[lo:hi], c.image[6*lo : 6*hi],
		c.pair[2*lo : 2*hi],
	}
}

// write writes the content to a file of the given ending, in blocks of the given number of rows.
func (c content) write(t *testing.T, ending string, block int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "table"+ending)
	w, err := table.Create(path, columns...)
	if err != nil {
		t.Fatal(err)
	}
	for lo := 0; lo < len(c.row); lo += block {
		if err := w.Append(c.blocks(lo, min(len(c.row), lo+block))...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, path)
	return path
}

// onlyFile checks that the directory holds nothing but the file.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the directory holds %v, %v; expected %s alone", entries, err, path)
	}
}

// same compares bits, except those of NaN.
func same[T float32 | float64](got, want []T) bool {
	if len(got) != len(want) {
		return false
	}
	for i, v := range want {
		a, b := float64(got[i]), float64(v)
		if math.Float64bits(a) != math.Float64bits(b) && !(math.IsNaN(a) && math.IsNaN(b)) {
			return false
		}
	}
	return true
}
