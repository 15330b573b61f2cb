package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
)

// labelled is a table whose rows come from elsewhere, some of them with labels.
type labelled struct {
	data.Table
	origins []data.Origin
	labels  []int
}

func (l labelled) Origin(i int) data.Origin { return l.origins[i] }
func (l labelled) Label(i int) int          { return l.labels[i] }

func table(origins []data.Origin, labels ...int) labelled {
	return labelled{data.Table{D: 1, X: make([]float32, len(labels))}, origins, labels}
}

func TestWriteRows(t *testing.T) {
	dir := t.TempDir()
	if has, err := HasRows(dir); has || err != nil {
		t.Errorf("before: %v, %v", has, err)
	}
	train := table([]data.Origin{{Row: 0, File: "cat/a, b.png"}, {Row: 2, File: `dog/"c".png`}, {Row: 3}}, 0, 1, -1)
	held := table([]data.Origin{{Row: 1, File: "cat/\xff.png"}}, 0)
	if err := WriteRows(dir, train, held); err != nil {
		t.Fatal(err)
	}
	want := "particle,source,file,label,split\n" +
		"0,0,\"cat/a, b.png\",0,train\n" +
		"1,2,\"dog/\"\"c\"\".png\",1,train\n" +
		"2,3,,,train\n" +
		",1,cat/\xff.png,0,held-out\n"
	text, err := os.ReadFile(filepath.Join(dir, "rows.csv"))
	if err != nil || string(text) != want {
		t.Errorf("%q, %v; expected %q", text, err, want)
	}
	if has, err := HasRows(dir); !has || err != nil {
		t.Errorf("after: %v, %v", has, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, %v", entries, err)
	}
	if err := WriteRows(filepath.Join(dir, "none"), train, held); err == nil || !strings.Contains(err.Error(), "rows.csv: ") {
		t.Errorf("no directory: %v", err)
	}
}

// A table that cannot be written whole does not appear.
func TestWriteRowsFails(t *testing.T) {
	if err := encodeRows(full{}, table([]data.Origin{{}}, 0), table(nil)); err == nil {
		t.Error("no error of the writer")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func BenchmarkRows(b *testing.B) {
	train, held := data.Table{D: 1, X: make([]float32, 1e6)}, data.Table{D: 1}
	dir := b.TempDir()
	for b.Loop() {
		if err := WriteRows(dir, train, held); err != nil {
			b.Fatal(err)
		}
	}
}
