package picture_test

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/picture"
)

func TestTables(t *testing.T) {
	s := &columns.Schema{Columns: []columns.Column{
		{Name: "id", Kind: columns.Text},
		{Name: "height", Kind: columns.Numeric, Unit: "cm"},
		{Name: "floor", Kind: columns.Integer},
		{Name: "sold", Kind: columns.Boolean, False: "no", True: "yes"},
		{Name: "colour", Kind: columns.Categorical, Categories: []string{"blue", "red"}},
		{Name: "when", Kind: columns.Date},
		{Name: "unit", Kind: columns.Constant},
	}}
	table := func(from float64) *columns.Table {
		return &columns.Table{Schema: s, M: 1, Texts: make([][]string, 7), Values: [][]float64{
			nil, {from}, {from + 1}, {from + 2}, {from + 3}, {from + 4}, {0},
		}}
	}
	got := picture.Tables([2]string{"data", "samples"}, table(0), table(10))
	want := []figure.Column{
		{Name: "height (cm)"}, {Name: "floor", Scale: figure.Integer},
		{Name: "sold", Categories: []string{"no", "yes"}},
		{Name: "colour", Categories: []string{"blue", "red"}}, {Name: "when", Scale: figure.Dates},
	}
	if len(got.Columns) != len(want) || got.Names != [2]string{"data", "samples"} {
		t.Fatalf("%+v", got)
	}
	for i, w := range want {
		c := got.Columns[i]
		if c.Name != w.Name || c.Scale != w.Scale || !slices.Equal(c.Categories, w.Categories) ||
			c.Values[0][0] != float64(i) || c.Values[1][0] != float64(10+i) {
			t.Errorf("%+v, expected %+v", c, w)
		}
	}
}
