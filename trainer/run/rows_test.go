package run

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/faultfs"
)

// labelled is a table whose rows have origins and labels.
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

func TestStoreRows(t *testing.T) {
	dir := t.TempDir()
	if has, err := HasRows(dir); has || err != nil {
		t.Errorf("before: %v, %v", has, err)
	}
	train := table([]data.Origin{
		{Row: 0, File: "cat/a, b.png"}, {Row: 2, File: `dog/"c".png`}, {Row: 3},
	}, 0, 1, -1)
	held := table([]data.Origin{{Row: 1, File: "cat/\xff.png"}}, 0)
	if err := on(dir).StoreRows(train, held); err != nil {
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
	if err := on(filepath.Join(dir, "none")).StoreRows(train, held); err == nil ||
		!strings.Contains(err.Error(), "rows.csv: ") {
		t.Errorf("no directory: %v", err)
	}
}

// A table that cannot be written completely does not appear, and leaves no file behind.
func TestStoreRowsFails(t *testing.T) {
	train, held := table([]data.Origin{{}}, 0), table(nil)
	count := &faultfs.System{}
	if err := (&Writer{Dir: t.TempDir(), Files: count}).StoreRows(train, held); err != nil {
		t.Fatal(err)
	}
	for k := 1; k <= count.Ops(); k++ {
		dir := t.TempDir()
		sys := &faultfs.System{Fault: faultfs.FailAt(k, syscall.ENOSPC)}
		err := (&Writer{Dir: dir, Files: sys}).StoreRows(train, held)
		has, hasErr := HasRows(dir)
		last := k == count.Ops() // the sync of the directory
		if !errors.Is(err, syscall.ENOSPC) || has != last || hasErr != nil {
			t.Errorf("operation %d: %v; there: %v, %v", k, err, has, hasErr)
		}
		if entries, err := os.ReadDir(dir); err != nil || !last && len(entries) > 0 {
			t.Errorf("operation %d leaves %v, %v", k, entries, err)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	train, held := data.Table{D: 1, X: make([]float32, 1e6)}, data.Table{D: 1}
	dir := b.TempDir()
	for b.Loop() {
		if err := on(dir).StoreRows(train, held); err != nil {
			b.Fatal(err)
		}
	}
}

// ReadRows reads what StoreRows wrote of the training images; errors name file and line.
func TestReadRows(t *testing.T) {
	dir := t.TempDir()
	train := table([]data.Origin{
		{Row: 0, File: "cat/a, b.png"}, {Row: 2, Flipped: true}, {Row: 3},
	}, 0, 1, -1)
	if err := on(dir).StoreRows(train, table([]data.Origin{{Row: 1}}, 0)); err != nil {
		t.Fatal(err)
	}
	want := []Row{{0, "cat/a, b.png", 0, false}, {2, "", 1, true}, {3, "", -1, false}}
	if got, err := ReadRows(dir); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; expected %v", got, err, want)
	}
	path := filepath.Join(dir, "rows.csv")
	for text, want := range map[string]string{
		"a,b\n":                     "line 1",
		"a,b,c,d,e\n1,0,,,train\n":  `line 2: particle "1": expected 0`,
		"a,b,c,d,e\n0,x,,,train\n":  `line 2: strconv`,
		"a,b,c,d,e\n0,0,,x,train\n": `line 2: strconv`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRows(dir); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, expected %s", text, err, want)
		}
	}
	_, err := ReadRows(filepath.Join(dir, "none"))
	if err == nil || !strings.Contains(err.Error(), "rows.csv is missing") {
		t.Errorf("no file: %v", err)
	}
}
