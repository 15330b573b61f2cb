package trainer

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/run"
)

// storedConfig is the configuration of the run in dir.
func storedConfig(dir string) (config.Config, error) {
	r, err := run.Open(dir)
	if err != nil {
		return config.Config{}, err
	}
	return r.Config, nil
}

// A run that was begun with a relative path goes on from any folder; once the data have moved, the
// error names both forms of the path, and another path that is given is stored.
func TestDataPathIsAbsolute(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"a", "b", "run"} {
		if err := os.Mkdir(filepath.Join(base, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(base, "a"))
	c, dir := smallRun(), filepath.Join(base, "run")
	c.Data, c.Holdout, c.Batch = "images", 0.2, 10
	writeIDX(t, c.Data, 50, 1)
	startRun(t, dir, c, 3)
	check := func(path, typed string) config.Config {
		t.Helper()
		stored, err := storedConfig(dir)
		if err != nil || stored.Data != path {
			t.Errorf("data = %q, %v; expected %q", stored.Data, err, path)
		}
		info, err := run.ReadInfo(dir)
		if err != nil || info.Data != path || info.DataAsTyped != typed ||
			info.Read.Source != path {
			t.Errorf("run.json has %q (%q), read %q, %v; expected %q (%q)",
				info.Data, info.DataAsTyped, info.Read.Source, err, path, typed)
		}
		return stored
	}
	absolute := filepath.Join(base, "a", "images")
	stored := check(absolute, "images")

	t.Chdir(filepath.Join(base, "b"))
	resumeRun(t, dir, stored, 4)
	check(absolute, "images")

	if err := os.Rename(absolute, "moved"); err != nil {
		t.Fatal(err)
	}
	_, err := Resume(context.Background(), dir, stored)
	want := absolute + ` (given as "images"), which is not there: say with --data`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("data that moved: %v", err)
	}
	stored.Data = "moved"
	resumeRun(t, dir, stored, 5)
	check(filepath.Join(base, "b", "moved"), "moved")
}

// So is the directory of the particles' file.
func TestCloudDirIsAbsolute(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"fast", "elsewhere", "run"} {
		if err := os.Mkdir(filepath.Join(base, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(base)
	c, dir := smallRun(), filepath.Join(base, "run")
	c.Cloud, c.CloudDir = config.InFile, "fast"
	startRun(t, dir, c, 3)
	stored, err := storedConfig(dir)
	if want := filepath.Join(base, "fast"); err != nil || stored.CloudDir != want {
		t.Fatalf("cloud_dir = %q, %v; expected %q", stored.CloudDir, err, want)
	}
	t.Chdir(filepath.Join(base, "elsewhere"))
	resumeRun(t, dir, stored, -1)
}

// An embedded name is no path, even beside a file of that name.
func TestEmbeddedNamesStay(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("digits", 0o777); err != nil {
		t.Fatal(err)
	}
	dir := train(t, smallRun())
	c, err := storedConfig(dir)
	info, infoErr := run.ReadInfo(dir)
	if err != nil || infoErr != nil ||
		c.Data != "digits" || info.Data != "digits" || info.DataAsTyped != "" {
		t.Errorf("%q, %q, %q; %v, %v", c.Data, info.Data, info.DataAsTyped, err, infoErr)
	}
}

// readRows reads rows.csv below its header.
func readRows(t *testing.T, dir string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "rows.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	header := []string{"particle", "source", "file", "label", "split"}
	if err != nil || !slices.Equal(records[0], header) {
		t.Fatalf("%v, %v", records[:1], err)
	}
	return records[1:]
}

// By rows.csv every particle finds its image and its label, whatever was held out; a table that
// was lost is written again.
func TestRowsJoinParticles(t *testing.T) {
	all, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, dir := smallRun(), t.TempDir()
	c.Holdout = 0.1
	tr, err := New(t.Context(), c, dir)
	if err != nil {
		t.Fatal(err)
	}
	pixels := func(ds data.Dataset, i int) []float32 {
		x := make([]float32, all.Shape().Dim())
		ds.Gather(x, []int{i})
		return x
	}
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rows := readRows(t, dir)
	moved, seen := 0, map[int]bool{}
	for i, r := range rows {
		source := number(r[1])
		seen[source] = true
		if all.Label(source) != number(r[3]) {
			t.Fatalf("row %d: %q, expected label %d", i, r, all.Label(source))
		}
		if i >= tr.data.train.Len() {
			if r[0] != "" || r[4] != "held-out" ||
				!slices.Equal(pixels(tr.data.held, i-tr.data.train.Len()), pixels(all, source)) {
				t.Fatalf("held-out row %d: %q", i, r)
			}
			continue
		}
		if number(r[0]) != i || r[4] != "train" ||
			!slices.Equal(pixels(tr.data.train, i), pixels(all, source)) {
			t.Fatalf("row %d: %q", i, r)
		}
		if source != i {
			moved++
		}
	}
	if len(seen) != all.Len() || len(rows) != all.Len() || moved < all.Len()/2 {
		t.Errorf(
			"%d rows of %d sources, %d moved; expected %d, and most moved",
			len(rows),
			len(seen),
			moved,
			all.Len(),
		)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}

	dir = t.TempDir()
	startRun(t, dir, c, 3)
	if err := os.Remove(filepath.Join(dir, "rows.csv")); err != nil {
		t.Fatal(err)
	}
	resumeRun(t, dir, c, -1)
	if again := readRows(t, dir); !slices.EqualFunc(again, rows, slices.Equal) {
		t.Error("the table that was written again differs")
	}
}
