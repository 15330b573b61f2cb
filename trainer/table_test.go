package trainer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/run"
)

// writeTable writes a CSV file of 60 rows, in which some cells are missing.
func writeTable(t *testing.T, path string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("size;floor;lift;kind;class\n")
	for i := range 60 {
		size := strings.Replace(fmt.Sprint(20.5+float64(i%13)), ".", ",", 1)
		if i%7 == 3 {
			size = "NA"
		}
		fmt.Fprintf(&b, "%s;%d;%v;%s;%s\n", size, i%5, i%2 == 0, []string{"x", "y", "z", ""}[i%4],
			[]string{"old", "new"}[i/30])
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

// A run of a table goes on as if it had not been interrupted, and keeps its schema: its data are
// read with that again, even if a schema file that it began with is gone.
func TestRunOfATable(t *testing.T) {
	c := smallRun()
	folder := t.TempDir()
	c.Data, c.Schema = filepath.Join(folder, "x.csv"), filepath.Join(folder, "s.toml")
	c.Labels, c.Holdout, c.Batch, c.ScaleAnchor = "class", 0.2, 10, 0
	c.Condition, c.ConditionDrop = config.OfBoth, 0.3
	writeTable(t, c.Data)
	schema := "[[column]]\nname = \"floor\"\nkind = \"categorical\"\n"
	if err := os.WriteFile(c.Schema, []byte(schema), 0o666); err != nil {
		t.Fatal(err)
	}
	want := train(t, c)
	dir := t.TempDir()
	startRun(t, dir, c, 7)
	if err := os.Remove(c.Schema); err != nil {
		t.Fatal(err)
	}
	resumeRun(t, dir, c, -1)
	if !sameRun(t, dir, want) {
		t.Error("an interrupted run is another one")
	}
	stored, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if k := stored.Config; k.As != data.Columns || k.Labels != "class" ||
		k.Likelihood != "normal,categorical:5,bernoulli,categorical:3" {
		t.Errorf("as = %s, labels = %s, likelihood = %s", k.As, k.Labels, k.Likelihood)
	}
	own, err := stored.ReadData(t.Context(), "", progress.Reporter{}, func(s string) { t.Error(s) })
	if err != nil {
		t.Fatal(err)
	}
	table := data.SchemaOf(own.All).String()
	if got, err := run.ReadSchema(dir); err != nil || got.String() != table {
		t.Errorf("%v, %v", got, err)
	}
	other := filepath.Join(folder, "other.csv")
	text, err := os.ReadFile(c.Data)
	if err == nil {
		text = bytes.Replace(text, []byte("20,5"), []byte("20,6"), 1)
		err = os.WriteFile(other, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = stored.ReadData(t.Context(), other, progress.Reporter{}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "as many rows as then, 60, but with other") {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "schema.toml")); err != nil {
		t.Fatal(err)
	}
	_, err = stored.ReadData(t.Context(), "", progress.Reporter{}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "schema.toml is missing") {
		t.Error(err)
	}
}
